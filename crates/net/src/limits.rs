//! What strangers may use of this process.

use std::time::Duration;

/// The settings of a host that only its sockets obey. They count for connections that are made from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message of the WebSocket protocol that is accepted, in bytes.
    pub max_payload: usize,
    /// How long a connection may take until both sides speak WebSocket.
    pub handshake_timeout: Duration,
    /// How many connections of others are accepted at one time.
    pub max_connections: usize,
    /// How many of those may be shaking hands.
    pub max_pending_handshakes: usize,
    /// How much all those may hold that have not said hello, in bytes.
    pub max_stranger_bytes: usize,
    /// How much all links may hold of messages that are not complete, and as much again of answers that are not read, in bytes.
    pub max_buffer_bytes: usize,
    /// A link to which more than this is to be written ends, in bytes.
    pub max_outbox: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_payload: 64 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(5),
            max_connections: 16 * 1024,
            max_pending_handshakes: 1024,
            max_stranger_bytes: 16 * 1024 * 1024,
            max_buffer_bytes: 64 * 1024 * 1024,
            max_outbox: 256 * 1024 * 1024,
        }
    }
}
