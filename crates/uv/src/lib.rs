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
mod mailbox;
mod watch;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

use distribus_net::{Attached, LinkReader, ReadLoop};

use crate::mailbox::{Letter, Mailbox};
pub use crate::watch::Environment;

/// What is called, on the loop's thread, after a burst that has woken the host: it may run JavaScript.
pub type Deliver = dyn Fn() + Send + Sync;

/// A loop as other threads see it.
#[derive(Clone)]
pub struct Loop {
    mailbox: Arc<Mailbox>,
}

impl Loop {
    /// One host's share of the loop.
    pub fn host(&self, deliver: Arc<Deliver>) -> HostLoop {
        HostLoop {
            mailbox: Arc::clone(&self.mailbox),
            deliver,
        }
    }
}

/// What one host gives to its body.
#[derive(Clone)]
pub struct HostLoop {
    mailbox: Arc<Mailbox>,
    deliver: Arc<Deliver>,
}

thread_local! {
    /// The host whose socket is being read on this thread, by the address of its `deliver`, and whether it has been woken meanwhile.
    static READING: Cell<(*const c_void, bool)> = const { Cell::new((null(), false)) };
}

fn address(deliver: &Arc<Deliver>) -> *const c_void {
    Arc::as_ptr(deliver).cast()
}

/// Does something that may wake the host, on the loop's thread. The second value says whether it did.
fn reading<T>(deliver: &Arc<Deliver>, act: impl FnOnce() -> T) -> (T, bool) {
    let before = READING.replace((address(deliver), false));
    let result = act();
    let (_, woken) = READING.replace(before);
    (result, woken)
}

impl HostLoop {
    /// To be called when events begin to wait. True when they will be delivered right after the burst that is being read on this thread; else
    /// somebody has to ring the doorbell.
    pub fn wake(&self) -> bool {
        let (host, _) = READING.get();
        let here = host == address(&self.deliver);
        if here {
            READING.set((host, true));
        }
        here
    }
}

impl ReadLoop for HostLoop {
    fn attach(&self, reader: Box<dyn LinkReader>) -> Option<Box<dyn Attached>> {
        let id = self.mailbox.attach(reader, Arc::clone(&self.deliver))?;
        let mailbox = Arc::clone(&self.mailbox);
        Some(Box::new(Watched { mailbox, id }))
    }
}

/// A socket that is watched.
struct Watched {
    mailbox: Arc<Mailbox>,
    id: u64,
}

impl Attached for Watched {
    fn resume(&self) {
        self.mailbox.send(Letter::Resume { id: self.id });
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.mailbox.send(Letter::Detach { id: self.id });
    }
}
