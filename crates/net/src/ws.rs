//! All that is WebSocket: handshakes, frames, and the connections that links are made of.

pub mod client_upgrade;
pub mod connection;
pub mod credentials;
pub mod decoder;
pub mod dialer;
pub mod frame;
pub mod head;
pub mod listener;
pub mod outbox;
pub mod reader;
pub mod target;
pub mod upgrade;
