//! What two living hosts say to each other, numbered and acknowledged.
//!
//! A session belongs to a pair of incarnations, not to a link: what is not acknowledged when a link ends is said again over the
//! next one, and what arrives twice is recognised by its number. Both directions are independent, and each is numbered from 1.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use bytestring::ByteString;

use crate::event::{LinkId, Time};
use crate::limits::{Bounds, Limits};
use crate::sabotage::{self, Sabotage};
use crate::wire::v2::{Ack, Exception};

/// What a session carries: a run of messages that is numbered message by message.
pub trait Run: Clone {
    fn count(&self) -> u32;
    fn size(&self) -> usize;
    /// Whether somebody waits for its outcome, not for ever.
    fn expires(&self) -> bool;
}

/// How much may be under way that the other program has not yet taken, in bytes, unless it says otherwise.
pub const WINDOW: usize = 8 * 1024 * 1024;

/// What a run costs the sender beside its messages.
const ENTRY: usize = 256;

/// What a message costs the receiver beside its bytes.
const OVERHEAD: usize = 32;

/// A message that costs more than this is not small.
const SMALL: usize = 256;

/// A part of a run that has been acknowledged, or given up.
#[derive(Debug)]
pub struct Part<T> {
    pub run: T,
    /// The number of the run's first message.
    pub first: u64,
    /// Which of the run's messages.
    pub range: Range<u32>,
    /// Its sender has been told of a timeout: there is nobody to tell any more.
    pub expired: bool,
}

/// What one side of a session tells the other when they meet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number of the last message that it has received.
    pub received: u64,
    /// Up to which number it has seen its own messages acknowledged.
    pub seen: u64,
    /// How many bytes it takes before it acknowledges.
    pub window: usize,
}

impl Standing {
    /// That of a session that begins.
    pub fn new_session() -> Standing {
        Standing {
            received: 0,
            seen: 0,
            window: WINDOW,
        }
    }
}

/// How many exceptions are kept at most: far more than can be under way to whoever says what it has seen.
const MOST_EXCEPTIONS: usize = 1 << 20;

/// After that many exceptions the other side is told that it can forget them.
const SEEN_AFTER: usize = 256;

#[derive(Debug)]
struct Sent<T> {
    run: T,
    first: u64,
    at: Time,
    /// How many of its messages are acknowledged.
    done: u32,
}

#[derive(Debug)]
struct Unsent<T> {
    /// None when nobody waits for it any more.
    run: Option<T>,
    at: Time,
}

/// One session, seen from this host.
#[derive(Debug)]
pub struct Session<T> {
    pub id: ByteString,
    /// The name under which the other host is, or was, registered.
    pub key: ByteString,
    /// The link that it uses now.
    link: Option<LinkId>,
    /// Whether the other side knows that.
    ready: bool,
    next: u64,
    unacked: VecDeque<Sent<T>>,
    /// How many of `unacked` have been said over the present link.
    said: usize,
    /// How many of `unacked` have been waited for too long.
    expired: usize,
    unsent: VecDeque<Unsent<T>>,
    /// How many of `unsent` have waited too long, or can wait for ever.
    passed: usize,
    in_flight: usize,
    queued: usize,
    /// How many messages are not acknowledged.
    messages: usize,
    /// How many were dropped since the last one that was not.
    pub skipped: u64,
    /// The largest frame that the other side takes, and the longest id.
    pub limits: Limits,
    window: usize,
    received: u64,
    applied: u64,
    /// Up to where acknowledgements have been given over the present link.
    acked: u64,
    /// Kept until the other side has said that it has seen them: an acknowledgement may be lost with its link.
    exceptions: VecDeque<Exception>,
    /// How many of `exceptions` have been told over the present link.
    told: usize,
    /// How many exceptions were told to us since we last said that we have seen them.
    seen: usize,
    armed: bool,
}

impl<T: Run> Session<T> {
    fn new(id: ByteString) -> Self {
        Session {
            id,
            key: ByteString::new(),
            link: None,
            ready: false,
            next: 1,
            unacked: VecDeque::new(),
            said: 0,
            expired: 0,
            unsent: VecDeque::new(),
            passed: 0,
            in_flight: 0,
            queued: 0,
            messages: 0,
            skipped: 0,
            limits: Limits::default(),
            window: WINDOW,
            received: 0,
            applied: 0,
            acked: 0,
            exceptions: VecDeque::new(),
            told: 0,
            seen: 0,
            armed: false,
        }
    }

    pub fn link(&self) -> Option<LinkId> {
        self.link
    }

    /// Whether nothing has been said yet, by neither side.
    pub fn is_unused(&self) -> bool {
        self.next == 1 && self.received == 0
    }

    /// Whether something waits for the other side to acknowledge what was said before.
    pub fn is_held_up(&self) -> bool {
        self.ready && (self.said < self.unacked.len() || !self.unsent.is_empty())
    }

    /// How many bytes of memory what waits here takes, about, under way or not.
    pub fn occupied(&self) -> usize {
        self.queued + ENTRY * (self.unacked.len() + self.unsent.len())
    }

    /// How many messages wait here for their acknowledgement.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// How many bytes are under way on the present link.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether that run may wait here, too.
    pub fn has_room(&self, run: &T, bounds: &Bounds) -> bool {
        self.fits(ENTRY + Self::cost(run), run.count() as usize, bounds)
    }

    /// Whether small messages may wait here, too.
    pub fn is_full(&self, bounds: &Bounds) -> bool {
        !self.fits(ENTRY + SMALL, 1, bounds)
    }

    fn fits(&self, cost: usize, count: usize, bounds: &Bounds) -> bool {
        self.messages == 0
            || (self.occupied() + cost <= bounds.bytes && self.messages + count <= bounds.messages)
    }

    fn cost(run: &T) -> usize {
        run.size() + OVERHEAD * run.count() as usize
    }

    /// Uses that link from now on; `there` is what the other side knows. `None` when the two do not fit together.
    pub fn attach(&mut self, link: LinkId, there: &Standing) -> Option<()> {
        let Standing {
            received,
            seen,
            window,
        } = *there;
        if received >= self.next || seen > self.applied {
            return None;
        }
        // It may have said more than that meanwhile, over a link that was still in use.
        let received = received.max(self.first_unacked() - 1);
        self.link = Some(link);
        self.ready = false;
        self.window = window;
        self.said = self
            .unacked
            .partition_point(|s| s.first + u64::from(s.run.count()) <= received + 1);
        if sabotage::is(Sabotage::NoResend) {
            self.said = self.unacked.len();
        } else if sabotage::is(Sabotage::NoDedup) {
            self.said = 0;
        }
        self.in_flight = self
            .unacked
            .range(..self.said)
            .map(|s| Self::cost(&s.run))
            .sum();
        self.seen_upto(seen);
        self.acked = seen;
        if !sabotage::is(Sabotage::LostExceptions) {
            self.told = 0;
        }
        Some(())
    }

    /// What this side knows.
    pub fn standing(&self) -> Standing {
        Standing {
            received: self.received,
            seen: self.first_unacked() - 1,
            window: WINDOW,
        }
    }

    /// The other side has seen our acknowledgements up to that number.
    pub fn seen_upto(&mut self, upto: u64) {
        while let Some(front) = self.exceptions.front()
            && front.first + u64::from(front.count) <= upto + 1
        {
            self.exceptions.pop_front();
            self.told = self.told.saturating_sub(1);
        }
    }

    /// Up to which number acknowledgements have been seen here, when it is time to say so.
    pub fn seen_to_tell(&mut self) -> Option<u64> {
        if self.seen < SEEN_AFTER || !self.ready {
            return None;
        }
        self.seen = 0;
        Some(self.first_unacked() - 1)
    }

    fn first_unacked(&self) -> u64 {
        self.unacked
            .front()
            .map_or(self.next, |s| s.first + u64::from(s.done))
    }

    /// What has not been acknowledged, said or not.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &T> {
        let said = self.unacked.iter().map(|s| &s.run);
        said.chain(self.not_said())
    }

    /// What has never been said.
    pub fn not_said(&self) -> impl Iterator<Item = &T> {
        self.unsent.iter().filter_map(|u| u.run.as_ref())
    }

    /// The other side knows now which link is used.
    pub fn ready(&mut self) {
        self.ready = true;
    }

    pub fn is_ready(&self) -> bool {
        self.ready
    }

    pub fn detach(&mut self, link: LinkId) {
        if self.link == Some(link) {
            self.link = None;
            self.ready = false;
        }
    }

    /// The next run that may be said now, with its number. `all`: also beyond the other side's window.
    pub fn say(&mut self, all: bool) -> Option<(u64, &T)> {
        if !self.ready {
            return None;
        }
        let fits = |flying: usize, cost: usize, window: usize| {
            all || flying == 0 || flying + cost <= window
        };
        if self.said < self.unacked.len() {
            let cost = Self::cost(&self.unacked[self.said].run);
            if !fits(self.in_flight, cost, self.window) {
                return None;
            }
            self.in_flight += cost;
            self.said += 1;
            return self.unacked.get(self.said - 1).map(|s| (s.first, &s.run));
        }
        while self.unsent.front().is_some_and(|u| u.run.is_none()) {
            self.unsent.pop_front();
            self.passed = self.passed.saturating_sub(1);
        }
        let cost = Self::cost(self.unsent.front()?.run.as_ref()?);
        if !fits(self.in_flight, cost, self.window) {
            return None;
        }
        let Unsent { run, at } = self.unsent.pop_front()?;
        self.passed = self.passed.saturating_sub(1);
        let run = run?;
        self.in_flight += cost;
        let first = self.next;
        self.next += u64::from(run.count());
        self.unacked.push_back(Sent {
            run,
            first,
            at,
            done: 0,
        });
        self.said += 1;
        self.unacked.back().map(|s| (s.first, &s.run))
    }

    /// The other program has taken everything up to that number: gives what that was, in order. `None` for numbers that
    /// were never said.
    pub fn acknowledged(&mut self, ack: &Ack) -> Option<Vec<Part<T>>> {
        if ack.upto >= self.next {
            return None;
        }
        self.window = usize::try_from(ack.window).unwrap_or(usize::MAX);
        self.seen += ack.exceptions.len();
        let mut parts = Vec::new();
        while let Some(front) = self.unacked.front_mut() {
            let count = front.run.count();
            let done = (ack.upto + 1)
                .saturating_sub(front.first)
                .min(u64::from(count)) as u32;
            if done <= front.done {
                break;
            }
            let (first, range, expired) = (front.first, front.done..done, self.expired > 0);
            self.messages = self.messages.saturating_sub(range.len());
            if done < count {
                front.done = done;
                let run = front.run.clone();
                parts.push(Part {
                    run,
                    first,
                    range,
                    expired,
                });
                break;
            }
            if let Some(Sent { run, .. }) = self.unacked.pop_front() {
                let cost = Self::cost(&run);
                self.queued = self.queued.saturating_sub(cost);
                if self.said > 0 {
                    self.said -= 1;
                    self.in_flight = self.in_flight.saturating_sub(cost);
                }
                self.expired = self.expired.saturating_sub(1);
                parts.push(Part {
                    run,
                    first,
                    range,
                    expired,
                });
            }
        }
        Some(parts)
    }

    /// Messages have arrived. Gives how many of them are known already; `None` when some are missing before them.
    pub fn receive(&mut self, first: u64, count: u32) -> Option<u32> {
        let last = first.checked_add(u64::from(count))?.checked_sub(1)?;
        if first == 0 || first > self.received + 1 {
            return None;
        }
        let known = (self.received + 1 - first).min(u64::from(count)) as u32;
        self.received = self.received.max(last);
        if sabotage::is(Sabotage::NoDedup) {
            return Some(0);
        }
        Some(known)
    }

    /// The program has taken everything up to that number; in ascending order, how those messages ended that did not end as usual.
    pub fn applied(&mut self, upto: u64, exceptions: impl IntoIterator<Item = Exception>) {
        self.applied = self.applied.max(upto);
        for next in exceptions {
            let untold = self.told < self.exceptions.len();
            match self.exceptions.back_mut() {
                Some(last)
                    if untold
                        && last.code == next.code
                        && last.first + u64::from(last.count) == next.first =>
                {
                    last.count += next.count;
                }
                _ => self.exceptions.push_back(next),
            }
        }
    }

    /// Whether the other side never says what it has seen.
    pub fn is_swamped(&self) -> bool {
        self.exceptions.len() > MOST_EXCEPTIONS
    }

    /// What is to be acknowledged now, if anything is and the link is open.
    pub fn ack(&mut self) -> Option<Ack> {
        if !self.ready || self.applied <= self.acked {
            return None;
        }
        self.acked = self.applied;
        let exceptions = self.exceptions.range(self.told..).copied().collect();
        self.told = self.exceptions.len();
        Some(Ack {
            upto: self.applied,
            window: WINDOW as u64,
            exceptions,
        })
    }

    /// Gives what has been waited for too long, and forgets of it what was not even said.
    fn expire(&mut self, before: Time) -> Vec<Part<T>> {
        let mut parts = Vec::new();
        while let Some(sent) = self.unacked.get(self.expired)
            && sent.at <= before
        {
            self.expired += 1;
            let (run, first, expired) = (sent.run.clone(), sent.first, false);
            let range = sent.done..run.count();
            parts.push(Part {
                run,
                first,
                range,
                expired,
            });
        }
        while let Some(unsent) = self.unsent.get_mut(self.passed)
            && unsent.at <= before
        {
            self.passed += 1;
            let Some(run) = unsent.run.take_if(|run| run.expires()) else {
                continue;
            };
            self.queued = self.queued.saturating_sub(Self::cost(&run));
            self.messages = self.messages.saturating_sub(run.count() as usize);
            let range = 0..run.count();
            parts.push(Part {
                run,
                first: 0,
                range,
                expired: false,
            });
        }
        parts
    }

    /// Since when the oldest one waits that nobody has been told about.
    fn oldest(&self) -> Option<Time> {
        let sent = self.unacked.get(self.expired).map(|s| s.at);
        sent.or_else(|| self.unsent.get(self.passed).map(|u| u.at))
    }
}

/// What is left of a session that has ended.
#[derive(Debug)]
pub struct Remains<T> {
    /// Delivered once or not at all.
    pub unknown: Vec<Part<T>>,
    /// Never delivered.
    pub unsent: Vec<T>,
}

/// All sessions, by the other host's id.
#[derive(Debug)]
pub struct Sessions<T> {
    sessions: BTreeMap<ByteString, Session<T>>,
    /// When to look at a session again: at most one entry for each.
    timers: BTreeSet<(Time, ByteString)>,
}

impl<T: Run> Sessions<T> {
    pub fn new() -> Self {
        Sessions {
            sessions: BTreeMap::new(),
            timers: BTreeSet::new(),
        }
    }

    pub fn get(&self, host: &str) -> Option<&Session<T>> {
        self.sessions.get(host)
    }

    pub fn get_mut(&mut self, host: &str) -> Option<&mut Session<T>> {
        self.sessions.get_mut(host)
    }

    pub fn hosts(&self) -> Vec<ByteString> {
        self.sessions.keys().cloned().collect()
    }

    /// How many bytes of memory wait for hosts that have no link, about.
    pub fn waiting(&self) -> usize {
        let lost = self.sessions.values().filter(|s| s.link.is_none());
        lost.map(Session::occupied).sum()
    }

    /// Begins a session. There must not be one with that host.
    pub fn begin(&mut self, host: ByteString, id: ByteString) -> &mut Session<T> {
        self.sessions
            .entry(host)
            .or_insert_with(|| Session::new(id))
    }

    /// Ends a session and gives what was under way.
    pub fn end(&mut self, host: &str) -> Option<Remains<T>> {
        let session = self.sessions.remove(host)?;
        self.timers.retain(|(_, h)| h != host);
        let already = session.expired;
        let unknown = session.unacked.into_iter().enumerate().map(|(n, s)| Part {
            range: s.done..s.run.count(),
            run: s.run,
            first: s.first,
            expired: n < already,
        });
        Some(Remains {
            unknown: unknown.collect(),
            unsent: session.unsent.into_iter().filter_map(|u| u.run).collect(),
        })
    }

    /// Adds a run to what is to be said to that host; it may take `timeout` until it is acknowledged.
    pub fn push(&mut self, host: &ByteString, run: T, now: Time, timeout: Time) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        session.queued += Session::cost(&run);
        session.messages += run.count() as usize;
        let run = Some(run);
        session.unsent.push_back(Unsent { run, at: now });
        if !session.armed {
            session.armed = true;
            self.timers
                .insert((now.saturating_add(timeout), host.clone()));
        }
    }

    /// When to call [`expire`](Sessions::expire).
    pub fn deadline(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Gives what has not been acknowledged in time, by host.
    pub fn expire(&mut self, now: Time, timeout: Time) -> Vec<(ByteString, Vec<Part<T>>)> {
        let mut expired = Vec::new();
        while self.timers.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, host)) = self.timers.pop_first()
        {
            let Some(session) = self.sessions.get_mut(&host) else {
                continue;
            };
            if let Some(before) = now.checked_sub(timeout) {
                let parts = session.expire(before);
                if !parts.is_empty() {
                    expired.push((host.clone(), parts));
                }
            }
            session.armed = false;
            if let Some(oldest) = session.oldest() {
                session.armed = true;
                self.timers.insert((oldest.saturating_add(timeout), host));
            }
        }
        expired
    }
}
