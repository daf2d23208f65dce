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
            head: Vec::new(),
            frame: None,
            payload: Vec::new(),
            fragments: None,
        }
    }

    /// Takes all of the bytes and tells what they complete. After an error the decoder is of no use any more.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        tell: &mut impl FnMut(Message),
    ) -> Result<(), Violation> {
        loop {
            let header = match self.frame {
                Some(header) => header,
                None => {
                    let Some(header) = self.header(&mut bytes) else {
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
                self.frame = Some(header);
                return Ok(());
            };
            bytes = rest;
            self.take(payload, header.mask);
            self.frame = None;
            let payload = std::mem::take(&mut self.payload);
            if let Some(message) = self.complete(header, payload)? {
                tell(message);
            }
        }
    }

    /// Reads a header off the bytes. Takes all of them when it is not complete.
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

    fn check(&self, header: Header) -> Result<(), Violation> {
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
mod tests {
    use super::*;

    const MAX_MESSAGE: usize = 64 * 1024 * 1024;

    use std::io::{self, Read, Write};
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
    use tokio_tungstenite::tungstenite::{Message as Theirs, WebSocket};

    fn feed(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Message>, Violation> {
        let mut messages = Vec::new();
        decoder.feed(bytes, &mut |message| messages.push(message))?;
        Ok(messages)
    }

    /// The first violation, or everything that the bytes tell, however they are cut.
    fn decode(masked: bool, bytes: &[u8], step: usize) -> (Vec<Message>, Option<u16>) {
        let mut decoder = Decoder::new(masked, MAX_MESSAGE);
        let mut messages = Vec::new();
        for chunk in bytes.chunks(step) {
            if let Err(violation) = decoder.feed(chunk, &mut |message| messages.push(message)) {
                return (messages, Some(violation.code));
            }
        }
        (messages, None)
    }

    struct Given<'a>(&'a [u8]);

    impl Read for Given<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(io::ErrorKind::WouldBlock.into()),
                n => Ok(n),
            }
        }
    }

    impl Write for Given<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The same by the protocol library: the messages, and whether it found a violation.
    fn reference(masked: bool, bytes: &[u8]) -> (Vec<Message>, bool) {
        let role = if masked { Role::Server } else { Role::Client };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let mut ws = WebSocket::from_raw_socket(Given(bytes), role, Some(config));
        let mut messages = Vec::new();
        loop {
            match ws.read() {
                Ok(Theirs::Text(text)) => {
                    messages.push(Message::Text(Bytes::from(text).try_into().unwrap()));
                }
                Ok(Theirs::Binary(bytes)) => messages.push(Message::Binary(bytes)),
                Ok(Theirs::Ping(bytes)) => messages.push(Message::Ping(bytes)),
                Ok(_) => {}
                Err(tokio_tungstenite::tungstenite::Error::Io(_)) => return (messages, false),
                Err(_) => return (messages, true),
            }
        }
    }

    #[test]
    fn any_bytes_mean_what_the_protocol_library_makes_of_them() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut violations = 0;
        for round in 0..600 {
            let masked = round % 2 == 0;
            let mut bytes = Vec::new();
            let mut within = false;
            for _ in 0..random.usize(1..8) {
                let mut op = if within {
                    opcode::CONTINUATION
                } else {
                    random.u8(1..3)
                };
                let mut fin = random.u8(..4) > 0;
                if random.u8(..4) == 0 {
                    (op, fin) = (*random.choice(&[opcode::PING, opcode::PONG]).unwrap(), true);
                } else {
                    within = !fin;
                }
                let length = *random
                    .choice(&[0, 1, 5, 100, 125, 126, 300, 70_000])
                    .unwrap();
                let length = if op >= 8 { length.min(125) } else { length };
                let mut payload = vec![b'a'; length];
                // The library finds the fault already in a first fragment; so no fragments of this.
                let not_text = fin && op != opcode::CONTINUATION && random.u8(..30) == 0;
                if not_text {
                    payload.fill(0xff);
                }
                let start = bytes.len();
                let mask = masked.then(|| random.u32(..).to_ne_bytes());
                frame::push(&mut bytes, op, &payload, mask);
                if !fin {
                    bytes[start] &= 0x7f;
                }
                // Now and then something that must not be.
                match random.u8(..60) {
                    _ if not_text => {}
                    0 => bytes[start] ^= 0x40,
                    1 => bytes[start] ^= 0x80,
                    2 => bytes[start] ^= random.u8(..16),
                    _ => {}
                }
            }
            let (expected, failed) = reference(masked, &bytes);
            for step in [1, 7, 4096, usize::MAX] {
                if step < bytes.len() / 2000 {
                    continue;
                }
                let (messages, code) = decode(masked, &bytes, step);
                let messages: Vec<_> = messages
                    .into_iter()
                    .filter(|message| !matches!(message, Message::Close(_)))
                    .collect();
                // A flipped opcode may make a close frame, after which the library reads nothing.
                let closed = decode(masked, &bytes, step)
                    .0
                    .iter()
                    .any(|message| matches!(message, Message::Close(_)));
                if closed {
                    assert!(messages.starts_with(&expected));
                } else {
                    assert_eq!(messages.len(), expected.len(), "round {round} step {step}");
                    assert!(messages == expected, "round {round} step {step}");
                    assert_eq!(code.is_some(), failed, "round {round} step {step}");
                }
            }
            violations += usize::from(failed);
        }
        assert!((60..540).contains(&violations), "{violations}");
    }

    #[test]
    fn only_clients_mask() {
        let mut bytes = Vec::new();
        frame::push(&mut bytes, opcode::TEXT, b"hello", None);
        assert_eq!(decode(false, &bytes, 9).1, None);
        assert_eq!(decode(true, &bytes, 9).1, Some(close::PROTOCOL));
        bytes.clear();
        frame::push(&mut bytes, opcode::TEXT, b"hello", Some([1, 2, 3, 4]));
        assert_eq!(decode(true, &bytes, 9).1, None);
        assert_eq!(decode(false, &bytes, 9).1, Some(close::PROTOCOL));
    }

    #[test]
    fn a_header_alone_reserves_nothing() {
        let mut decoder = Decoder::new(false, MAX_MESSAGE);
        let length = (MAX_MESSAGE as u64).to_be_bytes();
        assert_eq!(feed(&mut decoder, &[0x82, 127]), Ok(vec![]));
        assert_eq!(feed(&mut decoder, &length), Ok(vec![]));
        assert_eq!(feed(&mut decoder, b"some"), Ok(vec![]));
        assert!(decoder.payload.capacity() < 1024);
        let mut decoder = Decoder::new(false, MAX_MESSAGE);
        assert_eq!(feed(&mut decoder, &[0x82, 127]), Ok(vec![]));
        let length = (MAX_MESSAGE as u64 + 1).to_be_bytes();
        assert_eq!(
            feed(&mut decoder, &length).map_err(|v| v.code),
            Err(close::TOO_BIG)
        );
    }

    #[test]
    fn fragments_may_not_grow_beyond_the_limit() {
        let mut decoder = Decoder::new(false, MAX_MESSAGE);
        assert_eq!(feed(&mut decoder, &[0x02, 1, 0]), Ok(vec![]));
        assert_eq!(feed(&mut decoder, &[0x80, 127]), Ok(vec![]));
        let length = (MAX_MESSAGE as u64).to_be_bytes();
        assert_eq!(
            feed(&mut decoder, &length).map_err(|v| v.code),
            Err(close::TOO_BIG)
        );
    }

    #[test]
    fn close_frames_are_checked() {
        for (payload, expected) in [
            (&[][..], Ok(1000)),
            (&[3, 232], Ok(1000)),
            (&[15, 160, b'x'], Ok(4000)),
            (&[3], Err(1002)),
            (&[3, 237], Err(1002)),
            (&[3, 232, 255], Err(1007)),
        ] {
            let mut bytes = Vec::new();
            frame::push(&mut bytes, opcode::CLOSE, payload, None);
            let fed = feed(&mut Decoder::new(false, MAX_MESSAGE), &bytes);
            let expected = expected.map(|code| vec![Message::Close(code)]);
            assert_eq!(fed.map_err(|v| v.code), expected);
        }
    }
}
