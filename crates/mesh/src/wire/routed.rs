//! Frames that are relayed: binary frames in which everything that is said over a relayed link travels over the direct links
//! with the host between. `docs/internals/protocol-v2.md` has the layout.

use bytes::Bytes;
use bytestring::ByteString;

use super::v2::Malformed;
use crate::limits::{MAX_HOST_ID, MAX_NUMBER};

/// The flag of a relayed frame.
pub const ROUTED: u8 = 1;

/// How long a header is at most.
pub const MAX_HEADER: usize = 2 * (1 + MAX_HOST_ID) + 10;

const RECORDS: u8 = 0;
const TEXT: u8 = 1;
const OPEN: u8 = 2;
const END: u8 = 3;
const CONTENT: u8 = 3;

/// The number is one of the host that the frame is for.
const THEIRS: u8 = 4;

/// What stands before the content of a relayed frame, and is all that the host between looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The id of the host that the frame comes from.
    pub origin: ByteString,
    /// The id of the host that it is for.
    pub destination: ByteString,
    /// Which relayed link of the host that opened it; 0 stands for all of them between those two.
    pub number: u64,
    /// The host that the frame is for has opened that link; else the origin has.
    pub theirs: bool,
}

/// What a relayed frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A frame of version 2.
    Records(Bytes),
    /// A frame of version 1.
    Text(ByteString),
    /// A new link begins.
    Open,
    /// The link is over, or never was.
    End,
}

/// Whether that frame is relayed. (An empty one is not.)
pub fn is_routed(frame: &[u8]) -> bool {
    frame.first().is_some_and(|flags| flags & ROUTED != 0)
}

/// Writes a frame.
pub fn write(header: &Header, content: &Content) -> Bytes {
    let (kind, body) = match content {
        Content::Records(frame) => (RECORDS, &frame[..]),
        Content::Text(text) => (TEXT, &text.as_bytes()[..]),
        Content::Open => (OPEN, &[][..]),
        Content::End => (END, &[][..]),
    };
    let (origin, destination) = (header.origin.as_bytes(), header.destination.as_bytes());
    let mut out = Vec::with_capacity(12 + origin.len() + destination.len() + body.len());
    out.push(ROUTED);
    for id in [origin, destination] {
        // Ids of hosts that are longer never get as far as here.
        let id = &id[..id.len().min(MAX_HOST_ID)];
        out.push(id.len() as u8);
        out.extend_from_slice(id);
    }
    let mut n = header.number;
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out.push(kind | if header.theirs { THEIRS } else { 0 });
    out.extend_from_slice(body);
    out.into()
}

/// Reads a frame's header, and gives where its content begins.
pub fn header(frame: &Bytes) -> Result<(Header, usize), Malformed> {
    let byte = |at: usize| frame.get(at).copied().ok_or(Malformed::Short);
    let mut at = 1;
    let mut id = || {
        let length = usize::from(byte(at)?);
        if length == 0 || length > MAX_HOST_ID {
            return Err(Malformed::Id);
        }
        let end = at + 1 + length;
        if end > frame.len() {
            return Err(Malformed::Short);
        }
        let id = ByteString::try_from(frame.slice(at + 1..end)).map_err(|_| Malformed::Utf8);
        at = end;
        id
    };
    let (origin, destination) = (id()?, id()?);
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let byte = byte(at)?;
        at += 1;
        if shift > 49 {
            return Err(Malformed::Number);
        }
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if number > MAX_NUMBER {
        return Err(Malformed::Number);
    }
    let kind = byte(at)?;
    if kind > CONTENT | THEIRS {
        return Err(Malformed::Number);
    }
    let theirs = kind & THEIRS != 0;
    let header = Header {
        origin,
        destination,
        number,
        theirs,
    };
    Ok((header, at))
}

/// Whether the content that begins there opens a link, or ends it.
pub fn opens(frame: &Bytes, at: usize) -> bool {
    frame.get(at).is_some_and(|kind| kind & CONTENT == OPEN)
}

pub fn ends(frame: &Bytes, at: usize) -> bool {
    frame.get(at).is_some_and(|kind| kind & CONTENT == END)
}

/// Reads the content that begins there.
pub fn content(frame: &Bytes, at: usize) -> Result<Content, Malformed> {
    let kind = frame.get(at).ok_or(Malformed::Short)? & CONTENT;
    let body = frame.slice(at + 1..);
    Ok(match kind {
        RECORDS => Content::Records(body),
        TEXT => Content::Text(ByteString::try_from(body).map_err(|_| Malformed::Utf8)?),
        OPEN => Content::Open,
        _ => Content::End,
    })
}
