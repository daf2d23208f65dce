//! Any stream of bytes that tokio knows, as a connection's. The link's task alone reads and writes it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use distribus_mesh::DialError;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::host::Host;
use crate::ws::dialer::Attempt;
use crate::ws::opened::Opened;
use crate::ws::stream::Stream;
use crate::ws::upgrade;

/// Asks whoever is at the other end of a byte stream to speak WebSocket, as if the stream led to that url. For [`Dialer`](crate::Dialer)s.
pub async fn dial_over<H: Host, T>(
    host: &H,
    url: &str,
    mut stream: T,
) -> Result<Opened<Pipe<T>>, DialError>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let leftover = Attempt::of(host, url)?.shake(&mut stream).await?;
    Ok(Opened::dialled(host, Pipe::new(stream), leftover))
}

/// Answers whoever asks, at the other end of a byte stream, to speak WebSocket. `None` when nobody does within the host's
/// `handshake_timeout`.
pub async fn accept_over<H: Host, T>(host: &H, mut stream: T) -> Option<Opened<Pipe<T>>>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stranger = host.holdings().stranger();
    let within = host.limits().handshake_timeout;
    let leftover = upgrade::upgrade(&mut stream, within, Some(&stranger)).await?;
    Some(Opened::accepted(
        host,
        Pipe::new(stream),
        stranger,
        leftover,
    ))
}

/// A byte stream.
pub struct Pipe<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    stream: T,
    /// What was read to find out whether there is something to read.
    ahead: Option<io::Result<Option<u8>>>,
    /// Who waits for something to read.
    reader: Option<Waker>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Pipe<T> {
    pub fn new(stream: T) -> Self {
        Pipe {
            state: Mutex::new(State {
                stream,
                ahead: None,
                reader: None,
            }),
        }
    }
}

impl<T: AsyncRead + Unpin> State<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for Pipe<T> {
    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state.lock();
        match (state.ahead.take(), into.first_mut()) {
            (None, _) | (_, None) => {}
            (Some(Ok(None)), _) => return Poll::Ready(Ok(0)),
            (Some(Err(error)), _) => return Poll::Ready(Err(error)),
            (Some(Ok(Some(byte))), Some(first)) => {
                *first = byte;
                return Poll::Ready(Ok(1));
            }
        }
        let polled = state.poll_read(cx, into);
        if polled.is_pending() {
            match &mut state.reader {
                Some(reader) => reader.clone_from(cx.waker()),
                reader => *reader = Some(cx.waker().clone()),
            }
        }
        polled
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.state.lock().stream).poll_write(cx, bytes)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.state.lock().stream).poll_flush(cx)
    }

    /// Reads one byte ahead. Whoever polled last is woken, so this polls in the reader's name.
    fn has_unread(&self) -> bool {
        let mut state = self.state.lock();
        if state.ahead.is_some() {
            return true;
        }
        let waker = state.reader.clone();
        let waker = waker.as_ref().unwrap_or(Waker::noop());
        let mut byte = [0];
        match state.poll_read(&mut Context::from_waker(waker), &mut byte) {
            Poll::Pending => false,
            Poll::Ready(read) => {
                state.ahead = Some(read.map(|n| (n > 0).then_some(byte[0])));
                waker.wake_by_ref();
                true
            }
        }
    }

    /// Says goodbye in the stream's own way, as far as that is possible without waiting.
    fn hang_up(&self) {
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.state.lock().stream).poll_shutdown(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::AsyncWriteExt;

    async fn read(pipe: &Pipe<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>) -> Vec<u8> {
        let mut into = [0; 100];
        let n = poll_fn(|cx| pipe.poll_read(cx, &mut into)).await;
        into[..n.expect("no error")].to_vec()
    }

    #[tokio::test]
    async fn to_ask_whether_something_can_be_read_loses_nothing_and_wakes_whoever_waits_for_it() {
        let (near, mut far) = tokio::io::duplex(100);
        let pipe = Pipe::new(near);
        assert!(!pipe.has_unread());
        {
            let mut reading = std::pin::pin!(read(&pipe));
            let mut waiting = poll_once(reading.as_mut()).await;
            assert!(waiting.is_none() && !pipe.has_unread());
            far.write_all(b"bytes").await.expect("written");
            assert!(pipe.has_unread() && pipe.has_unread());
            waiting = Some(reading.await);
            assert_eq!(waiting.as_deref(), Some(&b"b"[..]));
        }
        assert_eq!(read(&pipe).await, b"ytes");
        drop(far);
        assert!(pipe.has_unread());
        assert_eq!(read(&pipe).await, b"");
    }

    /// Polls once.
    async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }
}
