//! What is pending between this host and others: questions that they have not answered, and answers that they are owed.

use bytestring::ByteString;

use crate::parts::peers::Parcel;
use crate::words::{LinkId, Raw};

/// What was asked on the wire.
#[derive(Debug)]
pub(in crate::mesh) enum Asked {
    Greeting,
    Join {
        round: u64,
    },
    Hosts {
        link: LinkId,
        round: u64,
    },
    /// Once more, when it has become quiet.
    Missed,
    Find {
        key: ByteString,
        search: u64,
    },
    Send(Parcel),
    List {
        round: u64,
    },
    Goodbye,
    /// Whether the host behind a relayed link is there, because another one has its url.
    Proof,
}

/// Why an answer does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mesh) enum Silence {
    Timeout,
    LinkLost,
}

/// What will be answered once the program has applied everything before.
#[derive(Debug)]
pub(in crate::mesh) enum Due {
    /// This message; none stands for undefined.
    Message(Option<String>),
    /// This answer to a greeting, after which the session can be used.
    Greeting(String),
    /// How the delivery went. The message is kept if it is to be passed on where no such peer lives here.
    Delivery {
        to: Option<Raw>,
        message: Option<Box<Parcel>>,
    },
    /// How the publish went.
    Publish,
    /// Where the peer lives.
    Lookup { peer: Option<Raw> },
    /// Whether the peer lives here.
    Found { number: u64 },
    /// Which peers live here.
    List,
    /// Not answered, but done: the link is dialled, or not.
    Dial,
    /// Goodbye, and perhaps our own goodbye after it.
    Goodbye { back: bool },
    /// Nothing more: the link ends.
    End,
}
