use super::*;

const MAX_MESSAGE: usize = 64 * 1024 * 1024;

use std::io::{self, Read, Write};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message as Theirs, WebSocket};

fn feed(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Message>, Violation> {
    let mut messages = Vec::new();
    decoder.feed(&mut &*bytes, &mut |message| messages.push(message))?;
    Ok(messages)
}

/// The first violation, or everything that the bytes tell, however they are cut.
fn decode(masked: bool, bytes: &[u8], step: usize) -> (Vec<Message>, Option<u16>) {
    let mut decoder = Decoder::new(masked, MAX_MESSAGE);
    let mut messages = Vec::new();
    for chunk in bytes.chunks(step) {
        if let Err(violation) = decoder.feed(&mut &*chunk, &mut |message| messages.push(message)) {
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
