//! The mind of distribus: one host's view of the mesh, without sockets, clocks or threads.
//!
//! A [`Mesh`] is told what happens ([`Input`]: the program calls something, a link opens, a frame arrives, time has
//! passed) and says what is to be done ([`Output`]: dial, write, close, tell the program). It never blocks, never
//! asks for the time and draws its random numbers from a seed, so a whole network of them runs in one test, on
//! virtual time, the same way every time.
//!
//! The parts do not know each other; [`mesh`] joins them:
//!
//! - `directory` knows whom to ask for a peer, and remembers a part of that for others;
//! - `hosts` knows the links, under which name each one's host is registered, and when to dial a lost one again;
//! - `channels` knows who listens to what, here and on other hosts;
//! - `liveness` knows when other hosts were last heard of, and when they are to hear of us;
//! - `members` knows who is to be told of whom, so that all hosts meet;
//! - `peers` knows where remote peers live and which messages wait for a lookup;
//! - `sessions` numbers what is said to another host and what it says, and remembers it until it is acknowledged;
//! - `patterns` finds what stands under wildcards;
//! - `recent` knows what was published a moment ago, for those who are just about to listen;
//! - `relays` knows what is said to whom over a host between, and what is relayed for others;
//! - `requests` knows what was asked on the wire and until when an answer may come;
//! - `answers` holds back what is to be answered until the program has applied what came before;
//! - `wire` knows the frames and their bytes.
//!
//! User data stays raw JSON text ([`Raw`]) from end to end: it is cut out of a frame and pasted into another one.
#![deny(unsafe_code)]

mod aliases;
mod answers;
mod channels;
mod directory;
mod hash;
mod hashes;
mod hosts;
mod limits;
mod liveness;
mod lost;
mod members;
mod mesh;
mod patterns;
mod payload;
mod peers;
mod recent;
mod relays;
mod requests;
mod roster;
mod sessions;
pub mod stats;

pub mod config;
pub mod error;
pub mod event;
#[doc(hidden)]
pub mod sabotage;
pub mod wire;

pub use config::Config;
pub use error::{CallError, DialError, SendError};
pub use event::{
    Answer, Call, Change, Event, Input, LinkId, NoteKind, Outcome, Output, Raw, Reply, Time, Topic,
};
pub use mesh::Mesh;
pub use patterns::Patterns;
pub use payload::{BinaryKind, Payload};
