//! What a link is made of: a byte stream that can be read by one reader and written from any thread.

use std::io;
use std::task::{Context, Poll};

use crate::sockets::{self, TcpStream};

/// A byte stream with non-blocking reads and writes. TCP today; TLS or a simulated network can stand here as well.
pub trait Stream: Send + Sync + 'static {
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize>;
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Whether something, or the end, waits to be read. Takes nothing, and disturbs nobody who waits for it.
    fn has_unread(&self) -> bool;
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A TCP connection.
pub enum Socket {
    /// The runtime waits for both directions.
    Whole(TcpStream),
    /// A [`ReadLoop`](crate::read_loop::ReadLoop) waits for what comes in; the runtime, which is not to be woken by that, for room to write alone.
    #[cfg(unix)]
    WriteOnly(tokio::io::unix::AsyncFd<std::net::TcpStream>),
}

impl Socket {
    #[cfg(unix)]
    #[allow(
        deprecated,
        reason = "its successor is unsafe, for the sake of types that do not keep their descriptor; a TcpStream does"
    )]
    pub fn write_only(stream: TcpStream) -> io::Result<Socket> {
        use tokio::io::{Interest, unix::AsyncFd};
        let stream = stream.into_std()?;
        AsyncFd::with_interest(stream, Interest::WRITABLE).map(Socket::WriteOnly)
    }

    /// Ends the connection now where closing it has to wait for the loop.
    pub fn hang_up(&self) {
        #[cfg(unix)]
        if let Socket::WriteOnly(stream) = self {
            // It may have ended already.
            let _ = stream.get_ref().shutdown(std::net::Shutdown::Both);
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for Socket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        match self {
            Socket::Whole(stream) => stream.as_raw_fd(),
            Socket::WriteOnly(stream) => stream.as_raw_fd(),
        }
    }
}

impl Stream for Socket {
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Whole(stream) => stream.try_read(into),
            #[cfg(unix)]
            Socket::WriteOnly(stream) => io::Read::read(&mut stream.get_ref(), into),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Whole(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Socket::WriteOnly(stream) => stream
                .try_io(tokio::io::Interest::WRITABLE, |mut stream| {
                    io::Write::write(&mut stream, bytes)
                }),
        }
    }

    fn has_unread(&self) -> bool {
        let peeked = match self {
            Socket::Whole(stream) => sockets::peek(stream),
            #[cfg(unix)]
            Socket::WriteOnly(stream) => stream.get_ref().peek(&mut [0]).map(drop),
        };
        !peeked.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Whole(stream) => stream.poll_read_ready(cx),
            #[cfg(unix)]
            Socket::WriteOnly(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Whole(stream) => stream.poll_write_ready(cx),
            #[cfg(unix)]
            Socket::WriteOnly(stream) => stream.poll_write_ready(cx).map_ok(drop),
        }
    }
}
