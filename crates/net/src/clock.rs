//! A host's clock.

use distribus_mesh::Time;
use tokio::time::Instant;

/// Counts the time since a host began, as its mesh does. Copies go alike.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that begins now.
    pub fn begin() -> Self {
        Clock {
            start: Instant::now(),
        }
    }

    pub fn now(&self) -> Time {
        self.start.elapsed()
    }

    /// That time on the runtime's clock. `None` when it is too far away to be one.
    pub fn at(&self, time: Time) -> Option<Instant> {
        self.start.checked_add(time)
    }
}
