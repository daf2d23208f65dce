//! What other threads tell a loop.

use std::sync::Arc;

use distribus_net::LinkReader;
use parking_lot::Mutex;

use crate::ffi::{self, RawHandle};
use crate::reading::Deliver;

pub enum Letter {
    Attach {
        id: u64,
        reader: Box<dyn LinkReader>,
        deliver: Arc<Deliver>,
    },
    Resume {
        id: u64,
    },
    Detach {
        id: u64,
    },
}

/// The async handle that wakes the loop's thread.
struct Bell(*mut RawHandle);

// SAFETY: only `uv_async_send` is called with it, which any thread may do as long as the handle is not closed: see `close`.
unsafe impl Send for Bell {}

#[derive(Default)]
struct State {
    letters: Vec<Letter>,
    next_id: u64,
    /// None before the loop watches, and when it has ended.
    bell: Option<Bell>,
}

#[derive(Default)]
pub struct Mailbox {
    state: Mutex<State>,
}

impl Mailbox {
    /// From now on letters are accepted. The handle must not be closed before [`close`](Mailbox::close) has been called.
    pub fn open(&self, bell: *mut RawHandle) {
        self.state.lock().bell = Some(Bell(bell));
    }

    /// Accepts no more letters. Returns those that nobody has read.
    pub fn close(&self) -> Vec<Letter> {
        let mut state = self.state.lock();
        state.bell = None;
        std::mem::take(&mut state.letters)
    }

    pub fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut self.state.lock().letters)
    }

    /// Returns the number of the new watch, or `None` when the loop has ended.
    pub fn attach(&self, reader: Box<dyn LinkReader>, deliver: Arc<Deliver>) -> Option<u64> {
        let mut state = self.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        let letter = Letter::Attach {
            id,
            reader,
            deliver,
        };
        match state.post(letter) {
            Ok(()) => Some(id),
            Err(unread) => {
                // What a reader does when it is dropped is not for this lock.
                drop(state);
                drop(unread);
                None
            }
        }
    }

    /// Sends a letter that nobody needs any more when the loop has ended.
    pub fn send(&self, letter: Letter) {
        let posted = self.state.lock().post(letter);
        drop(posted);
    }
}

impl State {
    fn post(&mut self, letter: Letter) -> Result<(), Letter> {
        let (Some(Bell(bell)), Some(uv)) = (&self.bell, ffi::uv()) else {
            return Err(letter);
        };
        self.letters.push(letter);
        // SAFETY: the handle is open, because it is in the mailbox, whose lock we hold.
        unsafe { (uv.uv_async_send)(*bell) };
        Ok(())
    }
}
