//! What connections make this host keep, and how much all of them together may.

pub mod pool;
pub mod turns;

use std::sync::Arc;

use tokio::sync::Notify;

use crate::limits::Limits;
use pool::{Pool, Share};
use turns::{Turns, Unfinished};

/// The largest message of a stranger, and how much it may leave unread, in bytes. A greeting is much shorter.
pub const STRANGER_BYTES: usize = 64 * 1024;

/// What the connections of one host hold. A stranger is whoever has connected and has not said hello.
#[derive(Default)]
pub struct Holdings {
    strangers: Arc<Pool>,
    /// What others have caused to be written to them, and do not read.
    unread: Arc<Pool>,
    turns: Arc<Turns>,
}

impl Holdings {
    pub fn set_limits(&self, limits: &Limits) {
        self.strangers.set_max(limits.max_stranger_bytes);
        self.unread.set_max(limits.max_buffer_bytes);
        self.turns.set_max(limits.max_buffer_bytes);
    }

    /// Somebody connects.
    pub fn stranger(&self) -> Share {
        self.strangers.enter(Arc::default())
    }

    /// A connection is open: one that this host has dialled, or that of a stranger.
    pub fn link(&self, stranger: Option<Share>) -> Held {
        let ousted = stranger.as_ref().map(Share::ousted).unwrap_or_default();
        Held {
            stranger,
            unread: self.unread.enter(Arc::clone(&ousted)),
            unfinished: self.turns.enter(Arc::clone(&ousted)),
            ousted,
        }
    }
}

/// One connection's part.
pub struct Held {
    pub stranger: Option<Share>,
    pub unread: Share,
    pub unfinished: Unfinished,
    /// Is notified when the connection has to make room.
    pub ousted: Arc<Notify>,
}
