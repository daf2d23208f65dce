//! What the other side of a session has said, and how far it has been told so.

use std::collections::VecDeque;

use crate::sabotage::{self, Sabotage};
use crate::wire::v2::{Ack, Exception};

/// How much may be in flight that the other program has not yet taken, in bytes, unless it says otherwise.
pub const WINDOW: usize = 8 * 1024 * 1024;

/// How many messages may be in flight that the other program has not yet taken, whatever they weigh: twice as many as the window has room
/// for, because whoever leaves says all that waits. A host that keeps to its options has never more.
pub const MOST_IN_FLIGHT: u64 = 1 << 19;

/// How many exceptions are kept at most: far more than can be in flight to whoever says what it has seen.
const MOST_EXCEPTIONS: usize = 1 << 20;

#[derive(Debug, Default)]
pub struct Incoming {
    received: u64,
    applied: u64,
    /// Up to where acknowledgements have been given over the present link.
    acked: u64,
    /// Kept until the other side has said that it has seen them: an acknowledgement may be lost with its link.
    exceptions: VecDeque<Exception>,
    /// How many of `exceptions` have been told over the present link.
    told: usize,
}

impl Incoming {
    /// The number of the last message that has arrived.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Acknowledges over another link from now on. `None` when the other side has seen what was never said.
    pub(super) fn attach(&mut self, seen: u64) -> Option<()> {
        if seen > self.applied {
            return None;
        }
        self.seen_upto(seen);
        self.acked = seen;
        if !sabotage::is(Sabotage::LostExceptions) {
            self.told = 0;
        }
        Some(())
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

    /// Messages have arrived. Gives how many of them are known already; `None` when some are missing before them, or when there are more
    /// than may be in flight.
    pub fn receive(&mut self, first: u64, count: u32) -> Option<u32> {
        if first > self.received + 1 {
            return None;
        }
        let last = first + u64::from(count) - 1;
        let known = (self.received + 1 - first).min(u64::from(count)) as u32;
        self.received = self.received.max(last);
        if self.is_beyond() {
            return None;
        }
        if sabotage::is(Sabotage::NoDedup) {
            return Some(0);
        }
        Some(known)
    }

    /// Whether more messages are in flight than may be.
    pub fn is_beyond(&self) -> bool {
        self.received - self.applied > MOST_IN_FLIGHT
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

    /// What is to be acknowledged now, if anything is.
    pub(super) fn ack(&mut self) -> Option<Ack> {
        if self.applied <= self.acked {
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
}
