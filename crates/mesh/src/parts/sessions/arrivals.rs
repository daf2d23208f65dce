//! What has come from the other side and waits until the program may be told.
//!
//! All that the program is told stands in one line. Of one host there is never more in it than the program applies in some milliseconds, as
//! far as that is known: so nobody has to wait for another host's messages, however many these are, and a run takes no more room than it
//! had on its way.

use std::collections::VecDeque;

use std::time::Duration;

use crate::event::Event;
use crate::words::Time;

/// As much of one session stands in line as was lately applied in this time, within these bounds.
const LINE: Duration = Duration::from_millis(20);
const LEAST: usize = 1024;
const MOST: usize = 512 * 1024;

/// As long as nothing is known.
const FIRST: usize = 16 * 1024;

/// No event has more messages than this, or than have room in line.
const PIECE: u32 = 4096;

/// What a message weighs at least.
const MESSAGE: usize = 64;

#[derive(Debug)]
pub struct Arrivals {
    /// What stands in line, by weight, and how much may.
    told: usize,
    line: usize,
    /// When the program applied something of it the last time, or nothing stood in line.
    since: Time,
    /// What waits here.
    waits: usize,
    /// Each with the number of its first message.
    waiting: VecDeque<(u64, Event)>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Arrivals {
            told: 0,
            line: FIRST,
            since: Time::ZERO,
            waits: 0,
            waiting: VecDeque::new(),
        }
    }
}

impl Arrivals {
    /// How much the program has not applied.
    pub fn weight(&self) -> usize {
        self.told + self.waits
    }

    /// Takes in what begins with that message, or gives it back if the program may be told of it now. Else, what may be told is `next`.
    pub fn arrive(&mut self, first: u64, event: Event, now: Time) -> Option<Event> {
        if self.told == 0 {
            self.since = now;
        }
        let weight = event.weight();
        if self.waiting.is_empty() && self.told + weight <= self.line && event.messages() <= PIECE {
            self.told += weight;
            return Some(event);
        }
        self.waits += weight;
        self.waiting.push_back((first, event));
        None
    }

    /// Gives what the program may be told next, and the number of its first message. `all`: also what has to wait.
    pub fn next(&mut self, all: bool) -> Option<(u64, Event)> {
        if self.told >= self.line && !all {
            return None;
        }
        let (first, mut event) = self.waiting.pop_front()?;
        self.waits -= event.weight();
        let most = PIECE.min((self.line / MESSAGE) as u32);
        if let Some(rest) = event.cut(most, self.line) {
            self.waits += rest.weight();
            let first = first + u64::from(event.messages());
            self.waiting.push_front((first, rest));
        }
        self.told += event.weight();
        Some((first, event))
    }

    /// The program has applied what weighed so much.
    pub fn applied(&mut self, weight: usize, now: Time) {
        self.told = self.told.saturating_sub(weight);
        let took = now.saturating_sub(self.since).as_micros();
        if weight == 0 || took == 0 {
            return;
        }
        self.since = now;
        let line = weight as u128 * LINE.as_micros() / took;
        self.line = usize::try_from(line).map_or(MOST, |line| line.clamp(LEAST, MOST));
    }

    /// The program will not be told of what waits.
    pub fn forget(&mut self) {
        self.waits = 0;
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Payload;

    const SOON: Time = Duration::from_millis(1);

    fn publish(payload: Payload) -> Event {
        Event::Publish {
            channel: None,
            payload,
            from_v1: false,
        }
    }

    fn undefined(count: u32) -> Event {
        publish(Payload::Undefined { count })
    }

    fn large() -> Event {
        publish(Payload::one(Some("1".repeat(MOST).into())))
    }

    #[test]
    fn whoever_says_little_does_not_wait() {
        let mut arrivals = Arrivals::default();
        let some = undefined(9);
        assert_eq!(arrivals.arrive(1, some.clone(), SOON), Some(some.clone()));
        assert_eq!(arrivals.next(false), None);
        arrivals.applied(some.weight(), SOON);
        assert_eq!(arrivals.weight(), 0);
    }

    /// Applies a long run at so many messages a millisecond. Returns the most that stood in line, at first and at last.
    fn applied_at(rate: u32) -> [u32; 2] {
        let mut arrivals = Arrivals::default();
        let count = 20 * PIECE + 1;
        let mut now = SOON;
        assert_eq!(arrivals.arrive(7, undefined(count), now), None);
        let (mut next, mut in_line) = (7, Vec::new());
        while arrivals.weight() > 0 {
            let mut told = Vec::new();
            while let Some((first, event)) = arrivals.next(false) {
                assert_eq!(first, next);
                next += u64::from(event.messages());
                told.push(event);
            }
            in_line.push(told.iter().map(Event::messages).sum());
            for event in told {
                now += Duration::from_millis(1) * event.messages() / rate;
                arrivals.applied(event.weight(), now);
            }
        }
        assert_eq!(next, 7 + u64::from(count));
        [in_line[0], in_line[in_line.len() / 2]]
    }

    #[test]
    fn a_long_run_is_told_in_pieces_that_are_applied_in_some_milliseconds() {
        let [first, later] = applied_at(4000);
        assert!(first <= 256, "{first}");
        assert!((PIECE..=3 * PIECE).contains(&later), "{later}");
        let [_, later] = applied_at(100);
        assert!((2000..=4000).contains(&later), "{later}");
        let [_, later] = applied_at(5);
        assert!(later <= 128, "{later}");
    }

    #[test]
    fn what_comes_later_waits_for_what_waits() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.arrive(1, large(), SOON), None);
        assert_eq!(arrivals.arrive(2, undefined(1), SOON), None);
        assert_eq!(arrivals.next(false), Some((1, large())));
        assert_eq!(arrivals.next(false), None);
        assert_eq!(arrivals.arrive(3, undefined(1), SOON), None);
        arrivals.applied(large().weight(), SOON);
        assert_eq!(arrivals.next(false), Some((2, undefined(1))));
        assert_eq!(arrivals.next(false), Some((3, undefined(1))));
        assert_eq!(arrivals.next(false), None);
    }

    #[test]
    fn everything_can_be_told_at_once_or_forgotten() {
        let mut arrivals = Arrivals::default();
        for first in [1, 2] {
            assert_eq!(arrivals.arrive(first, large(), SOON), None);
        }
        assert!(arrivals.next(false).is_some() && arrivals.next(false).is_none());
        assert!(arrivals.next(true).is_some() && arrivals.next(true).is_none());
        let told = arrivals.weight();
        assert_eq!(arrivals.arrive(3, undefined(1), SOON), None);
        arrivals.forget();
        assert_eq!((arrivals.weight(), arrivals.next(true)), (told, None));
    }
}
