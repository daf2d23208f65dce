//! The numbers in greetings and their answers: they tell what a host has said before something that has arrived earlier.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytestring::ByteString;

use crate::words::{LinkId, Time};

/// How many hosts' numbers are remembered.
const MOST_NUMBERS: usize = 65_536;

/// How long a number counts against relayed greetings once the link that has said it is gone. Nobody waits that long for an answer.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// The number in a greeting, or in the answer to ours, and when it came.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub number: u64,
    pub link: LinkId,
    /// Nothing was said over that link before this, by our own numbers. None: nobody knows.
    pub since: Option<u64>,
    /// It came now, by our own numbers and by the clock.
    pub heard: u64,
    pub at: Time,
}

/// The greatest number of a host.
#[derive(Debug)]
struct Newest {
    said: Said,
    /// A smaller one has come that cannot have been said before it: one of the two is made up.
    disputed: bool,
}

/// The greatest number with which each host has greeted us, or answered us.
#[derive(Debug, Default)]
pub struct Numbers {
    newest: HashMap<ByteString, Newest>,
    /// Who of them is gone, while something may still come that it has said before.
    gone: BTreeSet<ByteString>,
}

impl Numbers {
    /// That host has said a number. Gives whether it has said a greater one before: then what has come now was in flight for long, and
    /// is not meant any more. `is_there`: whether a link is registered.
    ///
    /// The greater one may be that of a liar. If it came before the link of the smaller one was there, it was not said later. Then it
    /// counts once more while its own link is there, and not at all when that is gone: a host that is meant says hello again.
    pub fn is_stale(
        &mut self,
        host: &ByteString,
        said: Said,
        is_there: impl Fn(LinkId) -> bool,
    ) -> bool {
        if self.newest.len() >= MOST_NUMBERS && !self.newest.contains_key(host) {
            return false;
        }
        if let Some(newest) = self.newest.get_mut(host)
            && said.number < newest.said.number
        {
            let there = is_there(newest.said.link);
            let counts = match said.since {
                Some(since) => since < newest.said.heard,
                None => there || said.at < newest.said.at + COUNTS_FOR,
            };
            if counts || (there && !newest.disputed) {
                newest.disputed |= !counts;
                return true;
            }
        }
        let disputed = false;
        self.newest.insert(host.clone(), Newest { said, disputed });
        self.gone.remove(host);
        false
    }

    /// That host is gone, as far as we know. Not so when a session ends because another one begins: what was said before that one is
    /// still stale. Its number is forgotten at once, or when [`forget_gone`](Numbers::forget_gone) says so: as long as something may
    /// come that it has said before.
    pub fn forget(&mut self, host: &ByteString, at_once: bool) {
        if at_once {
            self.newest.remove(host);
        } else if self.newest.contains_key(host) {
            self.gone.insert(host.clone());
        }
    }

    /// Nothing that those have said who are gone can come any more.
    pub fn forget_gone(&mut self) {
        for host in std::mem::take(&mut self.gone) {
            self.newest.remove(&host);
        }
    }

    /// Whether there are any.
    pub fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over that link, which was there since `since`, that number comes.
    fn said(number: u64, link: u64, since: Option<u64>, heard: u64) -> Said {
        let at = Duration::from_secs(heard);
        let link = LinkId(link);
        Said {
            number,
            link,
            since,
            heard,
            at,
        }
    }

    #[test]
    fn what_was_said_before_something_that_has_come_is_stale_whether_that_link_is_there_or_not() {
        for there in [true, false] {
            let mut numbers = Numbers::default();
            let mut stale = |said| numbers.is_stale(&"h".into(), said, |_| there);
            assert!(!stale(said(7, 2, Some(2), 10)));
            assert!(stale(said(5, 1, Some(1), 11)) && stale(said(6, 1, Some(1), 12)));
            assert!(!stale(said(7, 1, Some(1), 13)) && !stale(said(8, 1, Some(1), 14)));
        }
    }

    #[test]
    fn a_number_that_came_before_the_link_was_there_counts_once_while_its_own_link_is_there() {
        let mut numbers = Numbers::default();
        let mut stale = |said, there| numbers.is_stale(&"h".into(), said, |_| there);
        assert!(!stale(said(u64::MAX, 2, Some(2), 10), true));
        assert!(stale(said(5, 11, Some(11), 12), true));
        assert!(!stale(said(6, 13, Some(13), 14), true));
        assert!(
            stale(said(5, 11, Some(11), 15), true),
            "from here on as ever"
        );
        assert!(!stale(said(u64::MAX, 16, Some(16), 17), true));
        assert!(!stale(said(7, 18, Some(18), 19), false));
    }

    #[test]
    fn a_number_counts_against_relayed_greetings_for_a_minute() {
        let mut numbers = Numbers::default();
        let mut stale = |said, there| numbers.is_stale(&"h".into(), said, |_| there);
        assert!(!stale(said(u64::MAX, 2, Some(2), 10), true));
        assert!(stale(said(5, 11, None, 69), false) && stale(said(5, 11, None, 1000), true));
        assert!(!stale(said(5, 11, None, 70), false));
    }
}
