//! What a fuzzer may call of the parts that read what strangers send. Panics when something is not as it has to be.

use crate::ws::decoder::{Decoder, Message, Violation};
use crate::ws::upgrade::{Reply, reply};

/// The head of an HTTP request.
pub fn upgrade(data: &[u8]) {
    match reply(data) {
        Reply::More => {}
        Reply::Switch { response, head } => {
            assert!(head <= data.len());
            let again = reply(&data[..head]);
            let expected = Reply::Switch { response, head };
            assert_eq!(again, expected, "what follows the head is no part of it");
            let Reply::Switch { response, .. } = expected else {
                return;
            };
            let lines: Vec<&str> = response.split("\r\n").collect();
            assert_eq!(lines[0], "HTTP/1.1 101 Switching Protocols");
            assert!(response.ends_with("\r\n\r\n") && (6..=7).contains(&lines.len()));
            assert!(!response.replace("\r\n", "").contains(['\r', '\n', '\0']));
        }
        Reply::Refuse { response } => {
            assert!(response.starts_with("HTTP/1.1 ") && response.contains("\r\n\r\n"));
        }
    }
}

const MAX_MESSAGE: usize = 64 * 1024 * 1024;

type Decoded = (Vec<Message>, Result<(), Violation>);

fn decode(masked: bool, pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> Decoded {
    let mut decoder = Decoder::new(masked, MAX_MESSAGE);
    let mut messages = Vec::new();
    for piece in pieces {
        let result = decoder.feed(&mut piece.as_ref(), &mut |message| messages.push(message));
        if result.is_err() {
            return (messages, result);
        }
    }
    (messages, Ok(()))
}

/// What comes over a socket after the handshake: the pieces in which it comes do not matter.
pub fn frames(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let (masked, size) = (first & 1 == 1, usize::from(first >> 1).max(1));
    let whole = decode(masked, std::iter::once(bytes));
    let pieces = decode(masked, bytes.chunks(size));
    assert_eq!(whole, pieces, "in pieces of {size}");
}
