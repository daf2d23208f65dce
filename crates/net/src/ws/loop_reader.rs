//! The reading side of a connection that a [`ReadLoop`](crate::read_loop::ReadLoop) reads.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::host::Host;
use crate::read_loop::{Descriptor, LinkReader, ReadEnd};
use crate::ws::reader::Reader;
use crate::ws::stream::Stream;

/// What a reader in a loop reports to its link's task.
#[derive(Default)]
pub struct Signals {
    pub paused: Notify,
    pub ended: Notify,
}

/// A reader as a loop sees it.
pub struct LoopReader<S: Stream, H> {
    host: Arc<H>,
    reader: Reader<S>,
    descriptor: Descriptor,
    signals: Arc<Signals>,
}

impl<S: Stream, H: Host> LoopReader<S, H> {
    /// `None` when the stream is none that a loop can read.
    pub fn new(host: Arc<H>, reader: Reader<S>, signals: Arc<Signals>) -> Option<Self> {
        let descriptor = reader.descriptor()?;
        Some(LoopReader {
            host,
            reader,
            descriptor,
            signals,
        })
    }
}

impl<S: Stream, H: Host> LinkReader for LoopReader<S, H> {
    fn socket(&self) -> Descriptor {
        self.descriptor
    }

    fn wanted(&self) -> bool {
        self.host.is_held_up(self.reader.link())
    }

    fn ready(&mut self) -> ReadEnd {
        if !self.host.has_room(self.reader.link()) || !self.reader.may_read() {
            self.signals.paused.notify_one();
            return ReadEnd::Paused;
        }
        let mut batch = Vec::new();
        let end = self.reader.read_now(&mut batch);
        let end = self.reader.hand_over(self.host.as_ref(), batch, end);
        if end == ReadEnd::Ended {
            self.signals.ended.notify_one();
        }
        end
    }
}

impl<S: Stream, H> Drop for LoopReader<S, H> {
    fn drop(&mut self) {
        self.signals.ended.notify_one();
    }
}
