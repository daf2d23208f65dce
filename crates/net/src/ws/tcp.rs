//! Plain TCP, for `ws:`. The one stream that any thread writes directly, and that an event loop can read.

use std::io;
use std::task::{Context, Poll, ready};

use distribus_mesh::{DialError, Nearness, Reach};

use crate::host::Host;
use crate::nearness;
use crate::opening::{Acceptor, Dialer};
use crate::read_loop::Descriptor;
use crate::sockets::{self, TcpStream};
use crate::ws::dialer::Attempt;
use crate::ws::opened::Opened;
use crate::ws::stream::Stream;
use crate::ws::upgrade;

/// Dials and accepts over plain TCP.
pub struct Tcp;

impl Dialer for Tcp {
    type Opened = Opened<Socket>;

    async fn dial<H: Host>(
        &self,
        host: &H,
        url: &str,
        reach: Reach,
    ) -> Result<Opened<Socket>, DialError> {
        let attempt = Attempt::of(host, url)?;
        let mut stream = attempt.connect(reach).await?;
        let leftover = attempt.shake(&mut stream).await?;
        let socket = Socket::of(host, stream).map_err(|error| attempt.lost(error))?;
        Ok(Opened::dialled(host, socket, leftover))
    }
}

impl Acceptor for Tcp {
    type Opened = Opened<Socket>;

    async fn accept<H: Host>(&self, host: &H, mut stream: TcpStream) -> Option<Opened<Socket>> {
        let stranger = host.holdings().stranger();
        let within = host.limits().handshake_timeout;
        let leftover = upgrade::upgrade(&mut stream, within, Some(&stranger)).await?;
        let socket = Socket::of(host, stream).ok()?;
        Some(Opened::accepted(host, socket, stranger, leftover))
    }
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
    /// The socket of a connection of that host.
    fn of(host: &impl Host, stream: TcpStream) -> io::Result<Socket> {
        #[cfg(unix)]
        if host.read_loop().is_some() {
            return Socket::write_only(stream);
        }
        #[cfg(not(unix))]
        let _ = host;
        Ok(Socket::Whole(stream))
    }

    #[cfg(unix)]
    #[allow(
        deprecated,
        reason = "its successor is unsafe, for the sake of types that do not keep their descriptor; a TcpStream does"
    )]
    fn write_only(stream: TcpStream) -> io::Result<Socket> {
        use tokio::io::{Interest, unix::AsyncFd};
        let stream = stream.into_std()?;
        AsyncFd::with_interest(stream, Interest::WRITABLE).map(Socket::WriteOnly)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Whole(stream) => stream.poll_write_ready(cx),
            #[cfg(unix)]
            Socket::WriteOnly(stream) => stream.poll_write_ready(cx).map_ok(drop),
        }
    }
}

impl Stream for Socket {
    const DIRECT: bool = true;

    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let stream = match self {
            Socket::Whole(stream) => stream,
            #[cfg(unix)]
            Socket::WriteOnly(_) => return Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        };
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read(into) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_writable(cx))?;
            match self.try_write(bytes) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
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

    fn nearness(&self) -> Nearness {
        let ends = match self {
            Socket::Whole(stream) => (stream.peer_addr(), stream.local_addr()),
            #[cfg(unix)]
            Socket::WriteOnly(stream) => {
                let stream = stream.get_ref();
                (stream.peer_addr(), stream.local_addr())
            }
        };
        match ends {
            (Ok(peer), Ok(local)) => nearness::of_peer(peer.ip(), local.ip()),
            _ => Nearness::Elsewhere,
        }
    }

    /// Closing a socket that a loop reads has to wait for that loop.
    fn hang_up(&self) {
        #[cfg(unix)]
        if let Socket::WriteOnly(stream) = self {
            // It may have ended already.
            let _ = stream.get_ref().shutdown(std::net::Shutdown::Both);
        }
    }

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

    fn descriptor(&self) -> Option<Descriptor> {
        match self {
            Socket::Whole(_) => None,
            #[cfg(unix)]
            Socket::WriteOnly(stream) => Some(std::os::fd::AsRawFd::as_raw_fd(stream)),
        }
    }
}
