//! What a connection is made of: a stream of bytes that one task reads and writes, and other threads too if it is [`DIRECT`](Stream::DIRECT).
//!
//! TLS would be a file beside `tcp.rs`, a dialer for `wss:` and an acceptor. They shake hands, and a [`Pipe`](super::pipe::Pipe) is the stream.

use std::io;
use std::task::{Context, Poll};

use distribus_mesh::Nearness;

use crate::read_loop::Descriptor;

/// A stream of bytes. Only one task polls it, in both directions.
pub trait Stream: Send + Sync + 'static {
    /// Reads. No bytes mean the end.
    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sees to it that everything that was written leaves.
    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Whether something, or the end, waits to be read. Called from any thread. Nothing gets lost by it, and whoever waits for something to
    /// read is woken all the same.
    fn has_unread(&self) -> bool;

    /// How near the other end is. Where that is not known it is elsewhere, and may not have this host dial its own machine.
    fn nearness(&self) -> Nearness {
        Nearness::Elsewhere
    }

    /// The link has ended: tells the other side now, where dropping the stream does it too late or not at all.
    fn hang_up(&self) {}

    /// Whether any thread may read and write at any time, without waiting. It saves each frame the way to the link's task. Where this is
    /// false, the task alone reads and writes.
    const DIRECT: bool = false;

    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// The socket that a [`ReadLoop`](crate::read_loop::ReadLoop) is to watch, so that it and not the link's task reads the stream.
    fn descriptor(&self) -> Option<Descriptor> {
        None
    }
}

/// What a poll gave, in the words of calls that do not wait.
pub fn at_once<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
