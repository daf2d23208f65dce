//! The seam for event loops of others that read our sockets.
//!
//! A message that is read on the thread of the program itself reaches the program without a hop to another thread, which is most of what a
//! round trip takes. Such a loop only says when a socket can be read: everything else, waiting for room to write included, stays here.

use std::sync::Arc;

use distribus_mesh::LinkId;
use tokio::sync::Notify;

use crate::driver::Shared;
use crate::ws::reader::{ReadEnd, Reader};

/// An event loop that watches sockets. Its methods are called from any thread.
pub trait ReadLoop: Send + Sync {
    /// Watches a socket, and calls [`LinkReader::ready`] whenever it can be read. `None` when the loop ends or has ended; the reader is dropped
    /// then.
    fn attach(&self, reader: Box<dyn LinkReader>) -> Option<Box<dyn Attached>>;

    /// Reads this host's sockets that are [`wanted`](LinkReader::wanted), if this is the loop's thread.
    fn read_now(&self);
}

/// A socket that is watched. Dropping this ends it: soon after, the loop drops the reader.
pub trait Attached: Send + Sync {
    /// Watches on after [`ReadEnd::Paused`].
    fn resume(&self);
}

/// The reading side of a link. Its loop keeps it until it does not watch the socket any more: dropping it may close the socket.
pub trait LinkReader: Send {
    #[cfg(unix)]
    fn socket(&self) -> std::os::fd::RawFd;

    /// Whether what can be read lets more be written.
    fn wanted(&self) -> bool;

    /// Reads what is there, within limits, and gives it to the mesh. To be called again whenever the socket can be read; after
    /// [`ReadEnd::Ended`] not any more.
    fn ready(&mut self) -> ReadEnd;
}

/// What a link's task hears from its reader in a loop.
#[derive(Default)]
pub struct Signals {
    pub paused: Notify,
    pub ended: Notify,
}

/// A reader as a loop sees it.
pub struct LoopReader {
    pub shared: Arc<Shared>,
    pub link: LinkId,
    pub reader: Reader,
    pub signals: Arc<Signals>,
}

impl LinkReader for LoopReader {
    #[cfg(unix)]
    fn socket(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(self.reader.socket())
    }

    fn wanted(&self) -> bool {
        self.shared.is_held_up(self.link)
    }

    fn ready(&mut self) -> ReadEnd {
        if !self.shared.has_room() {
            self.signals.paused.notify_one();
            return ReadEnd::Paused;
        }
        let mut batch = Vec::new();
        let end = self.reader.read_burst(&mut batch);
        if !batch.is_empty() {
            self.shared.received(self.link, batch);
        }
        self.reader.say_farewell();
        if end == ReadEnd::Ended {
            self.signals.ended.notify_one();
        }
        end
    }
}

impl Drop for LoopReader {
    fn drop(&mut self) {
        self.signals.ended.notify_one();
    }
}
