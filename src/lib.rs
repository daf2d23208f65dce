//! The crossing between JavaScript and Rust. It converts and decides nothing: calls become the mesh's inputs, its events become
//! text for JavaScript, one string for each batch, both ways.

mod contract;
mod delivery;
mod error;
#[cfg(unix)]
mod event_loop;
mod host;
mod json;
mod membership;
mod memory;
mod ops;
mod options;
mod runs;
mod stats;
mod text;
