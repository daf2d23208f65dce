//! Who may read on with a large message that is not complete, when all of these together are too much.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Whoever holds less than this is not held up.
const SMALL: usize = 64 * 1024;

/// Whoever has the turn while others wait brings so much, or the end of its message, within that time.
const LEAST: usize = 1024 * 1024;
const WITHIN: Duration = Duration::from_secs(5);

/// How often those who wait look after whoever has the turn.
const LOOK: Duration = Duration::from_secs(1);

/// Counts the messages of all links that are not complete. When they are too much, one link reads on until its message is complete, then the next
/// one. Those who have begun nothing large read as ever.
#[derive(Debug, Default)]
pub struct Turns {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    max: usize,
    held: usize,
    next: u64,
    all: BTreeMap<u64, usize>,
    turn: Option<Turn>,
}

#[derive(Debug)]
struct Turn {
    number: u64,
    ousted: Arc<Notify>,
    /// How much it held at that time.
    held: usize,
    at: Instant,
}

/// One link's part.
#[derive(Debug)]
pub struct Unfinished {
    turns: Arc<Turns>,
    number: u64,
    held: AtomicUsize,
    ousted: Arc<Notify>,
}

impl Turns {
    pub fn set_max(&self, max: usize) {
        self.state.lock().max = max;
        self.changed.notify_waiters();
    }

    /// `ousted` is notified when the one who enters has had the turn and brought too little.
    pub fn enter(self: &Arc<Self>, ousted: Arc<Notify>) -> Unfinished {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        Unfinished {
            turns: Arc::clone(self),
            number,
            held: AtomicUsize::new(0),
            ousted,
        }
    }

    /// Takes the turn from whoever does not use it. `reads`: it could have read meanwhile.
    fn look(&self, reads: bool) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(turn) = state
            .turn
            .as_mut()
            .filter(|turn| turn.at.elapsed() >= WITHIN)
        else {
            return;
        };
        let held = state.all.get(&turn.number).copied().unwrap_or_default();
        if reads && held < turn.held + LEAST {
            turn.ousted.notify_one();
            state.turn = None;
            drop(guard);
            self.changed.notify_waiters();
        } else {
            (turn.held, turn.at) = (held, Instant::now());
        }
    }
}

impl Unfinished {
    /// So much is held of a message that is not complete.
    pub fn set(&self, bytes: usize) {
        if self.held.swap(bytes, Ordering::Relaxed) == bytes {
            return;
        }
        let mut state = self.turns.state.lock();
        let before = match bytes {
            0 => state.all.remove(&self.number),
            _ => state.all.insert(self.number, bytes),
        };
        let was_too_much = state.held > state.max;
        state.held = state.held - before.unwrap_or_default() + bytes;
        let mine = |turn: &Turn| turn.number == self.number;
        let over = bytes < SMALL && state.turn.as_ref().is_some_and(mine);
        if over {
            state.turn = None;
        }
        if over || (was_too_much && state.held <= state.max) {
            drop(state);
            self.turns.changed.notify_waiters();
        }
    }

    /// Whether the link may be read. Takes the turn if nobody has it.
    pub fn may_read(&self) -> bool {
        let held = self.held.load(Ordering::Relaxed);
        if held < SMALL {
            return true;
        }
        let mut state = self.turns.state.lock();
        if state.held <= state.max {
            return true;
        }
        let turn = state.turn.get_or_insert_with(|| Turn {
            number: self.number,
            ousted: Arc::clone(&self.ousted),
            held,
            at: Instant::now(),
        });
        turn.number == self.number
    }

    /// Waits until the link may be read. `reads`: whether links are read at all now.
    pub async fn wait(&self, reads: impl Fn() -> bool) {
        loop {
            let changed = self.turns.changed.notified();
            if self.may_read() {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(LOOK) => self.turns.look(reads()),
            }
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: usize = 1024 * 1024;

    fn three() -> (Arc<Turns>, Vec<Unfinished>) {
        let turns = Arc::new(Turns::default());
        turns.set_max(10 * MB);
        let all = (0..3).map(|_| turns.enter(Arc::default())).collect();
        (turns, all)
    }

    #[test]
    fn of_several_large_messages_that_are_too_much_one_is_read_on() {
        let (_turns, all) = three();
        all[0].set(5 * MB);
        all[1].set(5 * MB);
        assert!(all.iter().all(Unfinished::may_read));
        all[1].set(6 * MB);
        assert!(all[1].may_read() && !all[0].may_read() && all[2].may_read());
        all[1].set(60 * MB);
        assert!(all[1].may_read() && !all[0].may_read());
        all[2].set(SMALL - 1);
        assert!(all[2].may_read());
        all[1].set(0);
        assert!(all.iter().all(Unfinished::may_read));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_one_reads_on_when_a_message_is_complete_or_its_link_ends() {
        let (_turns, mut all) = three();
        for one in &all {
            one.set(6 * MB);
        }
        assert!(all[0].may_read() && !all[1].may_read());
        let two = all.split_off(1);
        let ends = async {
            tokio::task::yield_now().await;
            drop(all);
        };
        tokio::join!(two[0].wait(|| true), ends);
        assert!(two[0].may_read() && !two[1].may_read());
    }

    #[tokio::test(start_paused = true)]
    async fn who_brings_nothing_loses_the_turn_and_makes_room_unless_nobody_is_read() {
        let (_turns, all) = three();
        for one in &all {
            one.set(6 * MB);
        }
        assert!(all[0].may_read());
        let begun = Instant::now();
        tokio::select! {
            () = all[1].wait(|| false) => panic!("nobody is read"),
            () = tokio::time::sleep(10 * WITHIN) => {}
        }
        tokio::select! {
            () = all[1].wait(|| true) => {}
            () = tokio::time::sleep(3 * WITHIN) => panic!("the turn was not taken"),
        }
        assert!(begun.elapsed() > 10 * WITHIN);
        all[0].ousted.notified().await;
        assert!(all[1].may_read() && !all[2].may_read());
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_on_keeps_the_turn() {
        let (_turns, all) = three();
        for one in &all {
            one.set(6 * MB);
        }
        assert!(all[0].may_read());
        let goes_on = async {
            for n in 1..20 {
                tokio::time::sleep(WITHIN / 2).await;
                all[0].set((6 + n) * MB);
            }
        };
        tokio::select! {
            () = all[1].wait(|| true) => panic!("the turn was taken"),
            () = goes_on => {}
        }
    }
}
