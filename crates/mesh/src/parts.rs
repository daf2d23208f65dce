//! Data that do not know each other: each part remembers one thing, and only [`mesh`](crate::mesh) brings them together. A part
//! may use what lies below it (words, settings, the wire), never another part.

pub mod answers;
pub mod channels;
pub mod directory;
pub mod gossip;
pub mod hearsay;
pub mod hosts;
pub mod liveness;
pub mod numbers;
pub mod peers;
pub mod questions;
pub mod recent;
pub mod relays;
pub mod roster;
pub mod sessions;
