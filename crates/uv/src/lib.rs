//! Lets libuv, the event loop that Node.js runs JavaScript on, read the sockets of distribus.
//!
//! What is read there reaches the program on its own thread, without a doorbell. A [`Loop`] belongs to one environment of JavaScript and to that one's
//! thread; a [`HostLoop`] is what one host gives to [`distribus_net`]. The functions of libuv are looked up in the running process,
//! so this also links, and says that it is of no use, where there is no libuv.
//!
//! This crate and the crossing are the only ones with unsafe code. What keeps it sound:
//!
//! - handles are touched on their loop's thread alone, but for `uv_async_send`, which holds the mailbox's lock; the async handle leaves the
//!   mailbox, under that lock, before it is closed;
//! - a handle's memory is freed by its close callback, and nobody else;
//! - a socket stays open until its poll handle is closed, because the handle's memory owns the reader;
//! - nothing is borrowed while JavaScript runs, so JavaScript may do anything, running the loop from within included.
#![cfg(unix)]

mod ffi;
mod handle;
mod loops;
mod mailbox;
mod reading;
mod spin;
mod watch;

pub use crate::loops::{HostLoop, Loop};
pub use crate::reading::Deliver;
pub use crate::watch::Environment;
