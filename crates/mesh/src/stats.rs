//! What a host has done so far, for whoever watches it.

use bytestring::ByteString;

use crate::event::Event;
use crate::words::{Change, LinkId};

/// Counters, from the beginning of the host's life. All count messages, with other hosts alone. What becomes of sends is not here: who
/// is told of their ends counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sends and requests of others that came for peers here.
    pub received: u64,
    /// Calls of publish, however many hosts listen.
    pub published: u64,
    /// What others have published and came here.
    pub heard: u64,
    /// Published messages that did not go to a host, each counted for each such host.
    pub dropped: u64,
    /// How often something that others have published is missing.
    pub gaps: u64,
    /// How often the program was told that a lost host is back, whoever dialled.
    pub reconnects: u64,
}

impl Stats {
    /// Counts what the program is told.
    pub(crate) fn count(&mut self, event: &Event) {
        match event {
            Event::Deliver { payload, .. } | Event::Request { payload, .. } => {
                self.received += u64::from(payload.count())
            }
            Event::Publish { payload, .. } => self.heard += u64::from(payload.count()),
            Event::Dropped { count, .. } => self.dropped += count,
            Event::Gap { .. } => self.gaps += 1,
            Event::Member {
                change: Change::Reconnect,
                ..
            } => self.reconnects += 1,
            _ => {}
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
    /// How many bytes of messages are in flight, as far as that is known.
    pub in_flight: usize,
}
