//! WebSocket frames (RFC 6455, 5.2): the bytes of their headers, and masking.

/// What a frame is.
pub mod opcode {
    pub const CONTINUATION: u8 = 0;
    pub const TEXT: u8 = 1;
    pub const BINARY: u8 = 2;
    pub const CLOSE: u8 = 8;
    pub const PING: u8 = 9;
    pub const PONG: u8 = 10;
}

/// Why a link is closed.
pub mod close {
    use distribus_mesh::CloseReason;

    pub const NORMAL: u16 = 1000;
    pub const PROTOCOL: u16 = 1002;
    pub const NOT_ACCEPTED: u16 = 1003;
    pub const NOT_UTF8: u16 = 1007;
    pub const POLICY: u16 = 1008;
    pub const TOO_BIG: u16 = 1009;
    pub const TRY_LATER: u16 = 1013;

    pub fn code(reason: CloseReason) -> u16 {
        match reason {
            CloseReason::Done => NORMAL,
            CloseReason::Fault => PROTOCOL,
            CloseReason::Policy => POLICY,
            CloseReason::TooLarge => TOO_BIG,
            CloseReason::Overloaded => TRY_LATER,
        }
    }

    /// Whether the code says that the protocol was broken, or what is said not accepted: it would not be the next time either.
    pub fn is_fault(code: u16) -> bool {
        matches!(code, PROTOCOL | NOT_ACCEPTED | NOT_UTF8 | POLICY | TOO_BIG)
    }
}

/// The longest header.
pub const MAX_HEADER: usize = 14;

/// What a control frame may carry.
pub const MAX_CONTROL: usize = 125;

/// So much is masked before it leaves the processor's first cache. A multiple of four.
const BLOCK: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub fin: bool,
    /// The three bits that only extensions may set.
    pub reserved: u8,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    pub length: u64,
}

impl Header {
    /// Reads a header and how long it is. `None` when more bytes are needed.
    pub fn parse(bytes: &[u8]) -> Option<(Header, usize)> {
        let [first, second, rest @ ..] = bytes else {
            return None;
        };
        let (length, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*length).into(), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            length => (length.into(), rest),
        };
        let (mask, rest) = if second & 0x80 == 0 {
            (None, rest)
        } else {
            let (mask, rest) = rest.split_first_chunk()?;
            (Some(*mask), rest)
        };
        let header = Header {
            fin: first & 0x80 != 0,
            reserved: first & 0x70,
            opcode: first & 0x0f,
            mask,
            length,
        };
        Some((header, bytes.len() - rest.len()))
    }
}

/// Appends a whole frame.
pub fn push(queue: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) {
    queue.reserve(MAX_HEADER + payload.len());
    queue.push(0x80 | opcode);
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        length @ ..126 => queue.push(masked | length as u8),
        length @ ..0x1_0000 => {
            queue.push(masked | 126);
            queue.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            queue.push(masked | 127);
            queue.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    match mask {
        None => queue.extend_from_slice(payload),
        Some(mask) => {
            queue.extend_from_slice(&mask);
            push_masked(queue, payload, mask);
        }
    }
}

/// Appends a payload XORed with the mask.
pub fn push_masked(queue: &mut Vec<u8>, payload: &[u8], mask: [u8; 4]) {
    queue.reserve(payload.len());
    for block in payload.chunks(BLOCK) {
        let start = queue.len();
        queue.extend_from_slice(block);
        apply_mask(&mut queue[start..], mask);
    }
}

/// XORs the payload with the mask, in chunks that the compiler makes vectors of.
pub fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    let (chunks, rest) = payload.as_chunks_mut::<32>();
    for chunk in chunks {
        for (byte, mask) in chunk.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

    #[test]
    fn masks_are_undone_by_the_same_mask() {
        for length in (0..200).chain([BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7]) {
            let original: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut bytes = vec![9];
            push_masked(&mut bytes, &original, [1, 2, 3, 4]);
            let expected: Vec<u8> = original
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(b, m)| b ^ m)
                .collect();
            assert_eq!(bytes[1..], expected);
            apply_mask(&mut bytes[1..], [1, 2, 3, 4]);
            assert_eq!(bytes[1..], original);
        }
    }

    #[test]
    fn frames_are_those_of_the_protocol_library() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            for mask in [None, Some([7, 0, 255, 1])] {
                let mut bytes = Vec::new();
                push(&mut bytes, opcode::BINARY, &vec![5; length], mask);
                let mut cursor = Cursor::new(&bytes);
                let (theirs, their_length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
                let (ours, at) = Header::parse(&bytes).unwrap();
                assert_eq!(at as u64, cursor.position());
                assert_eq!(ours.length, their_length);
                assert_eq!(ours.length, length as u64);
                assert_eq!(ours.mask, theirs.mask);
                assert_eq!(ours.mask, mask);
                assert!(ours.fin && theirs.is_final && ours.reserved == 0);
                assert_eq!(bytes.len(), at + length);
                for cut in 0..at {
                    assert_eq!(Header::parse(&bytes[..cut]), None);
                }
            }
        }
    }
}
