//! Rings the mesh when its deadline comes.

use std::sync::{Arc, Weak};

use tokio::sync::{Notify, watch};

use crate::driver::Shared;
use crate::runtime;

/// Starts a host's timer task. It holds the host weakly and ends when `ended`'s sender is gone.
pub fn spawn(host: Weak<Shared>, rearm: Arc<Notify>, mut ended: watch::Receiver<()>) {
    runtime::handle().spawn(async move {
        loop {
            let Some(at) = host
                .upgrade()
                .map(|host| host.armed().and_then(|time| host.at(time)))
            else {
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
                    Some(host) => host.tick(),
                    None => return,
                },
                () = rearm.notified() => {}
                _ = ended.changed() => return,
            }
        }
    });
}
