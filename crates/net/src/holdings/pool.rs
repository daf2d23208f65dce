//! What several connections make this host keep, and who makes room when that is too much.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Counts what all those hold who have a share of it. When that is too much, the one that holds most makes room, and of several the one that has
/// been there for longest: a host that joins holds little, and not for long.
#[derive(Debug, Default)]
pub struct Pool {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    max: usize,
    held: usize,
    next: u64,
    all: BTreeMap<u64, Holding>,
}

#[derive(Debug)]
struct Holding {
    /// What has come and is not complete.
    unfinished: usize,
    /// What has not been written yet.
    unwritten: usize,
    ousted: Arc<Notify>,
}

impl Holding {
    fn bytes(&self) -> usize {
        self.unfinished + self.unwritten
    }
}

/// One connection's part. Dropping it ends the counting.
#[derive(Debug)]
pub struct Share {
    pool: Arc<Pool>,
    number: u64,
    ousted: Arc<Notify>,
}

impl Pool {
    /// How much they may hold together from now on, in bytes.
    pub fn set_max(&self, max: usize) {
        self.state.lock().max = max;
    }

    /// `ousted` is notified when the one who enters has to make room.
    pub fn enter(self: &Arc<Self>, ousted: Arc<Notify>) -> Share {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        let holding = Holding {
            unfinished: 0,
            unwritten: 0,
            ousted: Arc::clone(&ousted),
        };
        state.all.insert(number, holding);
        Share {
            pool: Arc::clone(self),
            number,
            ousted,
        }
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.state.lock().held
    }
}

impl State {
    fn change(&mut self, number: u64, change: impl FnOnce(&mut Holding)) {
        let Some(holding) = self.all.get_mut(&number) else {
            return; // It has made room already.
        };
        let before = holding.bytes();
        change(holding);
        self.held = self.held - before + holding.bytes();
        while self.held > self.max {
            let most = |(number, holding): &(&u64, &Holding)| (holding.bytes(), Reverse(**number));
            let Some((number, _)) = self.all.iter().max_by_key(most) else {
                return;
            };
            let number = *number;
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(holding) = self.all.remove(&number) {
            self.held -= holding.bytes();
            holding.ousted.notify_one();
        }
    }
}

impl Share {
    /// So much has come of something that is not complete.
    pub fn unfinished(&self, bytes: usize) {
        let mut state = self.pool.state.lock();
        state.change(self.number, |holding| holding.unfinished = bytes);
    }

    /// So much waits to be written.
    pub fn unwritten(&self, bytes: usize) {
        let mut state = self.pool.state.lock();
        state.change(self.number, |holding| holding.unwritten = bytes);
    }

    /// Is notified when it has to make room.
    pub fn ousted(&self) -> Arc<Notify> {
        Arc::clone(&self.ousted)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.all.remove(&self.number).iter().for_each(|holding| {
            state.held -= holding.bytes();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ousted(stranger: &Share) -> bool {
        use std::task::{Context, Waker};
        let ousted = stranger.ousted();
        let waiting = std::pin::pin!(ousted.notified());
        waiting
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn who_holds_most_makes_room_and_of_several_the_oldest() {
        let strangers = Arc::new(Pool::default());
        strangers.set_max(100);
        let all: Vec<Share> = (0..4).map(|_| strangers.enter(Arc::default())).collect();
        all[0].unfinished(10);
        all[1].unfinished(30);
        all[2].unwritten(30);
        all[3].unfinished(30);
        assert_eq!(strangers.held(), 100);
        all[3].unwritten(1);
        assert!(is_ousted(&all[3]));
        assert_eq!(strangers.held(), 70);
        all[3].unfinished(1000);
        assert_eq!(strangers.held(), 70);
        all[0].unfinished(41);
        assert!(is_ousted(&all[0]) && !is_ousted(&all[1]) && !is_ousted(&all[2]));
        let fifth = strangers.enter(Arc::default());
        fifth.unfinished(30);
        fifth.unwritten(11);
        assert!(is_ousted(&fifth));
        let sixth = strangers.enter(Arc::default());
        sixth.unfinished(30);
        sixth.unfinished(29);
        sixth.unfinished(30);
        let seventh = strangers.enter(Arc::default());
        seventh.unfinished(11);
        assert!(is_ousted(&all[1]) && !is_ousted(&all[2]) && !is_ousted(&sixth));
    }

    #[test]
    fn who_is_gone_holds_nothing() {
        let strangers = Arc::new(Pool::default());
        strangers.set_max(100);
        let one = strangers.enter(Arc::default());
        one.unfinished(60);
        one.unwritten(40);
        drop(one);
        assert_eq!(strangers.held(), 0);
    }
}
