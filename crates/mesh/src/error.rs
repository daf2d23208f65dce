//! Why things fail. These are codes with their facts: the texts that people read are made at the edge.

use bytestring::ByteString;
use thiserror::Error;

use crate::words::Raw;

/// How a send ended when not as usual.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// No host knows that peer. Never delivered.
    #[error("peer not found")]
    NotFound { id: Option<Raw> },
    /// The peer's host is known but not connected now. Never delivered; may work after a reconnect.
    #[error("peer unreachable")]
    Unreachable { id: Option<Raw>, url: ByteString },
    /// Delivered once, and a listener threw. 0.4.0 resolves its promise with undefined then.
    #[error("delivered, and a listener threw")]
    Threw,
    /// Delivered once, and a listener threw an error whose text begins with "Peer not found".
    #[error("delivered, and a listener said that a peer was not found")]
    ThrewNotFound { id: Option<Raw> },
    /// The connection ended before the answer came: delivered once or not at all.
    #[error("connection lost before the answer")]
    Unknown {
        id: Option<Raw>,
        url: Option<ByteString>,
    },
    /// No answer within the request timeout: delivered once or not at all.
    #[error("no answer in time")]
    Timeout { id: Option<Raw> },
    /// A request for a peer on a 0.4.0 host, which knows no requests. Never delivered.
    #[error("requests are not supported there")]
    NotSupported { id: Option<Raw> },
    /// Too much waits already for the peer's host, or for searches. Never delivered.
    #[error("the queue is full")]
    Overloaded { id: Option<Raw> },
    /// The message is larger than a host takes. Never delivered.
    #[error("the message is too large")]
    TooLarge { id: Option<Raw> },
    /// This host was closed before the message could leave. Never delivered.
    #[error("host closed")]
    Closed,
}

/// Why a join, find or close failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// No host knows that peer.
    #[error("peer not found")]
    NotFound { id: Option<Raw> },
    /// No connection could be made.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The other host refused the greeting, with this text.
    #[error("refused: {text}")]
    Refused { text: String },
    /// The connection ended before the greeting was answered.
    #[error("connection lost")]
    Lost { url: ByteString },
    /// No answer within the request timeout.
    #[error("no answer in time")]
    Timeout,
    /// This host was closed meanwhile.
    #[error("host closed")]
    Closed,
}

/// Why an address could not be dialled (or listened at), in the words of Node's system errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct DialError {
    /// A stable code: a system error's name such as `ECONNREFUSED`, or one of our own (`ERR_…`).
    pub code: String,
    /// A sentence, for example `connect ECONNREFUSED`.
    pub message: String,
    /// The system call that failed, if one did.
    pub syscall: Option<String>,
    /// The address that was tried.
    pub address: Option<String>,
    /// The port that was tried.
    pub port: Option<u16>,
    /// How it failed at each address, when there were several.
    pub attempts: Box<[DialError]>,
}

impl DialError {
    const NOT_ALLOWED: &str = "ERR_DIAL_NOT_ALLOWED";

    /// This host does not want to dial there.
    pub fn not_allowed(message: String) -> DialError {
        DialError {
            code: DialError::NOT_ALLOWED.to_owned(),
            message,
            ..DialError::default()
        }
    }

    /// Whether it is this host that did not want to: to try again makes no sense.
    pub fn is_not_allowed(&self) -> bool {
        self.code == DialError::NOT_ALLOWED
    }
}
