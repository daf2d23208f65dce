//! An open link: one task reads it and waits for room to write; everybody writes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Input, LinkId};
use futures::{FutureExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::driver::Shared;
use crate::outbox::{Drained, Outbox};
use crate::stream::Stream;

/// How long the other side may take to answer our close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How much is read before the mesh is told.
const BATCH_FRAMES: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;

/// The largest message that is accepted.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Limits for the protocol library. The small read buffer keeps idle connections cheap.
pub fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

/// What the driver can do with a link, whatever it is made of.
pub trait Link: Send + Sync {
    fn push_text(&self, text: &str);
    fn push_binary(&self, bytes: &[u8]);
    /// Writes as far as possible without waiting.
    fn flush(&self);
    /// Ends the link after what has been pushed.
    fn close(&self);
    /// Ends the link at once.
    fn kill(&self);
}

/// One end of a link.
pub struct Connection<S> {
    pub stream: S,
    outbox: Outbox,
    blocked: Notify,
    closing: Notify,
    killed: Notify,
}

impl<S: Stream> Connection<S> {
    /// `client`: whether this side dialled.
    pub fn new(stream: S, client: bool) -> Arc<Self> {
        Arc::new(Connection {
            stream,
            outbox: Outbox::new(client),
            blocked: Notify::new(),
            closing: Notify::new(),
            killed: Notify::new(),
        })
    }

    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Writes what did not fit into the socket, whenever it fits again. Ends when the socket is broken.
    pub async fn write_rest(&self) {
        loop {
            self.blocked.notified().await;
            loop {
                if poll_fn(|cx| self.stream.poll_writable(cx)).await.is_err() {
                    return;
                }
                match self.outbox.drain(&self.stream) {
                    Drained::Yes => break,
                    Drained::Blocked => {}
                    Drained::Broken => return,
                }
            }
        }
    }
}

impl<S: Stream> Link for Connection<S> {
    fn push_text(&self, text: &str) {
        self.outbox.push_text(text);
    }

    fn push_binary(&self, bytes: &[u8]) {
        self.outbox.push_binary(bytes);
    }

    fn flush(&self) {
        // A broken socket is noticed by its reader as well.
        if self.outbox.drain(&self.stream) != Drained::Yes {
            self.blocked.notify_one();
        }
    }

    fn close(&self) {
        self.outbox.push_close();
        self.closing.notify_one();
    }

    fn kill(&self) {
        self.killed.notify_one();
    }
}

/// The face that the protocol library sees: it reads from the socket and writes into the outbox, whole frames at a time.
pub struct Pipe<S>(pub Arc<Connection<S>>);

impl<S: Stream> AsyncRead for Pipe<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.stream.poll_readable(cx))?;
            match self.0.stream.try_read(buf.initialize_unfilled()) {
                Ok(n) => {
                    buf.advance(n);
                    return Poll::Ready(Ok(()));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }
}

impl<S: Stream> AsyncWrite for Pipe<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.outbox.push_raw(bytes);
        self.0.flush();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Serves an open link until it ends.
pub async fn run<S: Stream>(
    shared: &Shared,
    link: LinkId,
    connection: &Connection<S>,
    ws: WebSocketStream<Pipe<S>>,
) {
    let closed_by_us = async {
        connection.closing.notified().await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        () = read(shared, link, ws) => {}
        () = connection.write_rest() => {}
        () = closed_by_us => {}
        () = connection.killed() => {}
    }
}

/// Gives frames to the mesh, as many at a time as are there.
async fn read<S: Stream>(shared: &Shared, link: LinkId, mut ws: WebSocketStream<Pipe<S>>) {
    let mut batch = Vec::new();
    loop {
        shared.room().await;
        let mut next = ws.next().await;
        let mut bytes = 0;
        let ended = loop {
            match next {
                Some(Ok(Message::Text(text))) => {
                    bytes += text.len();
                    // The protocol library has checked that it is UTF-8; this checks again, at a few GB/s.
                    if let Ok(text) = ByteString::try_from(bytes::Bytes::from(text)) {
                        batch.push(Input::Received { link, text });
                    }
                }
                Some(Ok(Message::Binary(frame))) => {
                    bytes += frame.len();
                    batch.push(Input::ReceivedBinary { link, bytes: frame });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!(link = link.0, %error, "link ends");
                    break true;
                }
                None => break true,
            }
            if batch.len() >= BATCH_FRAMES || bytes >= BATCH_BYTES {
                break false;
            }
            match ws.next().now_or_never() {
                Some(more) => next = more,
                None => break false,
            }
        };
        if !batch.is_empty() {
            shared.input(batch.drain(..));
        }
        if ended {
            return;
        }
    }
}
