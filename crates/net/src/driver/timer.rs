//! Rings a host when the mesh's deadline comes.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::runtime;

/// Who is rung.
pub trait Rung: Send + Sync + 'static {
    /// When to ring next.
    fn next(&self) -> Option<Instant>;
    fn ring(&self);
}

/// A host's timer.
#[derive(Default)]
pub struct Timer {
    /// The deadline has become earlier than the task knows.
    rearmed: Arc<Notify>,
    /// Dropped to end the task.
    alive: Mutex<Option<watch::Sender<()>>>,
}

impl Timer {
    /// Starts the task. It holds the host weakly.
    pub fn start<R: Rung>(&self, host: Weak<R>) {
        let (alive, ended) = watch::channel(());
        *self.alive.lock() = Some(alive);
        runtime::handle().spawn(run(host, Arc::clone(&self.rearmed), ended));
    }

    /// Looks at the deadline anew.
    pub fn rearm(&self) {
        self.rearmed.notify_one();
    }

    pub fn end(&self) {
        self.alive.lock().take();
    }
}

async fn run<R: Rung>(host: Weak<R>, rearmed: Arc<Notify>, mut ended: watch::Receiver<()>) {
    loop {
        let Some(at) = host.upgrade().map(|host| host.next()) else {
            return;
        };
        let rings = async {
            match at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = rings => match host.upgrade() {
                Some(host) => host.ring(),
                None => return,
            },
            () = rearmed.notified() => {}
            _ = ended.changed() => return,
        }
    }
}
