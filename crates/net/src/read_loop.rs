//! The seam for event loops of others that read our sockets.
//!
//! A message that is read on the thread of the program itself reaches the program without a hop to another thread, which is most of what a
//! round trip takes. Such a loop only says when a socket can be read: everything else, waiting for room to write included, stays here.

/// A socket, as an event loop knows it.
#[cfg(unix)]
pub type Descriptor = std::os::fd::RawFd;
/// No event loop reads sockets here.
#[cfg(not(unix))]
pub type Descriptor = std::convert::Infallible;

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
    fn socket(&self) -> Descriptor;

    /// Whether what can be read lets more be written.
    fn wanted(&self) -> bool;

    /// Reads what is there, within limits, and hands it to the mesh. To be called again whenever the socket can be read; after
    /// [`ReadEnd::Ended`] not any more.
    fn ready(&mut self) -> ReadEnd;
}

/// How a burst ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// Nothing more is there now.
    Blocked,
    /// Enough for once.
    Full,
    /// The program has to catch up first.
    Paused,
    /// The link has ended.
    Ended,
}
