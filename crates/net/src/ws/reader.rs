//! Reads a link, as much as is there at a time.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use distribus_mesh::{Input, LinkId};

use crate::holdings::STRANGER_BYTES;
use crate::host::Intake;
use crate::read_loop::{Descriptor, ReadEnd};
use crate::ws::connection::Connection;
use crate::ws::decoder::{Decoder, Message};
use crate::ws::frame::close;
use crate::ws::stream::{Stream, at_once};

/// How much is read before it is handed over.
const BURST_FRAMES: usize = 256;
const BURST_BYTES: usize = 256 * 1024;

/// How much one read can bring.
const READ_BYTES: usize = 128 * 1024;

thread_local! {
    /// What links are read into. One for each thread that reads: what a read brings is decoded before the next read.
    static SPACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The reading side of a link. It keeps no buffer, only a message that is not complete.
pub struct Reader<S: Stream> {
    connection: Arc<Connection<S>>,
    link: LinkId,
    decoder: Decoder,
    max_payload: usize,
    /// What is to be decoded when what came before it has been handed over: whether it is too large depends on that.
    ahead: Option<Vec<u8>>,
    /// The other side has said goodbye: what it still sends is thrown away.
    closed: bool,
    /// A close frame that is to be sent.
    farewell: Option<u16>,
}

impl<S: Stream> Reader<S> {
    pub fn new(connection: Arc<Connection<S>>, link: LinkId, max_payload: usize) -> Self {
        let decoder = Decoder::new(!connection.dialled, max_payload);
        Reader {
            connection,
            link,
            decoder,
            max_payload,
            ahead: None,
            closed: false,
            farewell: None,
        }
    }

    pub fn link(&self) -> LinkId {
        self.link
    }

    /// The socket, if a loop is to read it.
    pub fn descriptor(&self) -> Option<Descriptor> {
        self.connection.stream.descriptor()
    }

    /// Whether the link may be read, or has to wait until others have read large messages.
    pub fn may_read(&self) -> bool {
        self.connection.unfinished.may_read()
    }

    /// Waits until the link may be read. `reads`: whether links are read at all now.
    pub async fn turn(&self, reads: impl Fn() -> bool) {
        self.connection.unfinished.wait(reads).await;
    }

    /// Waits until there is something to read, and reads what is there, within limits.
    pub async fn read(&mut self, batch: &mut Vec<Input>) -> ReadEnd {
        poll_fn(|cx| {
            let mut some = false;
            let end = self.burst(batch, |stream, space| {
                let result = at_once(stream.poll_read(cx, space));
                some |= result.is_ok();
                result
            });
            if end == ReadEnd::Blocked && !some {
                Poll::Pending
            } else {
                Poll::Ready(end)
            }
        })
        .await
    }

    /// Reads what is there without waiting, within limits, if the stream is direct.
    pub fn read_now(&mut self, batch: &mut Vec<Input>) -> ReadEnd {
        self.burst(batch, |stream, space| stream.try_read(space))
    }

    /// Reads with `read`, which does not wait, within limits.
    fn burst(
        &mut self,
        batch: &mut Vec<Input>,
        mut read: impl FnMut(&S, &mut [u8]) -> io::Result<usize>,
    ) -> ReadEnd {
        SPACE.with_borrow_mut(|space| {
            space.resize(READ_BYTES, 0);
            let mut total = 0;
            loop {
                let n = match read(&self.connection.stream, space) {
                    Ok(0) => return ReadEnd::Ended,
                    Ok(n) => n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => return ReadEnd::Blocked,
                    Err(error) => {
                        tracing::debug!(link = self.link.0, %error, "link breaks");
                        return ReadEnd::Ended;
                    }
                };
                if total == 0 {
                    self.connection.hears();
                }
                self.connection.received(n);
                if self.feed(&space[..n], batch) == ReadEnd::Ended {
                    return ReadEnd::Ended;
                }
                if self.ahead.is_some() {
                    return ReadEnd::Full;
                }
                total += n;
                if batch.len() >= BURST_FRAMES || total >= BURST_BYTES {
                    return ReadEnd::Full;
                }
                if n < READ_BYTES {
                    return ReadEnd::Blocked;
                }
            }
        })
    }

    /// Decodes bytes that have been read already.
    pub fn feed(&mut self, mut bytes: &[u8], batch: &mut Vec<Input>) -> ReadEnd {
        let Reader {
            connection,
            link,
            decoder,
            max_payload,
            ahead,
            closed,
            farewell,
        } = self;
        if *closed {
            return ReadEnd::Blocked;
        }
        let link = *link;
        let stranger = connection.is_stranger();
        if stranger && connection.is_cut() {
            // Nothing that it asks is answered any more.
            *closed = true;
            return ReadEnd::Blocked;
        }
        decoder.set_max(match stranger {
            true => STRANGER_BYTES.min(*max_payload),
            false => *max_payload,
        });
        let fed = decoder.feed(&mut bytes, &mut |message| match message {
            _ if farewell.is_some() => {}
            Message::Text(text) => batch.push(Input::Received { link, text }),
            Message::Binary(bytes) => batch.push(Input::ReceivedBinary { link, bytes }),
            Message::Ping(payload) => connection.pong(&payload),
            Message::Close(code) => {
                *farewell = Some(code);
                if close::is_fault(code) {
                    batch.push(Input::Broken { link });
                }
            }
        });
        connection.holds(decoder.held());
        match (fed, *farewell) {
            (Ok(()), None) => ReadEnd::Blocked,
            (Err(violation), None)
                if stranger && violation.code == close::TOO_BIG && !batch.is_empty() =>
            {
                // Perhaps it has said hello in what is to be handed over.
                *ahead = Some(bytes.to_vec());
                ReadEnd::Full
            }
            (Ok(()) | Err(_), Some(_)) => {
                *closed = true;
                // The server ends the connection; the client waits for that, not for long.
                if connection.dialled {
                    ReadEnd::Blocked
                } else {
                    ReadEnd::Ended
                }
            }
            (Err(violation), None) => {
                tracing::debug!(link = link.0, %violation, "link ends");
                *closed = true;
                *farewell = Some(violation.code);
                batch.push(Input::Broken { link });
                ReadEnd::Ended
            }
        }
    }

    /// Hands over what was read, and sends the close frame that is due then, if one is: nothing can be sent after it. Returns how the burst
    /// ended.
    pub fn hand_over(
        &mut self,
        intake: &impl Intake,
        mut batch: Vec<Input>,
        mut end: ReadEnd,
    ) -> ReadEnd {
        loop {
            if !batch.is_empty() {
                intake.received(self.link, std::mem::take(&mut batch));
            }
            let Some(ahead) = self.ahead.take() else {
                break;
            };
            end = self.feed(&ahead, &mut batch);
        }
        self.say_farewell();
        end
    }

    fn say_farewell(&mut self) {
        if let Some(code) = self.farewell.take() {
            self.connection.answer_close(code);
        }
    }
}
