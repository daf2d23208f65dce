//! Sockets of turmoil that look like those of tokio. They belong to the simulation of the thread that uses them.
//!
//! A real connection over a broken network ends sooner or later, by a reset or a timeout. Turmoil's do not: what a partition swallows is
//! lost, and the connection hangs. So a test says with [`cut`] when the two sides notice.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

thread_local! {
    static OPEN: RefCell<Vec<Weak<Line>>> = const { RefCell::new(Vec::new()) };
}

/// What can be done to one end of a connection from outside.
#[derive(Debug)]
struct Line {
    ends: [IpAddr; 2],
    cut: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Line {
    /// An error if it has been cut. If not, whoever reads is woken when it is.
    fn check(&self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.cut.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        *self.reader.lock() = Some(cx.waker().clone());
        Ok(())
    }
}

/// Ends all connections between two hosts. Returns how many ends there were.
pub fn cut(a: IpAddr, b: IpAddr) -> usize {
    let mut count = 0;
    let ends = OPEN.with_borrow_mut(|open| {
        open.retain(|line| line.strong_count() > 0);
        open.iter().filter_map(Weak::upgrade).collect::<Vec<_>>()
    });
    for line in ends {
        if (line.ends == [a, b] || line.ends == [b, a]) && !line.cut.swap(true, Ordering::Relaxed) {
            count += 1;
            if let Some(waker) = line.reader.lock().take() {
                waker.wake();
            }
        }
    }
    count
}

/// A connection.
#[derive(Debug)]
pub struct TcpStream {
    stream: Mutex<turmoil::net::TcpStream>,
    line: Arc<Line>,
}

impl TcpStream {
    fn new(stream: turmoil::net::TcpStream) -> io::Result<TcpStream> {
        let ends = [stream.local_addr()?.ip(), stream.peer_addr()?.ip()];
        let line = Arc::new(Line {
            ends,
            cut: AtomicBool::new(false),
            reader: Mutex::new(None),
        });
        OPEN.with_borrow_mut(|open| open.push(Arc::downgrade(&line)));
        Ok(TcpStream {
            stream: Mutex::new(stream),
            line,
        })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.lock().local_addr()
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.lock().peer_addr()
    }

    pub async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::new(turmoil::net::TcpStream::connect(address).await?)
    }

    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.lock().set_nodelay(nodelay)
    }

    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let cx = &mut Context::from_waker(Waker::noop());
        if self.line.cut.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let mut buffer = ReadBuf::new(into);
        match Pin::new(&mut *self.stream.lock()).poll_read(cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        // When the simulation is over, farewells are said to nobody.
        if self.line.cut.load(Ordering::Relaxed) || !turmoil::in_simulation() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        self.stream.lock().try_write(bytes)
    }

    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.check(cx)?;
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        self.stream.lock().poll_peek(cx, &mut buffer).map_ok(drop)
    }

    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.stream.lock().writable()).poll(cx)
    }

    /// There is no such thing: an event loop of somebody else cannot read it.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        -1
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.check(cx)?;
        Pin::new(self.stream.get_mut()).poll_read(cx, into)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(cx)
    }
}

type Accepting = Pin<Box<dyn Future<Output = io::Result<turmoil::net::TcpStream>> + Send>>;

/// A listening socket.
pub struct TcpListener {
    listener: Arc<turmoil::net::TcpListener>,
    /// Kept from one poll to the next: it is what is woken.
    next: Mutex<Option<Accepting>>,
}

impl TcpListener {
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let mut next = self.next.lock();
        let accepting = next.get_or_insert_with(|| {
            let listener = Arc::clone(&self.listener);
            Box::pin(async move { listener.accept().await.map(|(stream, _)| stream) })
        });
        let accepted = ready!(accepting.as_mut().poll(cx));
        *next = None;
        let stream = accepted?;
        let from = stream.peer_addr()?;
        Poll::Ready(TcpStream::new(stream).map(|stream| (stream, from)))
    }
}

pub fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    let cx = &mut Context::from_waker(Waker::noop());
    match pin!(turmoil::net::TcpListener::bind(at)).poll(cx) {
        Poll::Ready(listener) => Ok(TcpListener {
            listener: Arc::new(listener?),
            next: Mutex::new(None),
        }),
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// There are no names, only addresses.
pub async fn lookup_host((host, port): (&str, u16)) -> io::Result<std::iter::Once<SocketAddr>> {
    let address: IpAddr = host
        .parse()
        .map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(std::iter::once(SocketAddr::new(address, port)))
}

/// Whether something, or the end, waits to be read; an error of kind `WouldBlock` if not.
pub fn peek(stream: &TcpStream) -> io::Result<()> {
    // Whoever polls last is woken: it shall be the one who waits anyway.
    let waker = stream.line.reader.lock().clone();
    let waker = waker.as_ref().unwrap_or(Waker::noop());
    match stream.poll_read_ready(&mut Context::from_waker(waker)) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
