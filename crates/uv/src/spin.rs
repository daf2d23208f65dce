//! Waits a moment before the loop goes to sleep, when answers have lately come within that moment.
//!
//! Putting a thread to sleep and waking it from another core takes longer than everything else in a round trip. So, just before
//! libuv would block, this looks again and again whether anything is ready, for at most [`LONGEST`]. It looks at the loop's own
//! poll set, so that whatever becomes ready (also what is not ours) ends the wait; it does nothing when the loop would not
//! block; it yields the processor before each look; and it stops as soon as it does not pay.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The most that is waited without sleeping, also while it is not known yet whether that pays.
const LONGEST: Duration = Duration::from_micros(100);
/// The least, once it is known.
const SHORTEST: Duration = Duration::from_micros(20);
/// What arrives within this time after the loop began to wait, asleep, would perhaps have arrived in time.
const PROMISING: Duration = Duration::from_micros(250);
/// So many promising waits in a row are needed to begin; twice as many after each failure, up to the most.
const FEWEST_SIGNS: u32 = 4;
const MOST_SIGNS: u32 = 1024;
/// So many waits in vain in a row end it.
const PATIENCE: u32 = 3;

/// How many threads of this process wait like this now.
static WAITING: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
pub struct Spin {
    /// When the loop began to wait, until something of ours has arrived.
    since: Cell<Option<Instant>>,
    /// How long it has taken lately until something of ours arrived.
    usual: Cell<Duration>,
    signs: Cell<u32>,
    needed: Cell<u32>,
    failures: Cell<u32>,
    /// Whether the last wait was in vain, so far.
    vain: Cell<bool>,
}

impl Spin {
    pub fn new() -> Spin {
        Spin {
            since: Cell::new(None),
            usual: Cell::new(LONGEST),
            signs: Cell::new(0),
            needed: Cell::new(FEWEST_SIGNS),
            failures: Cell::new(0),
            vain: Cell::new(false),
        }
    }

    /// The loop is about to look for what is ready, and then to sleep for `timeout` ms (-1: without end) if there is nothing.
    pub fn before_poll(&self, poll_set: c_int, timeout: c_int) {
        if timeout == 0 {
            return;
        }
        let now = Instant::now();
        self.since.set(Some(now));
        if self.vain.replace(false) {
            self.failed();
        }
        if self.signs.get() < self.needed.get() || most_threads() == 0 {
            return;
        }
        if WAITING.fetch_add(1, Ordering::Relaxed) < most_threads() {
            let longest = (self.usual.get() * 4).clamp(SHORTEST, LONGEST);
            let asleep = Duration::from_millis(timeout.max(0).unsigned_abs().into());
            let until = if timeout < 0 {
                longest
            } else {
                longest.min(asleep)
            };
            self.vain.set(!wait(poll_set, now, until));
        }
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }

    /// A socket of ours can be read.
    pub fn arrived(&self) {
        if let Some(since) = self.since.take() {
            self.took(since.elapsed());
        }
    }

    fn took(&self, took: Duration) {
        if self.signs.get() < self.needed.get() {
            let sign = if took <= PROMISING {
                self.signs.get() + 1
            } else {
                0
            };
            self.signs.set(sign);
            self.usual.set(LONGEST);
        } else if !self.vain.replace(false) {
            self.failures.set(0);
            self.needed.set(FEWEST_SIGNS);
            self.usual.set((self.usual.get() * 7 + took) / 8);
        } else {
            self.failed();
        }
    }

    fn failed(&self) {
        self.failures.set(self.failures.get() + 1);
        if self.failures.get() >= PATIENCE {
            self.failures.set(0);
            self.signs.set(0);
            self.needed.set((self.needed.get() * 2).min(MOST_SIGNS));
        }
    }
}

/// Whether something became ready in time.
fn wait(poll_set: c_int, since: Instant, longest: Duration) -> bool {
    let mut set = libc::pollfd {
        fd: poll_set,
        events: libc::POLLIN,
        revents: 0,
    };
    loop {
        std::thread::yield_now();
        // SAFETY: one entry, which lives long enough; a timeout of 0 never blocks.
        if unsafe { libc::poll(&mut set, 1, 0) } != 0 {
            return true;
        }
        if since.elapsed() >= longest {
            return false;
        }
    }
}

/// How many threads may wait like this at the same time: one processor is left to others. Where there is but one, to yield it to whoever answers
/// is still cheaper than to sleep: a round trip of two processes took a tenth longer without. `DISTRIBUS_SPIN=0` allows none.
fn most_threads() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        if std::env::var_os("DISTRIBUS_SPIN").is_some_and(|v| v == "0") {
            return 0;
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (processors - 1).max(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    /// One turn of a loop in which something of ours arrives at once.
    fn quick_turn(spin: &Spin, set: c_int) {
        spin.before_poll(set, -1);
        spin.took(Duration::ZERO);
    }

    fn time(act: impl FnOnce()) -> Duration {
        let start = Instant::now();
        act();
        start.elapsed()
    }

    // One test, because only so many threads may wait at a time.
    #[test]
    fn it_waits_where_that_has_promise_and_while_it_pays() {
        waits_not_beyond_its_limit();
        stops_when_it_was_in_vain_and_then_wants_more_signs();
    }

    fn waits_not_beyond_its_limit() {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        let set = reader.as_raw_fd();
        let spin = Spin::new();
        spin.before_poll(set, -1);
        assert!(!spin.vain.get(), "waited without a sign");
        for _ in 0..FEWEST_SIGNS {
            quick_turn(&spin, set);
        }
        let took = time(|| spin.before_poll(set, -1));
        assert!(spin.vain.get() && took >= SHORTEST, "{took:?}");
        // The loop does not sleep at all, or not longer than its next timer wants.
        spin.vain.set(false);
        spin.before_poll(set, 0);
        assert!(!spin.vain.get());
        writer.write_all(b"x").unwrap();
        spin.before_poll(set, -1);
        assert!(!spin.vain.get(), "something was ready");
    }

    fn stops_when_it_was_in_vain_and_then_wants_more_signs() {
        let (reader, _writer) = UnixStream::pair().unwrap();
        let set = reader.as_raw_fd();
        let spin = Spin::new();
        for _ in 0..FEWEST_SIGNS {
            quick_turn(&spin, set);
        }
        for _ in 0..=PATIENCE {
            spin.before_poll(set, -1);
        }
        assert!(!spin.vain.get(), "still waits");
        assert_eq!(spin.needed.get(), 2 * FEWEST_SIGNS);
        for _ in 0..FEWEST_SIGNS {
            quick_turn(&spin, set);
        }
        spin.before_poll(set, -1);
        assert!(!spin.vain.get(), "waits again too early");
    }
}
