//! One session: what has been said and is not acknowledged, and what has arrived.

mod recall;
mod room;

use std::collections::VecDeque;
use std::ops::Range;

use bytestring::ByteString;

use super::arrivals::Arrivals;
use super::incoming::{Incoming, MOST_IN_FLIGHT, WINDOW};
use crate::limits::Limits;
use crate::sabotage::{self, Sabotage};
use crate::wire::v2::Ack;
use crate::words::{LinkId, Time};

/// What a session carries: a run of messages that is numbered message by message.
pub trait Run: Clone {
    fn count(&self) -> u32;
    fn size(&self) -> usize;
    /// Whether somebody waits for its outcome, not for ever.
    fn expires(&self) -> bool;
    /// How many of its first messages there is room for, see [`Payload::fitting`](crate::payload::Payload::fitting).
    fn fitting(&self, messages: usize, bytes: usize, more: usize) -> u32;
}

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
    pub incoming: Incoming,
    pub arrivals: Arrivals,
    /// How many exceptions were told to us since we last said that we have seen them.
    seen: usize,
    /// A timer is set to look at it.
    pub(super) armed: Option<Time>,
    /// How many bytes of it are counted as waiting for a host that has no link.
    pub(super) counted: usize,
}

/// What is left of a session that has ended.
#[derive(Debug)]
pub struct Remains<T> {
    /// The name under which the other host was registered.
    pub key: ByteString,
    /// Delivered once or not at all.
    pub unknown: Vec<Part<T>>,
    /// Never delivered.
    pub unsent: Vec<T>,
}

impl<T: Run> Session<T> {
    pub(super) fn new(id: ByteString) -> Self {
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
            incoming: Incoming::default(),
            arrivals: Arrivals::default(),
            seen: 0,
            armed: None,
            counted: 0,
        }
    }

    pub fn link(&self) -> Option<LinkId> {
        self.link
    }

    /// Whether nothing has been said yet, by neither side.
    pub fn is_unused(&self) -> bool {
        self.next == 1 && self.incoming.received() == 0
    }

    /// Whether something waits for the other side to acknowledge what was said before.
    pub fn is_held_up(&self) -> bool {
        self.ready && (self.said < self.unacked.len() || !self.unsent.is_empty())
    }

    /// How many messages wait here for their acknowledgement.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// How many bytes are in flight on the present link.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Uses that link from now on; `there` is what the other side knows. `None` when the two do not fit together.
    pub fn attach(&mut self, link: LinkId, there: &Standing) -> Option<()> {
        let Standing {
            received,
            seen,
            window,
        } = *there;
        if received >= self.next {
            return None;
        }
        self.incoming.attach(seen)?;
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
        Some(())
    }

    /// What this side knows.
    pub fn standing(&self) -> Standing {
        Standing {
            received: self.incoming.received(),
            seen: self.first_unacked() - 1,
            window: WINDOW,
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

    /// The next run that may be said now, with its number, and whether it has been said before. `all`: also beyond the other side's window.
    pub fn say(&mut self, all: bool) -> Option<(u64, &T, bool)> {
        if !self.ready {
            return None;
        }
        let acked = self.first_unacked() - 1;
        let fits = |flying: usize, cost: usize, window: usize, last: u64| {
            flying == 0
                || (all || flying + cost <= window) && last.saturating_sub(acked) <= MOST_IN_FLIGHT
        };
        if self.said < self.unacked.len() {
            let Sent { run, first, .. } = &self.unacked[self.said];
            let (cost, last) = (Self::cost(run), first + u64::from(run.count()) - 1);
            if !fits(self.in_flight, cost, self.window, last) {
                return None;
            }
            self.in_flight += cost;
            self.said += 1;
            let again = self.unacked.get(self.said - 1);
            return again.map(|s| (s.first, &s.run, true));
        }
        while self.unsent.front().is_some_and(|u| u.run.is_none()) {
            self.unsent.pop_front();
            self.passed = self.passed.saturating_sub(1);
        }
        let run = self.unsent.front()?.run.as_ref()?;
        let (cost, last) = (Self::cost(run), self.next + u64::from(run.count()) - 1);
        if !fits(self.in_flight, cost, self.window, last) {
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
        self.unacked.back().map(|s| (s.first, &s.run, false))
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

    /// Adds a run to what is to be said.
    pub(super) fn push(&mut self, run: T, now: Time) {
        self.queued += Self::cost(&run);
        self.messages += run.count() as usize;
        let run = Some(run);
        self.unsent.push_back(Unsent { run, at: now });
    }

    /// Ends it, and gives what was in flight.
    pub(super) fn end(self) -> Remains<T> {
        let already = self.expired;
        let unknown = self.unacked.into_iter().enumerate().map(|(n, s)| Part {
            range: s.done..s.run.count(),
            run: s.run,
            first: s.first,
            expired: n < already,
        });
        Remains {
            key: self.key,
            unknown: unknown.collect(),
            unsent: self.unsent.into_iter().filter_map(|u| u.run).collect(),
        }
    }

    /// What is to be acknowledged now, if anything is and the link is open.
    pub fn ack(&mut self) -> Option<Ack> {
        self.ready.then(|| self.incoming.ack())?
    }
}
