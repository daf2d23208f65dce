//! Waits a moment before the loop goes to sleep, when answers have lately come within that moment.
//!
//! Putting a thread to sleep and waking it from another core takes longer than everything else in a round trip. So, just before
//! libuv would block, this looks again and again whether anything is ready, for at most [`LONGEST`]. It looks at the loop's own
//! poll set, so that whatever becomes ready (also what is not ours) ends the wait; it does nothing when the loop would not
//! block; it yields the processor before each look; and it stops as soon as it does not pay, or
//! when somebody busy has got the processor, whom sleep would not let have it for so long.

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
/// Longer than this whoever is to answer does not take: somebody is busy, and would have the processor for milliseconds each time.
const CROWDED: Duration = Duration::from_micros(300);
/// So much may be lost to somebody busy: this at once, and this part of the time, because sleep would take longer than that, too.
const LOST: Duration = Duration::from_millis(6);
const PART: u32 = 2;
/// So long nothing is yielded after that; twice as long each time, up to the most.
const SHORTEST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(2);

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
    /// How much has been lost to somebody busy lately, and when last.
    lost: Cell<Duration>,
    lost_at: Cell<Option<Instant>>,
    /// Until when it does not wait, because somebody else is busy, and for how long the next time.
    rests: Cell<Option<Instant>>,
    rest: Cell<Duration>,
}

/// How a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    /// Something is ready.
    Ready,
    InVain,
    /// Somebody else has had the processor for long. What is ready is not known.
    Crowded(Duration),
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
            lost: Cell::new(Duration::ZERO),
            lost_at: Cell::new(None),
            rests: Cell::new(None),
            rest: Cell::new(SHORTEST_REST),
        }
    }

    /// The loop is about to look for what is ready, and then to sleep for `timeout` ms (-1: without end) if there is nothing.
    pub fn before_poll(&self, poll_set: c_int, timeout: c_int) {
        if timeout == 0 {
            return;
        }
        let now = Instant::now();
        if !self.begin(now) || most_threads() == 0 {
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
            self.waited(wait(poll_set, now, until), Instant::now());
        }
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }

    /// The loop would sleep now. Gives whether to wait first.
    fn begin(&self, now: Instant) -> bool {
        let before = self.since.replace(Some(now));
        if self.vain.replace(false) {
            self.failed();
        }
        // It has slept, and nothing has come: whoever sends now and then is answered soon enough, and the processor is for others.
        if before.is_some_and(|before| now - before > PROMISING) {
            self.signs.set(0);
        }
        let rests = self.rests.get().is_some_and(|until| now < until);
        !rests && self.signs.get() >= self.needed.get()
    }

    fn waited(&self, how: Waited, now: Instant) {
        self.vain.set(how == Waited::InVain);
        match how {
            Waited::Crowded(time) => {
                self.since.set(Some(now));
                self.lose(time, now);
            }
            Waited::Ready => {
                let less = self.rest.get() - self.rest.get() / 256;
                self.rest.set(less.max(SHORTEST_REST));
            }
            Waited::InVain => {}
        }
    }

    /// Somebody busy had the processor.
    fn lose(&self, time: Duration, now: Instant) {
        let before = self.lost_at.replace(Some(now));
        let allowed = before.map_or(Duration::ZERO, |before| (now - before) / PART);
        self.lost
            .set(self.lost.get().saturating_sub(allowed) + time);
        if self.lost.get() > LOST {
            self.lost.set(Duration::ZERO);
            self.rests.set(Some(now + self.rest.get()));
            self.rest.set((self.rest.get() * 2).min(LONGEST_REST));
        }
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

/// Waits until something is ready, but not longer than that.
fn wait(poll_set: c_int, since: Instant, longest: Duration) -> Waited {
    let mut set = libc::pollfd {
        fd: poll_set,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut before = since;
    loop {
        std::thread::yield_now();
        let now = Instant::now();
        if now - before >= CROWDED {
            return Waited::Crowded(now - before);
        }
        before = now;
        // SAFETY: one entry, which lives long enough; a timeout of 0 never blocks.
        if unsafe { libc::poll(&mut set, 1, 0) } != 0 {
            return Waited::Ready;
        }
        if now - since >= longest {
            return Waited::InVain;
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

    /// The loop would sleep; a wait, if there is one, ends in that way. Gives whether there was one.
    fn turn(spin: &Spin, now: Instant, how: Waited) -> bool {
        let waits = spin.begin(now);
        if waits {
            spin.waited(how, now);
        }
        waits
    }

    /// Something of ours arrives at once.
    fn arrive(spin: &Spin) {
        spin.since.set(None);
        spin.took(Duration::ZERO);
    }

    /// Something of ours arrives at once, so often.
    fn quick(spin: &Spin, now: Instant, turns: u32) {
        for _ in 0..turns {
            turn(spin, now, Waited::Ready);
            arrive(spin);
        }
    }

    #[test]
    fn it_waits_when_that_has_promise() {
        let (spin, now) = (Spin::new(), Instant::now());
        assert!(!turn(&spin, now, Waited::Ready), "waited without a sign");
        quick(&spin, now, FEWEST_SIGNS);
        assert!(turn(&spin, now, Waited::Ready));
    }

    #[test]
    fn it_stops_when_it_was_in_vain_and_then_wants_more_signs() {
        let (spin, now) = (Spin::new(), Instant::now());
        quick(&spin, now, FEWEST_SIGNS);
        for _ in 0..PATIENCE {
            assert!(turn(&spin, now, Waited::InVain));
        }
        assert!(!turn(&spin, now, Waited::Ready), "still waits");
        assert_eq!(spin.needed.get(), 2 * FEWEST_SIGNS);
        quick(&spin, now, FEWEST_SIGNS);
        assert!(!turn(&spin, now, Waited::Ready), "waits again too early");
    }

    #[test]
    fn it_does_not_wait_for_what_comes_now_and_then() {
        let (spin, mut now) = (Spin::new(), Instant::now());
        quick(&spin, now, FEWEST_SIGNS);
        turn(&spin, now, Waited::Ready);
        for _ in 0..10 {
            now += 2 * PROMISING;
            assert!(!turn(&spin, now, Waited::Ready), "a message leaves");
            arrive(&spin);
            assert!(!turn(&spin, now, Waited::Ready), "its answer has come");
        }
    }

    #[test]
    fn it_rests_longer_and_longer_beside_somebody_busy() {
        let (spin, mut now) = (Spin::new(), Instant::now());
        quick(&spin, now, FEWEST_SIGNS);
        let mut rest = SHORTEST_REST;
        while rest < LONGEST_REST {
            for _ in 0..2 {
                assert!(turn(&spin, now, Waited::Crowded(LOST)));
                arrive(&spin);
            }
            assert!(!turn(&spin, now + rest / 2, Waited::Ready), "no rest");
            arrive(&spin);
            now += rest;
            rest *= 2;
        }
        // It is taken back where somebody lets us have the processor again.
        for _ in 0..2000 {
            assert!(turn(&spin, now, Waited::Ready));
            arrive(&spin);
        }
        assert_eq!(spin.rest.get(), SHORTEST_REST);
    }

    #[test]
    fn it_bears_that_somebody_is_busy_now_and_then() {
        let (spin, mut now) = (Spin::new(), Instant::now());
        quick(&spin, now, FEWEST_SIGNS);
        for _ in 0..100 {
            assert!(turn(&spin, now, Waited::Crowded(LOST / 2)));
            arrive(&spin);
            now += LOST * PART / 2;
        }
    }

    #[test]
    fn a_wait_ends_when_something_is_ready_and_at_its_limit() {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        let set = reader.as_raw_fd();
        let start = Instant::now();
        let how = wait(set, start, SHORTEST);
        // Other tests may use the processor.
        assert!(how != Waited::Ready);
        assert!(how != Waited::InVain || start.elapsed() >= SHORTEST);
        writer.write_all(b"x").unwrap();
        assert!(wait(set, Instant::now(), LONGEST) != Waited::InVain);
    }

    #[test]
    fn the_loop_does_not_wait_when_it_would_not_sleep() {
        let spin = Spin::new();
        spin.before_poll(-1, 0);
        assert!(spin.since.get().is_none());
    }
}
