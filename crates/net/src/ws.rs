//! All that is WebSocket: handshakes, frames, and connections over any [`Stream`](stream::Stream) of bytes.

pub mod client_upgrade;
pub mod connection;
pub mod credentials;
pub mod decoder;
pub mod dialer;
pub mod frame;
pub mod gate;
pub mod head;
pub mod listener;
pub mod loop_reader;
pub mod opened;
pub mod outbox;
pub mod pipe;
pub mod reader;
pub mod serving;
pub mod stream;
pub mod target;
pub mod tcp;
pub mod upgrade;
