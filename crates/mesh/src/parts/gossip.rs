//! Who is to be told of whom, so that every two hosts of a network meet without everybody telling everybody.
//!
//! A joiner is given the list of members and dials them all. What that leaves open are joins at the same moment through different
//! hosts, and networks that become one. So it is remembered for a while who was met lately, to tell those who may not know; and
//! when nothing has changed for a moment, each host compares notes with one other.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::hash;
use crate::wire::member::Member;
use crate::words::{LinkId, Time};

/// How long somebody is news: longer than a greeting is in flight.
const RECENT: Duration = Duration::from_secs(10);

/// Notes are compared when nothing has changed for that long, or after ten times that.
const QUIET: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct News {
    number: u64,
    at: Time,
    member: Member,
    /// It came by itself and was given our list.
    came: bool,
}

/// What is new, and whether notes are to be compared.
#[derive(Debug, Default)]
pub struct Gossip {
    news: VecDeque<News>,
    next: u64,
    /// The first change since notes were compared, and the last one.
    changed: Option<(Time, Time)>,
    /// Who wanted to compare notes when ours were not settled.
    deferred: BTreeSet<LinkId>,
}

impl Gossip {
    /// Everything that is news later has at least this number.
    pub fn mark(&self) -> u64 {
        self.next
    }

    /// Remembers a host that is new here. `came`: it came by itself and gets our list; else we have learnt of it from another one.
    pub fn add(&mut self, now: Time, member: Member, came: bool) {
        while self.news.front().is_some_and(|n| n.at + RECENT <= now) {
            self.news.pop_front();
        }
        let (number, at) = (self.next, now);
        self.next += 1;
        self.news.push_back(News {
            number,
            at,
            member,
            came,
        });
    }

    /// What is news now.
    pub fn recent(&self, now: Time) -> impl Iterator<Item = &Member> {
        let recent = move |n: &&News| n.at + RECENT > now;
        self.news.iter().filter(recent).map(|n| &n.member)
    }

    /// What we have learnt from others since that mark.
    pub fn learnt_since(&self, mark: u64) -> impl Iterator<Item = &Member> {
        let learnt = move |n: &&News| n.number >= mark && !n.came;
        self.news.iter().filter(learnt).map(|n| &n.member)
    }

    /// A host has come or gone.
    pub fn change(&mut self, now: Time) {
        let first = self.changed.map_or(now, |(first, _)| first);
        self.changed = Some((first, now));
    }

    /// Somebody compares notes over that link and they differ. Whether that is no wonder, because ours have just changed: then it is for us
    /// to come back to it.
    pub fn defer(&mut self, link: LinkId) -> bool {
        let unsettled = self.changed.is_some();
        if unsettled {
            self.deferred.insert(link);
        }
        unsettled
    }

    /// With whom we have to compare notes because we would not before.
    pub fn take_deferred(&mut self) -> BTreeSet<LinkId> {
        std::mem::take(&mut self.deferred)
    }

    /// When to compare notes.
    pub fn deadline(&self) -> Option<Time> {
        let (first, last) = self.changed?;
        Some((last + QUIET).min(first + 10 * QUIET))
    }

    /// Whether it is time to compare notes; once.
    pub fn due(&mut self, now: Time) -> bool {
        let due = self.deadline().is_some_and(|at| at <= now);
        if due {
            self.changed = None;
        }
        due
    }
}

/// A short note of a set of hosts: how many, and a number in which each of their ids has its part, whatever their order.
pub fn digest<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let (mut count, mut sum) = (0u32, 0u64);
    for id in ids {
        count += 1;
        sum = sum.wrapping_add(hash::of(id));
    }
    format!("{count}:{sum:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(n: u64) -> Member {
        let url = format!("ws://{n}").into();
        Member { url, host: None }
    }

    #[test]
    fn news_grow_old() {
        let mut gossip = Gossip::default();
        gossip.add(Duration::ZERO, member(1), true);
        let mark = gossip.mark();
        gossip.add(RECENT / 2, member(2), false);
        gossip.add(RECENT / 2, member(3), true);
        let known = |now| gossip.recent(now).cloned().collect::<Vec<_>>();
        assert_eq!(known(RECENT / 2), [member(1), member(2), member(3)]);
        assert_eq!(known(RECENT), [member(2), member(3)]);
        let learnt: Vec<_> = gossip.learnt_since(mark).cloned().collect();
        assert_eq!(learnt, [member(2)]);
    }

    #[test]
    fn notes_are_compared_after_a_quiet_moment_but_not_never() {
        let mut gossip = Gossip::default();
        assert!(!gossip.due(Duration::from_secs(9)));
        gossip.change(Duration::ZERO);
        for n in 1..=9 {
            assert_eq!(gossip.deadline(), Some(Duration::from_secs(n)));
            gossip.change(Duration::from_secs(n));
        }
        gossip.change(Duration::from_millis(9900));
        assert!(!gossip.due(Duration::from_millis(9999)));
        assert!(gossip.due(Duration::from_secs(10)));
        assert_eq!(gossip.deadline(), None);
    }

    #[test]
    fn whoever_compares_too_early_is_come_back_to() {
        let mut gossip = Gossip::default();
        assert!(!gossip.defer(LinkId(1)));
        gossip.change(Duration::ZERO);
        assert!(gossip.defer(LinkId(1)) && gossip.defer(LinkId(2)) && gossip.defer(LinkId(1)));
        assert!(gossip.due(QUIET));
        assert_eq!(
            gossip.take_deferred(),
            BTreeSet::from([LinkId(1), LinkId(2)])
        );
        assert!(!gossip.defer(LinkId(3)));
        assert_eq!(gossip.take_deferred(), BTreeSet::new());
    }

    #[test]
    fn a_digest_tells_sets_apart_whatever_their_order() {
        assert_eq!(
            digest(["a", "b"].into_iter()),
            digest(["b", "a"].into_iter())
        );
        let pair = |a: usize, b: usize| [format!("host{a:04}"), format!("host{b:04}")];
        let mut seen = std::collections::BTreeSet::new();
        for a in 0..200 {
            for b in 0..a {
                let ids = pair(a, b);
                assert!(seen.insert(digest(ids.iter().map(String::as_str))));
            }
        }
    }
}
