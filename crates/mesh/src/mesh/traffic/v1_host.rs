//! What waits for one 0.4.0 host.

use crate::limits::Bounds;
use crate::parts::peers::Parcel;

/// What an open request takes beside its message.
pub(super) const ENTRY: usize = 256;

/// A message that takes more than this is not small.
const SMALL: usize = 256;

/// What waits for a 0.4.0 host. It knows no sessions.
#[derive(Debug, Default)]
pub(in crate::mesh) struct V1Host {
    /// What its socket does not take, as the driver says.
    pub(super) backlog: usize,
    /// Sends that it has not answered.
    pub(super) flying: usize,
    pub(super) bytes: usize,
}

impl V1Host {
    /// Whether small messages may wait, too.
    pub(super) fn is_full(&self, bounds: &Bounds) -> bool {
        let V1Host { flying, bytes, .. } = self;
        let room = bytes + ENTRY + SMALL <= bounds.bytes && *flying < bounds.messages;
        !(self.takes(SMALL, bounds) && (*flying == 0 || room))
    }

    pub(super) fn messages(&self) -> usize {
        self.flying
    }

    pub(super) fn in_flight(&self) -> usize {
        self.bytes
    }

    pub(super) fn occupied(&self) -> usize {
        self.backlog + self.bytes
    }

    /// Whether its socket has not too much to write already.
    pub(super) fn takes(&self, written: usize, bounds: &Bounds) -> bool {
        self.backlog == 0 || self.backlog + written <= bounds.bytes
    }

    /// How many of the first messages of a parcel may wait, too: if nothing waits, one at least.
    pub(super) fn room(&self, parcel: &Parcel, bounds: &Bounds) -> u32 {
        let V1Host { flying, bytes, .. } = self;
        let messages = bounds.messages.saturating_sub(*flying);
        let mut bytes = bounds.bytes.saturating_sub(*bytes);
        if self.backlog > 0 {
            bytes = bytes.min(bounds.bytes.saturating_sub(self.backlog));
        }
        let count = parcel.payload.count();
        if kept(parcel) <= bytes && count as usize <= messages {
            return count;
        }
        let alone = u32::from(*flying == 0 && self.backlog == 0);
        parcel.payload.fitting(messages, bytes, ENTRY).max(alone)
    }
}

/// How many bytes of memory a parcel takes until it is answered, about.
pub(super) fn kept(parcel: &Parcel) -> usize {
    ENTRY * parcel.payload.count() as usize + parcel.payload.size()
}
