//! The one timer of a host: a task that sleeps until the mesh's next deadline.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep_until;

use crate::driver::{Alarm, Shared};

/// The shortest time between two ticks.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// Gives the mesh its ticks, until the host is gone. `alarm` says that a deadline has become earlier.
pub(crate) async fn run(host: Weak<Shared>, alarm: Arc<Notify>, epoch: Instant) {
    while let Some(next) = host.upgrade().map(|host| host.tick()) {
        let deadline = match next {
            Alarm::Ended => return,
            Alarm::Never => None,
            // Further away than the clock can count is never.
            Alarm::At(time) => epoch.checked_add(time),
        };
        match deadline {
            None => alarm.notified().await,
            Some(deadline) => {
                tokio::select! {
                    () = sleep_until(deadline.into()) => {}
                    () = alarm.notified() => {}
                }
            }
        }
    }
}
