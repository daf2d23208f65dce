//! What the fuzzer runs, as plain functions: `tests/replay.rs` runs them over the kept corpus without a fuzzer.
//!
//! ```text
//! cargo +nightly fuzz run --features libfuzzer mesh
//! ```
//!
//! Every function takes any bytes, and panics when something is not as it has to be.

mod operations;
mod wire;

pub use operations::mesh;
pub use wire::{wire_v1, wire_v2};

/// The head of an HTTP request that reaches the server.
pub fn upgrade(data: &[u8]) {
    distribus_net::fuzzing::upgrade(data);
}

/// What comes over a socket after the handshake.
pub fn frames(data: &[u8]) {
    distribus_net::fuzzing::frames(data);
}

pub type Target = fn(&[u8]);

/// All targets by their names.
pub const TARGETS: [(&str, Target); 5] = [
    ("upgrade", upgrade),
    ("frames", frames),
    ("wire_v1", wire_v1),
    ("wire_v2", wire_v2),
    ("mesh", mesh),
];
