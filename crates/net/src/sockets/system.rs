//! The operating system's sockets.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
pub use tokio::net::{TcpListener, TcpStream, lookup_host};

/// Binds at once, and listens. To be called within the runtime.
pub fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Unix this lets a host come back at its port at once; on Windows it would let it steal one.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

/// Whether something, or the end, waits to be read; an error of kind `WouldBlock` if not.
pub fn peek(stream: &TcpStream) -> io::Result<()> {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    SockRef::from(stream).peek(&mut byte).map(drop)
}
