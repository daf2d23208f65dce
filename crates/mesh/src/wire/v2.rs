//! Our own protocol: binary frames, each with any number of records of any kinds. `docs/internals/protocol-v2.md` has the layout.
//!
//! Users' messages are carried as they came from `JSON.stringify`, a whole run in one piece: writing and reading a record costs a copy
//! and one look at each byte, not a parse.

mod frame;
mod reader;

use bytes::Bytes;
use bytestring::ByteString;

use crate::limits::MAX_NUMBER;
use crate::payload::Payload;
use crate::topic::Topic;
use crate::words::{Outcome, Raw};

pub use frame::Frame;
pub use reader::{decode, records};

/// The highest version that is spoken here.
pub const VERSION: u64 = 2;

/// Frame flags: the frame is relayed, and begins with the ids of the hosts that it comes from and goes to.
const ROUTED: u8 = 1;

const SEND: u8 = 1;
const PUBLISH: u8 = 2;
const ACK: u8 = 3;
const SEEN: u8 = 4;
const INTEREST: u8 = 5;
const SYNC: u8 = 6;
const SYNCED: u8 = 7;
const PLACE: u8 = 8;
const LOOK: u8 = 9;
const ASK: u8 = 10;
const FOUND: u8 = 11;
const NOTE: u8 = 12;
const GAP: u8 = 13;
const BEAT: u8 = 15;
const REQUEST: u8 = 18;
const REPLY: u8 = 19;

/// Flags of interests: what was said before counts no more; the next record belongs to this one.
const WHOLE: u8 = 1;
const MORE: u8 = 2;

/// Flags of a change in interests: it is a pattern; it is not listened to any more.
const PATTERN: u8 = 1;
const REMOVED: u8 = 2;

const JSON: u8 = 0;
const UNDEFINED: u8 = 1;
const TEXT: u8 = 2;
const BUFFER: u8 = 3;
const UINT8_ARRAY: u8 = 4;

/// The most messages of a run. They cost more than the byte that each of them takes.
const MAX_RUN: u64 = 1 << 16;

/// The same for `undefined`, which takes no byte.
const MAX_UNDEFINED: u64 = 1 << 10;

/// Whether one run may have all these messages.
pub fn is_run(payload: &Payload) -> bool {
    let most = match payload {
        Payload::Undefined { .. } => MAX_UNDEFINED,
        _ => MAX_RUN,
    };
    u64::from(payload.count()) <= most
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    Send {
        first: u64,
        to: Option<Raw>,
        from: Option<Raw>,
        payload: Payload,
    },
    Publish {
        first: u64,
        channel: Option<Raw>,
        payload: Payload,
    },
    /// From the program of one host to that of another.
    Note {
        first: u64,
        head: Option<Raw>,
        payload: Payload,
    },
    /// `number` is that of the first request; replies come under the same numbers.
    Request {
        first: u64,
        to: Option<Raw>,
        from: Option<Raw>,
        number: u64,
        payload: Payload,
    },
    Reply {
        first: u64,
        number: u64,
        outcome: Outcome,
        payload: Payload,
    },
    /// So many messages that the sender has published do not come; it stands where they would have come.
    Gap {
        first: u64,
        count: u64,
    },
    /// The sender is there, and says so every `interval` ms (0: it does not). Its program has been standing still for `stalled` ms.
    Beat {
        interval: u64,
        stalled: u64,
    },
    Ack(Ack),
    /// Acknowledgements up to this number have been seen.
    Seen(u64),
    Interest(Interest),
    /// Wants a `Synced` with the same number when all records before this one have taken effect.
    Sync(u64),
    Synced(u64),
    /// About peers of the sender that are registered at the receiver.
    Place(Place),
    /// Who has that peer? To be answered by whoever knows.
    Look {
        number: u64,
        id: Option<Raw>,
    },
    /// That host asks: does that peer live here?
    Ask {
        number: u64,
        asker: ByteString,
        id: Option<Raw>,
    },
    /// The answer: yes, and the sender's url (empty if it has none); or no.
    Found {
        number: u64,
        url: Option<ByteString>,
    },
}

/// Hashes of the ids of peers of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// They live there. `whole`: nothing that was said before counts any more.
    Add { whole: bool, hashes: Vec<u64> },
    /// They do not any more.
    Remove(Vec<u64>),
    /// The receiver is not responsible any more for the hashes with these highest bits.
    Drop(u16),
}

/// What is listened to at the sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// These are all, not changes.
    pub whole: bool,
    /// Only together with the next one is it complete.
    pub more: bool,
    pub changes: Changes,
}

/// What is listened to from now on (true), or not any more: as it is written, since a list of many short names would take many times as
/// much. To be collected from such pairs, and to be iterated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Bytes);

/// How messages ended that did not end as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    pub first: u64,
    pub count: u32,
    pub code: Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoSuchPeer,
    Threw,
    /// A listener threw an error that begins with "Peer not found".
    ThrewNotFound,
    /// Too many requests wait for their replies there: the peer did not get this one.
    Overloaded,
}

/// What is to be told about messages that were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// All messages up to this one have been taken by the program.
    pub upto: u64,
    pub window: u64,
    pub exceptions: Vec<Exception>,
}

/// A frame that is not what it should be. The link that it came over is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the frame ends too early")]
    Short,
    #[error("a number is too large")]
    Number,
    #[error("a text is not UTF-8")]
    Utf8,
    #[error("a run does not hold as many messages as it says")]
    Run,
    #[error("an id is not a JSON value")]
    Id,
}
