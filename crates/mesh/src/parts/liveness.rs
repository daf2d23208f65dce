//! When other hosts were last heard of, and when they are to hear of us.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::words::{LinkId, Time};

/// What is known of one link.
#[derive(Debug, Default)]
struct Watch {
    /// Something is known to have come then.
    heard: Time,
    /// Somebody is looking whether something has come since.
    probed: bool,
    /// How often the other side has said that it beats.
    every: Option<Duration>,
    /// Its program stands still, as we have been told.
    stalled: bool,
}

#[derive(Debug, Default)]
pub struct Liveness {
    next_beat: Option<Time>,
    links: BTreeMap<LinkId, Watch>,
    /// The links that nobody is looking at, the longest silent one first.
    waiting: BTreeSet<(Time, LinkId)>,
    /// The number of an event that the program has not applied, and since when nothing has been applied.
    pulse: Option<(u64, Time)>,
}

impl Liveness {
    /// Watches a link from now on.
    pub fn watch(&mut self, link: LinkId, now: Time, interval: Duration) {
        self.forget(link);
        let watch = Watch {
            heard: now,
            ..Watch::default()
        };
        self.links.insert(link, watch);
        self.waiting.insert((now, link));
        self.next_beat.get_or_insert(now.saturating_add(interval));
    }

    pub fn forget(&mut self, link: LinkId) {
        if let Some(watch) = self.links.remove(&link) {
            self.waiting.remove(&(watch.heard, link));
        }
    }

    pub fn retain(&mut self, keep: impl Fn(LinkId) -> bool) {
        self.links.retain(|link, _| keep(*link));
        let links = &self.links;
        self.waiting.retain(|(_, link)| links.contains_key(link));
    }

    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    pub fn links(&self) -> impl Iterator<Item = LinkId> {
        self.links.keys().copied()
    }

    /// By how much the beat that is due is late.
    pub fn late(&self, now: Time) -> Option<Duration> {
        now.checked_sub(self.next_beat?)
    }

    pub fn beat_at(&mut self, at: Option<Time>) {
        self.next_beat = at;
    }

    /// Whatever has been silent was so because we were not there: begins to count now.
    pub fn start_anew(&mut self, now: Time) {
        self.waiting.clear();
        for (link, watch) in &mut self.links {
            (watch.heard, watch.probed) = (now, false);
            self.waiting.insert((now, *link));
        }
        if let Some((_, since)) = &mut self.pulse {
            *since = now;
        }
    }

    /// The next link that seems to have been silent for so long. It is given once, until something is heard of it.
    pub fn take_silent(&mut self, now: Time, timeout: Duration) -> Option<LinkId> {
        let (heard, link) = *self.waiting.first()?;
        if heard.saturating_add(timeout) > now {
            return None;
        }
        self.waiting.pop_first();
        self.links.get_mut(&link)?.probed = true;
        Some(link)
    }

    pub fn is_probed(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|watch| watch.probed)
    }

    /// Something has come over that link at that time.
    pub fn heard(&mut self, link: LinkId, at: Time) {
        if let Some(watch) = self.links.get_mut(&link) {
            self.waiting.remove(&(watch.heard, link));
            (watch.heard, watch.probed) = (at, false);
            self.waiting.insert((at, link));
        }
    }

    /// The other side has said how often it beats, and whether its program stands still. Gives whether the latter is news.
    pub fn beaten(&mut self, link: LinkId, every: Duration, stalled: bool) -> bool {
        let Some(watch) = self.links.get_mut(&link) else {
            return false;
        };
        watch.every = Some(every).filter(|every| !every.is_zero());
        !std::mem::replace(&mut watch.stalled, stalled) && stalled
    }

    /// Whether the other side will be heard of in time by itself, even if a beat is late.
    pub fn beats(&self, link: LinkId, timeout: Duration) -> bool {
        let every = self.links.get(&link).and_then(|watch| watch.every);
        every.is_some_and(|every| every.saturating_mul(2) <= timeout)
    }

    /// The program is to apply event number `event`, unless there is one already that it has not applied. Gives whether it is to.
    pub fn pulse(&mut self, event: u64, now: Time) -> bool {
        let none = self.pulse.is_none();
        self.pulse.get_or_insert((event, now));
        none
    }

    /// The program has applied something, everything before event number `upto`.
    pub fn applied(&mut self, upto: u64, now: Time) {
        self.pulse = self
            .pulse
            .filter(|(event, _)| *event >= upto)
            .map(|(event, _)| (event, now));
    }

    /// For how long the program has been standing still.
    pub fn stalled(&self, now: Time) -> Duration {
        let since = self.pulse.map_or(now, |(_, since)| since);
        now.saturating_sub(since)
    }

    pub fn clear(&mut self) {
        *self = Liveness::default();
    }

    pub fn deadline(&self, timeout: Duration) -> Option<Time> {
        let silent = self.waiting.first();
        let silent = silent.map(|(heard, _)| heard.saturating_add(timeout));
        [self.next_beat, silent].into_iter().flatten().min()
    }
}
