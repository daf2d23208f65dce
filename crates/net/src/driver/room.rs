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
    /// Bytes of messages that have come over sessions, whether or not they wait as events already.
    held: AtomicUsize,
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

    /// So many bytes are held now. True when that may have made room for links, which is to be announced.
    pub fn hold(&self, held: usize) -> bool {
        let before = self.held.swap(held, Ordering::Relaxed);
        held < before && before > MOST
    }

    /// Whether so much is held that some links may have no room.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed) > MOST
    }

    /// Lets whoever waits for room look whether there is any.
    pub fn announce(&self) {
        self.made.notify_waiters();
    }

    /// The program takes nothing any more.
    pub fn end(&self) {
        self.waiting.store(0, Ordering::Relaxed);
        self.held.store(0, Ordering::Relaxed);
        self.announce();
    }

    pub fn is_there(&self) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        waiting + self.owed.load(Ordering::Relaxed) <= MOST
    }

    /// Waits until there is room, as that says.
    pub async fn wait(&self, has_room: impl Fn() -> bool) {
        loop {
            let made = self.made.notified();
            if has_room() {
                return;
            }
            made.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether somebody who waits for room is let go by that.
    fn lets_go(room: &Room, act: impl FnOnce()) -> bool {
        use std::pin::pin;
        use std::task::{Context, Waker};
        let mut waiting = pin!(room.wait(|| room.is_there()));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(cx).is_pending());
        act();
        waiting.poll(cx).is_ready()
    }

    #[test]
    fn whoever_waits_for_room_goes_on_when_the_program_has_taken_enough() {
        let room = Room::default();
        room.add(MOST);
        assert!(room.is_there());
        room.add(100);
        assert!(!room.is_there());
        assert!(!lets_go(&room, || room.remove(99)));
        assert!(lets_go(&room, || room.remove(1)));
    }

    #[test]
    fn answers_that_are_owed_need_room_as_well() {
        let room = Room::default();
        room.add(100);
        assert!(!room.owe(MOST));
        assert!(!room.is_there());
        assert!(lets_go(&room, || if room.owe(MOST - 100) {
            room.announce();
        }));
    }

    #[test]
    fn at_the_end_nobody_waits_any_more() {
        let room = Room::default();
        room.add(2 * MOST);
        assert!(lets_go(&room, || room.end()));
    }
}
