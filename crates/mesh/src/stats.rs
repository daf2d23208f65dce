//! What a host has done so far, for whoever watches it.

use bytestring::ByteString;

use crate::error::SendError;
use crate::event::{Event, LinkId};

/// Counters, from the beginning of the host's life. All count messages, with other hosts alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sends.
    pub sent: u64,
    /// Sends of others that came for peers here.
    pub received: u64,
    /// Calls of publish, however many hosts listen.
    pub published: u64,
    /// What others have published and came here.
    pub heard: u64,
    pub outcomes: Outcomes,
    /// Published messages that did not go to a host, each counted for each such host.
    pub dropped: u64,
    /// How often something that others have published is missing.
    pub gaps: u64,
    /// How often a lost host was found again.
    pub reconnects: u64,
}

/// How sends have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub delivered: u64,
    /// Delivered, and a listener threw.
    pub threw: u64,
    pub not_found: u64,
    pub unreachable: u64,
    pub overloaded: u64,
    pub too_large: u64,
    /// A request to an original host.
    pub not_supported: u64,
    pub unknown: u64,
    pub timeout: u64,
    pub closed: u64,
}

impl Stats {
    /// Counts what the program is told.
    pub(crate) fn count(&mut self, event: &Event) {
        match event {
            Event::Deliver { payload, .. } | Event::Request { payload, .. } => {
                self.received += u64::from(payload.count())
            }
            Event::Publish { payload, .. } => self.heard += u64::from(payload.count()),
            Event::Settled { count, .. } => self.outcomes.delivered += count,
            Event::Failed { error, .. } => *self.outcomes.of(error) += 1,
            Event::Dropped { count, .. } => self.dropped += count,
            Event::Gap { .. } => self.gaps += 1,
            _ => {}
        }
    }
}

impl Outcomes {
    fn of(&mut self, error: &SendError) -> &mut u64 {
        match error {
            SendError::NotFound { .. } => &mut self.not_found,
            SendError::Unreachable { .. } => &mut self.unreachable,
            SendError::Threw | SendError::ThrewNotFound { .. } => &mut self.threw,
            SendError::Unknown { .. } => &mut self.unknown,
            SendError::Timeout { .. } => &mut self.timeout,
            SendError::Overloaded { .. } => &mut self.overloaded,
            SendError::NotSupported { .. } => &mut self.not_supported,
            SendError::TooLarge { .. } => &mut self.too_large,
            SendError::Closed => &mut self.closed,
        }
    }
}

/// What waits for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// As for connections, or, of a lost host, for timers.
    pub key: ByteString,
    /// None when the host is lost.
    pub link: Option<LinkId>,
    /// Messages that are not acknowledged.
    pub messages: usize,
    /// What they take, in bytes of memory.
    pub bytes: usize,
    /// How many bytes of messages are under way, as far as that is known.
    pub in_flight: usize,
}
