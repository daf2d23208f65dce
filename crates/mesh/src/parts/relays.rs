//! Relayed links: which there are, over which direct links they go, and which hosts may relay to whom.
//!
//! A relayed link has a number like any other, marked so that it can be told from one that the driver knows. Two hosts may have
//! several over one direct link, one after the other: each is named by whoever opened it and that host's number for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytestring::ByteString;

use crate::error::CallError;
use crate::words::{LinkId, Time};

/// The mark of relayed links.
const MARK: u64 = 1 << 63;

/// How many relayed links one host may have open to us over one direct link, and how many there may be over that.
const MOST_OF_ONE: usize = 4;
const MOST_OVER_ONE: usize = 4096;

/// When a host that is relayed is dialled directly for the first time, and how long it may be from one time to the next.
const FIRST_TRIAL: Duration = Duration::from_secs(2);
const LONGEST_TRIAL: Duration = Duration::from_secs(120);

/// How many relays are remembered for one host, and for how many hosts.
const MOST_RELAYS: usize = 4;
const MOST_KNOWN: usize = 4096;

/// A relayed link.
#[derive(Clone, Debug)]
pub struct Relayed {
    /// The host at its other end.
    pub host: ByteString,
    /// The direct link that it goes over; none before it is opened.
    pub carrier: Option<LinkId>,
    /// The number that its opener gave it.
    pub number: u64,
    /// We have opened it.
    pub ours: bool,
    /// Over which hosts this was tried before.
    pub tried: Vec<ByteString>,
    /// Why the host was not reached without a relay, if that was tried.
    pub cause: Option<CallError>,
    /// The url at which it has begun to listen since.
    pub offered: Option<ByteString>,
}

/// What is relayed to and from this host, and between others by it.
#[derive(Debug, Default)]
pub struct Relays {
    links: BTreeMap<LinkId, Relayed>,
    /// Those that others have opened, by carrier, host and number.
    theirs: BTreeMap<(LinkId, ByteString, u64), LinkId>,
    /// Who has offered to relay to a host.
    known: HashMap<ByteString, Vec<ByteString>>,
    /// The pairs of direct links between which we have relayed, both ways.
    pairs: BTreeSet<(LinkId, LinkId)>,
    /// Links to hosts with a url, which are dialled directly now and then: when, and after which wait.
    trials: BTreeMap<LinkId, (Time, Duration)>,
    /// Direct links over which we say goodbye when nothing is relayed over them any more.
    leaving: BTreeSet<LinkId>,
    /// How much waits to be written to direct links over which we relay, as far as that is much.
    backlogs: BTreeMap<LinkId, usize>,
    used: bool,
}

/// Whether that link is a relayed one.
pub fn is_relayed(link: LinkId) -> bool {
    link.0 & MARK != 0
}

impl Relays {
    /// Whether there ever was a relayed link here.
    pub fn used(&self) -> bool {
        self.used
    }

    /// Whether anything is relayed now, by us or to us.
    pub fn in_use(&self) -> bool {
        !self.links.is_empty() || !self.pairs.is_empty() || !self.leaving.is_empty()
    }

    /// The link that gets that unused number, to be opened by us.
    pub fn dial(&mut self, number: LinkId, host: ByteString) -> LinkId {
        let link = LinkId(number.0 | MARK);
        let relayed = Relayed {
            host,
            carrier: None,
            number: number.0,
            ours: true,
            tried: Vec::new(),
            cause: None,
            offered: None,
        };
        self.used = true;
        self.links.insert(link, relayed);
        link
    }

    /// Goes on where an earlier attempt came to nothing.
    pub fn has_tried(&mut self, link: LinkId, tried: Vec<ByteString>, cause: Option<CallError>) {
        if let Some(relayed) = self.links.get_mut(&link) {
            (relayed.tried, relayed.cause) = (tried, cause);
        }
    }

    /// The host at its other end has begun to listen.
    pub fn offer(&mut self, link: LinkId, url: ByteString) {
        if let Some(relayed) = self.links.get_mut(&link) {
            relayed.offered = Some(url);
        }
    }

    /// It is opened over that direct link, with the host `by` between.
    pub fn open(&mut self, link: LinkId, carrier: LinkId, by: ByteString) {
        if let Some(relayed) = self.links.get_mut(&link) {
            relayed.carrier = Some(carrier);
            relayed.tried.push(by);
        }
    }

    /// That host has opened one, which gets that unused number here. `None` if it may not.
    pub fn accept(
        &mut self,
        unused: LinkId,
        carrier: LinkId,
        host: &ByteString,
        number: u64,
    ) -> Option<LinkId> {
        let all = (carrier, ByteString::new(), 0)..(LinkId(carrier.0 + 1), ByteString::new(), 0);
        let theirs = (carrier, host.clone(), 0)..=(carrier, host.clone(), u64::MAX);
        let key = (carrier, host.clone(), number);
        if number == 0
            || self.theirs.contains_key(&key)
            || self.theirs.range(theirs).count() >= MOST_OF_ONE
            || self.theirs.range(all).count() >= MOST_OVER_ONE
        {
            return None;
        }
        let link = LinkId(unused.0 | MARK);
        let relayed = Relayed {
            host: host.clone(),
            carrier: Some(carrier),
            number,
            ours: false,
            tried: Vec::new(),
            cause: None,
            offered: None,
        };
        self.used = true;
        self.theirs.insert(key, link);
        self.links.insert(link, relayed);
        Some(link)
    }

    pub fn get(&self, link: LinkId) -> Option<&Relayed> {
        self.links.get(&link)
    }

    /// The link to that host over that direct link which has that number: one of ours, or one of theirs.
    pub fn find(
        &self,
        carrier: LinkId,
        host: &ByteString,
        number: u64,
        ours: bool,
    ) -> Option<LinkId> {
        if !ours {
            return self.theirs.get(&(carrier, host.clone(), number)).copied();
        }
        let link = LinkId(number | MARK);
        let relayed = self.links.get(&link)?;
        let fits = relayed.ours && relayed.carrier == Some(carrier) && relayed.host == *host;
        fits.then_some(link)
    }

    /// The other side has ended it: nothing more is to be said over it.
    pub fn cut(&mut self, link: LinkId) {
        if let Some(relayed) = self.links.get_mut(&link)
            && let Some(carrier) = relayed.carrier.take()
            && !relayed.ours
        {
            let key = (carrier, relayed.host.clone(), relayed.number);
            self.theirs.remove(&key);
        }
    }

    pub fn remove(&mut self, link: LinkId) {
        self.cut(link);
        self.trials.remove(&link);
        self.links.remove(&link);
    }

    /// The host at its other end is to be dialled directly now and then.
    pub fn try_directly(&mut self, link: LinkId, now: Time) {
        self.trials.insert(link, (now + FIRST_TRIAL, FIRST_TRIAL));
    }

    /// The links whose hosts are to be dialled directly now.
    pub fn due(&mut self, now: Time) -> Vec<LinkId> {
        let mut due = Vec::new();
        for (link, (at, wait)) in &mut self.trials {
            if *at <= now {
                *wait = (2 * *wait).min(LONGEST_TRIAL);
                *at = now + *wait;
                due.push(*link);
            }
        }
        due
    }

    pub fn deadline(&self) -> Option<Time> {
        self.trials.values().map(|(at, _)| *at).min()
    }

    /// The links that go over that direct link; to that host, if one is given.
    pub fn over(&self, carrier: LinkId, host: Option<&ByteString>) -> Vec<LinkId> {
        let over = |r: &Relayed| r.carrier == Some(carrier) && host.is_none_or(|h| r.host == *h);
        let links = self.links.iter().filter(|(_, r)| over(r));
        links.map(|(link, _)| *link).collect()
    }

    /// The host `by` relays to that host.
    pub fn learn(&mut self, host: &ByteString, by: &ByteString) {
        if self.known.len() >= MOST_KNOWN && !self.known.contains_key(host) {
            return;
        }
        let relays = self.known.entry(host.clone()).or_default();
        relays.retain(|relay| relay != by);
        relays.insert(0, by.clone());
        relays.truncate(MOST_RELAYS);
    }

    /// That host is not to be reached that way any more.
    pub fn forget(&mut self, host: &str) {
        self.known.remove(host);
    }

    /// Who relays to that host, as far as we know.
    pub fn known(&self, host: &str) -> &[ByteString] {
        self.known.get(host).map_or(&[], Vec::as_slice)
    }

    /// We relay between these two direct links.
    pub fn pair(&mut self, one: LinkId, other: LinkId) {
        self.pairs.insert((one, other));
        self.pairs.insert((other, one));
    }

    /// So much waits to be written to that direct link; nothing, if it is not much.
    pub fn set_backlog(&mut self, link: LinkId, bytes: usize) {
        if bytes == 0 {
            self.backlogs.remove(&link);
        } else {
            self.backlogs.insert(link, bytes);
        }
    }

    /// How much waits to be written to that direct link, if that is much.
    pub fn backlog(&self, link: LinkId) -> usize {
        self.backlogs.get(&link).copied().unwrap_or(0)
    }

    /// That direct link is gone: gives those that were relayed to it.
    pub fn part(&mut self, link: LinkId) -> Vec<LinkId> {
        self.leaving.remove(&link);
        if self.pairs.is_empty() {
            return Vec::new();
        }
        let all = (link, LinkId(0))..=(link, LinkId(u64::MAX));
        let others: Vec<LinkId> = self.pairs.range(all).map(|(_, other)| *other).collect();
        for other in &others {
            self.pairs.remove(&(link, *other));
            self.pairs.remove(&(*other, link));
        }
        others
    }

    /// Goodbye is to be said over that direct link when nothing is relayed over it any more.
    pub fn leave_last(&mut self, carrier: LinkId) {
        self.leaving.insert(carrier);
    }

    /// Over which direct links goodbye can be said now; once.
    pub fn take_leaving(&mut self) -> Vec<LinkId> {
        if self.leaving.is_empty() {
            return Vec::new();
        }
        let busy: BTreeSet<LinkId> = self.links.values().filter_map(|r| r.carrier).collect();
        let free: Vec<LinkId> = self.leaving.difference(&busy).copied().collect();
        self.leaving.retain(|link| busy.contains(link));
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_whoever_opened_them() {
        let mut relays = Relays::default();
        let (carrier, host) = (LinkId(1), ByteString::from("h"));
        let ours = relays.dial(LinkId(7), host.clone());
        assert_eq!(relays.find(carrier, &host, 7, true), None);
        relays.open(ours, carrier, "relay".into());
        let theirs = relays.accept(LinkId(8), carrier, &host, 7);
        assert_eq!(relays.find(carrier, &host, 7, true), Some(ours));
        assert_eq!(relays.find(carrier, &host, 7, false), theirs);
        assert_eq!(relays.find(LinkId(2), &host, 7, true), None);
        assert_eq!(relays.find(carrier, &"other".into(), 7, true), None);
        assert!(is_relayed(ours) && !is_relayed(carrier));
        assert_eq!(relays.over(carrier, None).len(), 2);
        relays.remove(ours);
        assert_eq!(relays.over(carrier, Some(&host)), [theirs.unwrap_or(ours)]);
    }

    #[test]
    fn nobody_can_open_links_without_end() {
        let mut relays = Relays::default();
        let host = ByteString::from("h");
        let mut open = |carrier, host: &ByteString, number| {
            let unused = LinkId(100 + number);
            relays.accept(unused, LinkId(carrier), host, number)
        };
        assert_eq!(open(1, &host, 0), None, "0 stands for all");
        let opened = (1..10).filter(|n| open(1, &host, *n).is_some()).count();
        assert_eq!(opened, MOST_OF_ONE);
        assert!(open(2, &host, 1).is_some());
        let claimed = (0..5000).filter(|n| open(1, &format!("{n}").into(), 1000 + n).is_some());
        assert_eq!(claimed.count(), MOST_OVER_ONE - MOST_OF_ONE);
    }

    #[test]
    fn whoever_was_relayed_to_is_named_once() {
        let mut relays = Relays::default();
        let [a, b, c] = [1, 2, 3].map(LinkId);
        relays.pair(a, b);
        relays.pair(c, a);
        relays.pair(b, a);
        assert_eq!(relays.part(a), [b, c]);
        assert!(relays.part(b).is_empty() && relays.pairs.is_empty());
    }
}
