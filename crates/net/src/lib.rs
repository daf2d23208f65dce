//! The body of distribus: sockets, timers and the runtime that drive the mesh.
//!
//! It performs what the mesh says and decides nothing about routes. A [`HostHandle`] can be used from any thread: its calls take
//! the mesh's lock for a moment, put frames into the links' outboxes, and write those outboxes without blocking on the calling
//! thread. Reading, waiting for room to write, connecting and accepting happen on one small tokio runtime for the whole process;
//! reading, if the program brings a [`ReadLoop`], there.
#![deny(unsafe_code)]

mod clock;
mod driver;
mod failure;
mod holdings;
mod host;
mod host_handle;
mod limits;
mod link;
mod nearness;
mod opening;
mod race;
mod read_loop;
mod runtime;
mod schemes;
mod sockets;
mod stats;
mod ws;

#[doc(hidden)]
pub mod bare;
#[doc(hidden)]
pub mod fuzzing;

pub use clock::Clock;
pub use host::{Host, Intake};
pub use host_handle::HostHandle;
pub use limits::Limits;
pub use link::{Link, Traffic};
pub use opening::{Dialer, Opening};
pub use read_loop::{Attached, Descriptor, LinkReader, ReadEnd, ReadLoop};
pub use runtime::after;
#[cfg(feature = "simulated")]
pub use sockets::simulated::cut;
pub use stats::{HostStats, LinkStats};
pub use ws::listener::Bind;
pub use ws::opened::Opened;
pub use ws::pipe::{Pipe, dial_over};
pub use ws::stream::Stream;
