//! Accounts what waits for the program. While it is too much, nothing is read.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Links are not read while more than this waits for the program, in bytes.
const MOST: usize = 8 * 1024 * 1024;

#[derive(Default)]
pub struct Room {
    /// Bytes of events.
    waiting: AtomicUsize,
    /// Bytes of answers that other hosts wait for.
    owed: AtomicUsize,
    made: Notify,
}

impl Room {
    /// So many bytes of events more wait.
    pub fn add(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The program has taken so many bytes of events.
    pub fn remove(&self, bytes: usize) {
        let before = self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        if before > MOST && before - bytes <= MOST {
            self.announce();
        }
    }

    /// So many bytes are owed now. True when that may have made room, which is to be announced.
    pub fn owe(&self, owed: usize) -> bool {
        let before = self.owed.swap(owed, Ordering::Relaxed);
        owed < before && before > MOST / 2
    }

    /// Lets whoever waits for room look whether there is any.
    pub fn announce(&self) {
        self.made.notify_waiters();
    }

    /// Nobody will take anything any more.
    pub fn end(&self) {
        self.waiting.store(0, Ordering::Relaxed);
        self.announce();
    }

    pub fn is_there(&self) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        waiting + self.owed.load(Ordering::Relaxed) <= MOST
    }

    /// Waits until there is room.
    pub async fn wait(&self) {
        loop {
            let made = self.made.notified();
            if self.is_there() {
                return;
            }
            made.await;
        }
    }
}
