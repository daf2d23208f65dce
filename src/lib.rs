//! The crossing between JavaScript and Rust. It converts and decides nothing: calls become the mesh's inputs, its events become
//! text for JavaScript, one string for each batch, both ways.

mod delivery;
mod error;
#[cfg(unix)]
mod event_loop;
mod host;
mod ops;
mod options;
mod stats;
mod text;
