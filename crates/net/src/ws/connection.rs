//! An open link: one task waits for room to write, it or a [`ReadLoop`] reads, everybody writes.

use std::future::poll_fn;
use std::io;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use distribus_mesh::{Input, LinkId};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::driver::Shared;
use crate::read_loop::{LoopReader, ReadLoop, Signals};
use crate::sockets::TcpStream;
use crate::stream::{Socket, Stream};
use crate::ws::outbox::{Drained, Outbox};
use crate::ws::reader::{ReadEnd, Reader};

/// How long the other side may take to answer our close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What the driver can do with a link, whatever it is made of.
pub trait Link: Send + Sync {
    /// Puts in a frame. Gives how many bytes wait to be written.
    fn push_text(&self, text: &str) -> usize;
    fn push_binary(&self, bytes: &[u8]) -> usize;
    /// How many bytes wait to be written.
    fn waiting(&self) -> usize;
    /// Puts in a binary frame, or a ping, unless much waits to be written.
    fn push_beat(&self, frame: Option<&[u8]>);
    /// When bytes were last read from it.
    fn heard(&self) -> Instant;
    /// Whether bytes, or its end, wait to be read.
    fn has_unread(&self) -> bool;
    /// How many bytes have come and gone.
    fn traffic(&self) -> Traffic;
    /// Writes as far as possible without waiting.
    fn flush(&self);
    /// Ends the link after what has been pushed.
    fn close(&self);
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

/// One end of a link.
pub struct Connection<S> {
    pub stream: S,
    /// Whether this side is the client.
    pub dialled: bool,
    outbox: Outbox,
    received: AtomicU64,
    opened: Instant,
    /// When something was last read, in microseconds since it was opened.
    heard: AtomicU64,
    blocked: Notify,
    closing: Notify,
    killed: Notify,
}

impl<S: Stream> Connection<S> {
    pub fn new(stream: S, dialled: bool, max_outbox: usize) -> Arc<Self> {
        Arc::new(Connection {
            stream,
            dialled,
            // Clients mask what they send, servers do not (RFC 6455, 5.3).
            outbox: Outbox::new(dialled, max_outbox),
            received: AtomicU64::new(0),
            opened: Instant::now(),
            heard: AtomicU64::new(0),
            blocked: Notify::new(),
            closing: Notify::new(),
            killed: Notify::new(),
        })
    }

    /// Counts what has been read.
    pub fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes that something has been read now.
    pub fn hears(&self) {
        let micros = self.opened.elapsed().as_micros() as u64;
        self.heard.store(micros, Ordering::Relaxed);
    }

    /// Answers a ping.
    pub fn pong(&self, payload: &[u8]) {
        self.outbox.push_pong(payload);
        self.flush();
    }

    /// Answers a close frame, unless that was the answer to ours. The other side has not long to end the connection.
    pub fn answer_close(&self, code: u16) {
        self.outbox.push_close(code);
        self.flush();
        self.closing.notify_one();
    }

    async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Writes what did not fit into the socket, whenever it fits again. Ends when the socket is broken.
    async fn write_rest(&self, written: impl Fn()) {
        loop {
            self.blocked.notified().await;
            loop {
                if poll_fn(|cx| self.stream.poll_writable(cx)).await.is_err() {
                    return;
                }
                match self.outbox.drain(&self.stream) {
                    Drained::Yes => {
                        written();
                        break;
                    }
                    Drained::Blocked => written(),
                    Drained::Broken => return,
                }
            }
        }
    }
}

impl<S: Stream> Link for Connection<S> {
    fn push_text(&self, text: &str) -> usize {
        self.outbox.push_text(text)
    }

    fn push_binary(&self, bytes: &[u8]) -> usize {
        self.outbox.push_binary(bytes)
    }

    fn waiting(&self) -> usize {
        self.outbox.waiting()
    }

    fn push_beat(&self, frame: Option<&[u8]>) {
        self.outbox.push_beat(frame);
    }

    fn heard(&self) -> Instant {
        self.opened + Duration::from_micros(self.heard.load(Ordering::Relaxed))
    }

    fn has_unread(&self) -> bool {
        self.stream.has_unread()
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            received: self.received.load(Ordering::Relaxed),
            sent: self.outbox.sent(),
        }
    }

    fn flush(&self) {
        match self.outbox.drain(&self.stream) {
            Drained::Yes => {}
            // The socket may be all right, and take nothing.
            Drained::Broken if self.outbox.is_overfull() => self.killed.notify_one(),
            // A broken socket is noticed by its reader as well.
            Drained::Blocked | Drained::Broken => self.blocked.notify_one(),
        }
    }

    fn close(&self) {
        self.outbox.push_close(crate::ws::frame::close::NORMAL);
        self.closing.notify_one();
    }

    fn kill(&self) {
        self.killed.notify_one();
    }
}

impl Connection<Socket> {
    /// A connection that has shaken hands.
    pub fn open(shared: &Shared, stream: TcpStream, dialled: bool) -> io::Result<Arc<Self>> {
        let max = shared.limits().max_outbox;
        #[cfg(unix)]
        if shared.read_loop.is_some() {
            return Ok(Connection::new(Socket::write_only(stream)?, dialled, max));
        }
        Ok(Connection::new(Socket::Whole(stream), dialled, max))
    }
}

/// Who takes what links bring.
pub trait Taker: Send + Sync {
    fn take(&self, batch: Vec<Input>);
    /// Waits until it can take more.
    fn room(&self) -> impl Future<Output = ()> + Send;
}

impl Taker for Shared {
    fn take(&self, batch: Vec<Input>) {
        self.input(batch);
    }

    fn room(&self) -> impl Future<Output = ()> + Send {
        Shared::room(self)
    }
}

/// Serves a host's open link until it ends. `leftover` came together with the handshake.
pub async fn run(
    shared: &Arc<Shared>,
    link: LinkId,
    connection: &Arc<Connection<Socket>>,
    leftover: Vec<u8>,
) {
    let reader = Reader::new(Arc::clone(connection), link, shared.limits().max_payload);
    let read = async {
        match &shared.read_loop {
            Some(read_loop) => read_there(read_loop.as_ref(), shared, link, reader, leftover).await,
            None => read(shared.as_ref(), reader, leftover).await,
        }
    };
    serve(connection, read, || shared.written(link)).await;
}

/// Serves an open link, which `read` reads, until it ends. `written` is called whenever something that had to wait has been written.
pub async fn serve(
    connection: &Connection<Socket>,
    read: impl Future<Output = ()>,
    written: impl Fn(),
) {
    let _hang_up = HangUp(&connection.stream);
    let closed_by_us = async {
        connection.closing.notified().await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        () = read => {}
        () = connection.write_rest(written) => {}
        () = closed_by_us => {}
        () = connection.killed() => {}
    }
}

/// Ends the connection when its task ends, in whatever way.
struct HangUp<'a>(&'a Socket);

impl Drop for HangUp<'_> {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

/// Lets a loop read the link.
async fn read_there(
    read_loop: &dyn ReadLoop,
    shared: &Arc<Shared>,
    link: LinkId,
    mut reader: Reader,
    leftover: Vec<u8>,
) {
    let mut batch = Vec::new();
    let end = reader.feed(&leftover, &mut batch);
    drop(leftover);
    if !batch.is_empty() {
        shared.input(batch);
    }
    reader.say_farewell();
    if end == ReadEnd::Ended {
        return;
    }
    let signals = Arc::new(Signals::default());
    let attached = read_loop.attach(Box::new(LoopReader {
        shared: Arc::clone(shared),
        link,
        reader,
        signals: Arc::clone(&signals),
    }));
    let Some(attached) = attached else {
        return;
    };
    loop {
        tokio::select! {
            () = signals.ended.notified() => return,
            () = signals.paused.notified() => {
                shared.room().await;
                attached.resume();
            }
        }
    }
}

/// Gives messages away, as many at a time as are there.
pub async fn read(taker: &impl Taker, mut reader: Reader, leftover: Vec<u8>) {
    let mut batch = Vec::new();
    let mut end = reader.feed(&leftover, &mut batch);
    drop(leftover);
    loop {
        if !batch.is_empty() {
            // Given away, so that a link that is idle now does not keep what a busy one needed.
            taker.take(std::mem::take(&mut batch));
        }
        reader.say_farewell();
        match end {
            ReadEnd::Ended => return,
            // Another link's turn.
            ReadEnd::Full => tokio::task::yield_now().await,
            ReadEnd::Blocked | ReadEnd::Paused => {}
        }
        taker.room().await;
        if reader.readable().await.is_err() {
            return;
        }
        end = reader.read_burst(&mut batch);
    }
}
