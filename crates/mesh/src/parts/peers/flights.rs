//! Messages that have left for where their peer was known to live.

/// Messages that are in flight by one address after the other, to be waited for: the addresses' numbers, and how many by each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flights(Vec<(u64, u32)>);

impl Flights {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, flight: u64, count: u32) {
        if count > 0 {
            self.0.push((flight, count));
        }
    }

    pub fn has(&self, flight: u64) -> bool {
        self.0.iter().any(|(f, _)| *f == flight)
    }

    /// Whether these were waited for.
    pub fn land(&mut self, flight: u64, count: u32) -> bool {
        let Some(at) = self.0.iter().position(|(f, _)| *f == flight) else {
            return false;
        };
        self.0[at].1 = self.0[at].1.saturating_sub(count);
        if self.0[at].1 == 0 {
            self.0.remove(at);
        }
        true
    }
}

/// What messages were that are not in flight any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// A search may wait for that.
    Awaited,
    /// Nothing waits for it.
    Expected,
    /// The peer has been found elsewhere since, and others may have arrived there.
    Adrift,
}
