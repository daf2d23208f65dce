//! How much waits in a session, and how much more may.

use super::{Run, Session};
use crate::limits::Bounds;

/// What a run costs the sender beside its messages.
const ENTRY: usize = 256;

/// What a message costs the receiver beside its bytes.
const OVERHEAD: usize = 32;

/// A message that costs more than this is not small.
const SMALL: usize = 256;

impl<T: Run> Session<T> {
    /// How many bytes of memory what waits here takes, about, in flight or not.
    pub fn occupied(&self) -> usize {
        self.queued + ENTRY * (self.unacked.len() + self.unsent.len())
    }

    /// Whether that run may wait here, too.
    pub fn has_room(&self, run: &T, bounds: &Bounds) -> bool {
        self.fits(ENTRY + Self::cost(run), run.count() as usize, bounds)
    }

    /// Whether small messages may wait here, too.
    pub fn is_full(&self, bounds: &Bounds) -> bool {
        !self.fits(ENTRY + SMALL, 1, bounds)
    }

    /// How many of the first messages of a run that does not fit may wait here: if nothing waits, one at least.
    pub fn room(&self, run: &T, bounds: &Bounds) -> u32 {
        let messages = bounds.messages.saturating_sub(self.messages);
        let bytes = bounds.bytes.saturating_sub(self.occupied() + ENTRY);
        let alone = u32::from(self.messages == 0);
        run.fitting(messages, bytes, OVERHEAD).max(alone)
    }

    fn fits(&self, cost: usize, count: usize, bounds: &Bounds) -> bool {
        (self.messages == 0 && count <= 1)
            || (self.occupied() + cost <= bounds.bytes && self.messages + count <= bounds.messages)
    }

    pub(super) fn cost(run: &T) -> usize {
        run.size() + OVERHEAD * run.count() as usize
    }
}
