//! An open link over WebSocket: everybody puts frames in and writes them, one task writes what has to wait.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use distribus_mesh::{CloseReason, Nearness, Time};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::holdings::pool::Share;
use crate::holdings::turns::Unfinished;
use crate::holdings::{Held, STRANGER_BYTES};
use crate::link::{Link, Traffic};
use crate::ws::frame::close;
use crate::ws::outbox::{Outbox, Written};
use crate::ws::stream::{Stream, at_once};

/// One end of a link.
pub struct Connection<S> {
    pub stream: S,
    /// Whether this side is the client.
    pub dialled: bool,
    outbox: Outbox,
    max_outbox: usize,
    /// The other side has opened the connection and has not said hello.
    stranger: Mutex<Option<Share>>,
    is_stranger: AtomicBool,
    /// What others have caused and the other side does not read, if that is much.
    unread: Share,
    leaves_unread: AtomicBool,
    pub unfinished: Unfinished,
    ousted: Arc<Notify>,
    received: AtomicU64,
    clock: Clock,
    /// When something was last read, in microseconds of the clock.
    heard: AtomicU64,
    /// Something is left for the link's task to write.
    unwritten: Notify,
    closing: Notify,
    killed: Notify,
}

impl<S: Stream> Connection<S> {
    /// A stranger may not do much until it is [greeted](Link::greeted).
    pub fn new(stream: S, dialled: bool, clock: Clock, max_outbox: usize, held: Held) -> Arc<Self> {
        let Held {
            stranger,
            unread,
            unfinished,
            ousted,
        } = held;
        let max = if stranger.is_some() {
            STRANGER_BYTES.min(max_outbox)
        } else {
            max_outbox
        };
        let connection = Connection {
            stream,
            dialled,
            // Clients mask what they send, servers do not (RFC 6455, 5.3).
            outbox: Outbox::new(dialled, max, stranger.is_some()),
            max_outbox,
            is_stranger: AtomicBool::new(stranger.is_some()),
            unread,
            leaves_unread: AtomicBool::new(false),
            unfinished,
            ousted,
            stranger: Mutex::new(stranger),
            received: AtomicU64::new(0),
            clock,
            heard: AtomicU64::new(0),
            unwritten: Notify::new(),
            closing: Notify::new(),
            killed: Notify::new(),
        };
        connection.hears();
        Arc::new(connection)
    }

    /// Counts what has been read.
    pub fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes that something has been read now.
    pub fn hears(&self) {
        let micros = self.clock.now().as_micros() as u64;
        self.heard.store(micros, Ordering::Relaxed);
    }

    pub fn is_stranger(&self) -> bool {
        self.is_stranger.load(Ordering::Relaxed)
    }

    /// Whether a stranger was told that it leaves too much unread.
    pub fn is_cut(&self) -> bool {
        self.outbox.is_cut()
    }

    /// So much has come of a message that is not complete.
    pub fn holds(&self, bytes: usize) {
        if self.is_stranger()
            && let Some(stranger) = &*self.stranger.lock()
        {
            return stranger.unfinished(bytes);
        }
        self.unfinished.set(bytes);
    }

    /// Notes what the other side has not read, as much as it accepts now having been written.
    fn note_unread(&self, all_is_written: bool) {
        if self.is_stranger() {
            if let Some(stranger) = &*self.stranger.lock() {
                stranger.unwritten(self.outbox.waiting());
                if self.outbox.is_cut() {
                    self.closing.notify_one();
                }
            }
        } else if !all_is_written || self.leaves_unread.load(Ordering::Relaxed) {
            let owed = self.outbox.owed();
            let much = owed > STRANGER_BYTES;
            if self.leaves_unread.swap(much, Ordering::Relaxed) || much {
                self.unread.unwritten(if much { owed } else { 0 });
            }
        }
    }

    /// Waits until the connection has to make room.
    pub async fn ousted(&self) {
        self.ousted.notified().await;
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

    /// Waits until this side closes the link.
    pub async fn closing(&self) {
        self.closing.notified().await;
    }

    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Writes what the stream did not accept at once, whenever it accepts more, and calls `written` then. Ends when the stream is
    /// broken.
    pub async fn write_rest(&self, written: impl Fn()) {
        loop {
            self.unwritten.notified().await;
            if poll_fn(|cx| self.poll_write(cx, &written)).await == Written::Broken {
                return;
            }
        }
    }

    /// Nothing is read any more. Writes what is left if a close frame is part of it: the stream may not have accepted that at once,
    /// above all a new one, of which the runtime does not know yet whether it has room.
    pub async fn write_farewell(&self) {
        while self.outbox.is_closing() {
            if poll_fn(|cx| self.poll_write(cx, &|| {})).await == Written::Broken {
                return;
            }
            // If some is left, another thread is writing.
            tokio::task::yield_now().await;
        }
    }

    /// Writes until everything has left, or the stream is broken.
    fn poll_write(&self, cx: &mut Context<'_>, written: &impl Fn()) -> Poll<Written> {
        let mut some = false;
        let end = self.outbox.write(|bytes| {
            let result = at_once(self.stream.poll_write(cx, bytes));
            some |= result.is_ok();
            result
        });
        match end {
            Written::All => written(),
            Written::Blocked => {
                if some {
                    written();
                }
                self.note_unread(false);
                return Poll::Pending;
            }
            Written::Broken => return Poll::Ready(Written::Broken),
        }
        self.note_unread(true);
        match ready!(self.stream.poll_flush(cx)) {
            Ok(()) => Poll::Ready(Written::All),
            Err(_) => Poll::Ready(Written::Broken),
        }
    }

    /// The link has ended. Nobody writes any more: what others have put in until now is written if that is possible without
    /// waiting.
    pub fn hang_up(&self) {
        if !S::DIRECT {
            let _ = self.poll_write(&mut Context::from_waker(Waker::noop()), &|| {});
        }
        self.stream.hang_up();
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

    fn nearness(&self) -> Nearness {
        self.stream.nearness()
    }

    fn heard(&self) -> Time {
        Duration::from_micros(self.heard.load(Ordering::Relaxed))
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
        let written = self.outbox.write(|bytes| self.stream.try_write(bytes));
        self.note_unread(written == Written::All);
        match written {
            Written::All => {}
            // The stream may be all right, and accept nothing.
            Written::Broken if self.outbox.is_overfull() => self.killed.notify_one(),
            // A broken stream is noticed by its reader as well.
            Written::Blocked | Written::Broken => self.unwritten.notify_one(),
        }
    }

    fn owes(&self, bytes: usize) {
        self.outbox.owe(bytes);
    }

    fn greeted(&self) {
        self.outbox.greeted(self.max_outbox);
        self.is_stranger.store(false, Ordering::Relaxed);
        self.stranger.lock().take();
    }

    fn close(&self, reason: CloseReason) {
        self.outbox.push_close(close::code(reason));
        self.closing.notify_one();
    }

    fn kill(&self) {
        self.killed.notify_one();
    }
}
