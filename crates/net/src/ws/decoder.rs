//! Makes messages of the bytes that a link brings.
//!
//! The protocol library could do it, but it reserves what a header claims, keeps a buffer for each link, fills that with zeros before every read, and
//! checks text twice. This decoder keeps nothing for a link that is idle, and never more than about twice what has really arrived.

use bytes::Bytes;
use bytestring::ByteString;

use crate::ws::frame::{self, Header, close, opcode};

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    Text(ByteString),
    Binary(Bytes),
    Ping(Bytes),
    /// With the code to answer.
    Close(u16),
}

/// The other side broke the protocol: the link ends with this code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("protocol violation ({code}): {reason}")]
pub struct Violation {
    pub code: u16,
    pub reason: &'static str,
}

fn violation<T>(reason: &'static str) -> Result<T, Violation> {
    let code = close::PROTOCOL;
    Err(Violation { code, reason })
}

#[derive(Debug)]
pub struct Decoder {
    /// Whether the other side must mask what it sends, as clients do; otherwise it must not.
    masked: bool,
    /// The largest message that is accepted.
    max: usize,
    /// The header of a frame that makes a message too large.
    refused: Option<Header>,
    /// The beginning of a header.
    head: Vec<u8>,
    /// A frame whose payload is not complete.
    frame: Option<Header>,
    payload: Vec<u8>,
    /// A message whose last fragment has not come.
    fragments: Option<(u8, Vec<u8>)>,
}

impl Decoder {
    pub fn new(masked: bool, max: usize) -> Self {
        Decoder {
            masked,
            max,
            refused: None,
            head: Vec::new(),
            frame: None,
            payload: Vec::new(),
            fragments: None,
        }
    }

    /// The largest message that is accepted from now on.
    pub fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    /// How much is kept of a message that is not complete.
    pub fn held(&self) -> usize {
        let fragments = self.fragments.as_ref().map_or(0, |(_, whole)| whole.len());
        self.payload.len() + fragments
    }

    /// Consumes all of the bytes and calls `tell` with each message that they complete. After an error the decoder is of no use any more, with
    /// one exception: when a message is too large, and larger ones are accepted from now on, what is left of the bytes can be fed again.
    pub fn feed(
        &mut self,
        bytes: &mut &[u8],
        tell: &mut impl FnMut(Message),
    ) -> Result<(), Violation> {
        loop {
            let header = match self.frame {
                Some(header) => header,
                None => {
                    let refused = self.refused.take();
                    let Some(header) = refused.or_else(|| self.header(bytes)) else {
                        return Ok(());
                    };
                    self.check(header)?;
                    header
                }
            };
            // It fits, check() has seen to that.
            let missing = header.length as usize - self.payload.len();
            let Some((payload, rest)) = bytes.split_at_checked(missing) else {
                self.take(bytes, header.mask);
                *bytes = &[];
                self.frame = Some(header);
                return Ok(());
            };
            *bytes = rest;
            self.take(payload, header.mask);
            self.frame = None;
            let payload = std::mem::take(&mut self.payload);
            if let Some(message) = self.complete(header, payload)? {
                tell(message);
            }
        }
    }

    /// Reads a header off the bytes. Consumes all of them when it is not complete.
    fn header(&mut self, bytes: &mut &[u8]) -> Option<Header> {
        if self.head.is_empty()
            && let Some((header, length)) = Header::parse(bytes)
        {
            *bytes = &bytes[length..];
            return Some(header);
        }
        let before = self.head.len();
        let more = bytes.len().min(frame::MAX_HEADER - before);
        self.head.extend_from_slice(&bytes[..more]);
        match Header::parse(&self.head) {
            Some((header, length)) => {
                *bytes = &bytes[length - before..];
                self.head = Vec::new();
                Some(header)
            }
            None => {
                *bytes = &[];
                None
            }
        }
    }

    fn check(&mut self, header: Header) -> Result<(), Violation> {
        if header.reserved != 0 {
            return violation("a reserved bit is set");
        }
        if header.mask.is_some() != self.masked {
            return violation("frames of clients are masked, those of servers are not");
        }
        let mut length = header.length;
        match (header.opcode, &self.fragments) {
            (opcode::CLOSE | opcode::PING | opcode::PONG, _) => {
                if !header.fin || length > frame::MAX_CONTROL as u64 {
                    return violation("a control frame is long or in fragments");
                }
            }
            (opcode::TEXT | opcode::BINARY, None) => {}
            (opcode::CONTINUATION, Some((_, begun))) => {
                length = length.saturating_add(begun.len() as u64);
            }
            (opcode::TEXT | opcode::BINARY, Some(_)) => {
                return violation("a message begins within another");
            }
            (opcode::CONTINUATION, None) => return violation("nothing is to be continued"),
            _ => return violation("unknown opcode"),
        }
        if length > self.max as u64 {
            self.refused = Some(header);
            return Err(Violation {
                code: close::TOO_BIG,
                reason: "the message is too large",
            });
        }
        Ok(())
    }

    /// Appends to the payload, without the mask.
    fn take(&mut self, bytes: &[u8], mask: Option<[u8; 4]>) {
        match mask {
            None => self.payload.extend_from_slice(bytes),
            Some(mut mask) => {
                mask.rotate_left(self.payload.len() % 4);
                frame::push_masked(&mut self.payload, bytes, mask);
            }
        }
    }

    fn complete(&mut self, header: Header, payload: Vec<u8>) -> Result<Option<Message>, Violation> {
        match header.opcode {
            opcode::PING => return Ok(Some(Message::Ping(payload.into()))),
            opcode::PONG => return Ok(None),
            opcode::CLOSE => return closing(&payload).map(Some),
            _ => {}
        }
        let (opcode, whole) = match self.fragments.take() {
            None => (header.opcode, payload),
            Some((opcode, mut whole)) => {
                whole.extend_from_slice(&payload);
                (opcode, whole)
            }
        };
        if !header.fin {
            self.fragments = Some((opcode, whole));
            return Ok(None);
        }
        let whole = Bytes::from(whole);
        if opcode == opcode::BINARY {
            return Ok(Some(Message::Binary(whole)));
        }
        match ByteString::try_from(whole) {
            Ok(text) => Ok(Some(Message::Text(text))),
            Err(_) => Err(Violation {
                code: close::NOT_UTF8,
                reason: "a text is not UTF-8",
            }),
        }
    }
}

fn closing(payload: &[u8]) -> Result<Message, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ok(Message::Close(close::NORMAL))
        } else {
            violation("half a close code")
        };
    };
    if std::str::from_utf8(reason).is_err() {
        return Err(Violation {
            code: close::NOT_UTF8,
            reason: "a close reason is not UTF-8",
        });
    }
    match u16::from_be_bytes(*code) {
        code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(Message::Close(code)),
        _ => violation("a close code that may not be sent"),
    }
}

#[cfg(test)]
mod tests;
