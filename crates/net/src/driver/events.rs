//! The events that wait for the program, and whether it knows that some do.

use std::collections::VecDeque;

use distribus_mesh::Event;

#[derive(Default)]
pub struct Events {
    waiting: VecDeque<Event>,
    taken: u64,
    /// The program has been woken and has not emptied the queue yet.
    awake: bool,
}

impl Events {
    /// Returns how many bytes the event is, about.
    pub fn push(&mut self, event: Event) -> usize {
        let bytes = event.weight();
        self.waiting.push_back(event);
        bytes
    }

    /// Whether the program is to be woken now. Then it counts as awake.
    pub fn wake(&mut self) -> bool {
        let wake = !self.awake && !self.waiting.is_empty();
        self.awake |= wake;
        wake
    }

    /// Moves waiting events, about that many bytes of them. Returns how many bytes these are, and how many events were taken in all.
    pub fn take(&mut self, max_bytes: usize, into: &mut Vec<Event>) -> (usize, u64) {
        let mut bytes = 0;
        let mut count = 0;
        while bytes < max_bytes
            && let Some(event) = self.waiting.pop_front()
        {
            bytes += event.weight();
            count += 1;
            into.push(event);
        }
        self.taken += count;
        if count == 0 {
            self.awake = false;
        }
        (bytes, self.taken)
    }

    /// Throws away what waits, and its memory.
    pub fn clear(&mut self) {
        self.waiting = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_woken_once_until_it_has_found_nothing() {
        let mut events = Events::default();
        let mut taken = Vec::new();
        assert!(!events.wake());
        let bytes = events.push(Event::Pulse);
        assert!(events.wake() && !events.wake());
        assert_eq!(events.take(usize::MAX, &mut taken), (bytes, 1));
        events.push(Event::Relieved);
        assert!(!events.wake());
        assert_eq!(events.take(usize::MAX, &mut taken), (bytes, 2));
        assert_eq!(events.take(usize::MAX, &mut taken), (0, 2));
        events.push(Event::Pulse);
        assert!(events.wake());
        assert_eq!(taken, [Event::Pulse, Event::Relieved]);
    }

    #[test]
    fn at_least_one_event_is_taken_and_no_more_than_asked_for() {
        let mut events = Events::default();
        for _ in 0..3 {
            events.push(Event::Pulse);
        }
        let mut taken = Vec::new();
        let bytes = Event::Pulse.weight();
        assert_eq!(events.take(1, &mut taken), (bytes, 1));
        assert_eq!(events.take(bytes + 1, &mut taken), (2 * bytes, 3));
    }
}
