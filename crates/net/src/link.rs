//! What a host does with a link, whatever carries it.

use std::ops::AddAssign;

use distribus_mesh::{CloseReason, Nearness, Time};

/// Something that carries frames in order between two hosts. Its methods are called from any thread.
pub trait Link: Send + Sync {
    /// Puts in a frame. Returns how many bytes wait to be written.
    fn push_text(&self, text: &str) -> usize;
    fn push_binary(&self, bytes: &[u8]) -> usize;
    /// How many bytes wait to be written.
    fn waiting(&self) -> usize;
    /// Puts in a binary frame, or a ping, unless much waits to be written.
    fn push_beat(&self, frame: Option<&[u8]>);
    /// How near the other end is, as far as that is known.
    fn nearness(&self) -> Nearness {
        Nearness::Elsewhere
    }
    /// When bytes were last read from it, by its host's clock.
    fn heard(&self) -> Time;
    /// Whether bytes, or its end, wait to be read.
    fn has_unread(&self) -> bool;
    /// How many bytes have come and gone.
    fn traffic(&self) -> Traffic;
    /// Writes as far as possible without waiting. What that leaves, the link writes by itself.
    fn flush(&self);
    /// So many bytes of what was just put in were caused by others.
    fn owes(&self, bytes: usize);
    /// The other side is no stranger any more.
    fn greeted(&self);
    /// Ends the link after what has been pushed, and tells the other side why.
    fn close(&self, reason: CloseReason);
    /// Ends the link at once.
    fn kill(&self);
}

/// What has gone over a link, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub received: u64,
    pub sent: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        self.received += other.received;
        self.sent += other.sent;
    }
}
