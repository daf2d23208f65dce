//! The mind of distribus: one host's view of the mesh, without sockets, clocks or threads.
//!
//! A [`Mesh`] is told what happens ([`Input`]: the program calls something, a link opens, a frame arrives, time has
//! passed) and says what is to be done ([`Output`]: dial, write, close, tell the program). It never blocks, never
//! asks for the time and draws its random numbers from a seed, so a whole network of them runs in one test, on
//! virtual time, the same way every time.
//!
//! From the bottom to the top:
//!
//! - `words` and `json`: the words that everything else is said in, and JSON cut apart without being understood;
//! - `urls`: what can be the url of a host;
//! - `config` and `limits`: the settings of a host, and how much is too much;
//! - `payload`, `error` and `event`: what is sent, why things fail, what goes into the mesh and comes out of it;
//! - `wire` knows the frames and their bytes;
//! - `parts` are data that do not know each other:
//!   - `answers` holds back what is to be answered until the program has applied what came before;
//!   - `channels` knows who listens to what, here and on other hosts, by names and by patterns;
//!   - `directory` knows whom to ask for a peer, and remembers a part of that for others;
//!   - `gossip` knows who is to be told of whom, so that all hosts meet;
//!   - `hosts` knows the links, under which name each one's host is registered, and when to dial a lost one again;
//!   - `liveness` knows when other hosts were last heard of, and when they are to hear of us;
//!   - `peers` knows where remote peers live and which messages wait for a lookup;
//!   - `questions` knows what was asked on the wire and until when an answer may come;
//!   - `recent` knows what was published a moment ago, for those who are just about to listen;
//!   - `relays` knows what is said to whom over a host between, and what is relayed for others;
//!   - `roster` knows who has joined and not left, as the program is told;
//!   - `sessions` numbers what is said to another host and what it says, and remembers it until it is acknowledged;
//! - [`mesh`] joins them.
//!
//! User data stays raw JSON text ([`Raw`]) from end to end: it is cut out of a frame and pasted into another one.
#![deny(unsafe_code)]

mod hash;
mod limits;
mod mesh;
mod parts;
mod payload;
mod topic;
mod urls;
mod words;

pub mod config;
pub mod error;
pub mod event;
pub mod json;
#[doc(hidden)]
pub mod sabotage;
pub mod stats;
pub mod wire;

pub use config::Config;
pub use error::{CallError, DialError, SendError};
pub use event::{Event, Input, Output};
pub use limits::Limits;
pub use mesh::Mesh;
pub use parts::channels::{Matcher, Patterns};
pub use payload::{BinaryKind, Payload};
pub use topic::Topic;
pub use words::{
    Answer, Call, Change, CloseReason, LinkId, Nearness, NoteKind, Outcome, Raw, Reach, Reply, Time,
};
