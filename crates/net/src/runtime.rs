//! The one runtime of the process.

#[cfg(not(feature = "simulated"))]
use std::sync::OnceLock;

use tokio::runtime::Handle;
#[cfg(not(feature = "simulated"))]
use tokio::runtime::{Builder, Runtime};

/// Sockets of all hosts in all JavaScript environments of the process share it. It holds nothing of any environment and is never
/// shut down: its threads end with the process.
#[cfg(not(feature = "simulated"))]
pub fn handle() -> Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            let mut builder = Builder::new_multi_thread();
            builder
                .worker_threads(2)
                .thread_name("distribus")
                .enable_all();
            // Without threads nothing can work; the crossing turns this into an exception.
            builder
                .build()
                .expect("the operating system gives no threads")
        })
        .handle()
        .clone()
}

/// Does something later, on a thread where it may take its time.
pub fn after(time: std::time::Duration, what: impl FnOnce() + Send + 'static) {
    handle().spawn(async move {
        tokio::time::sleep(time).await;
        tokio::task::spawn_blocking(what);
    });
}

/// Each simulated host has its own.
#[cfg(feature = "simulated")]
pub fn handle() -> Handle {
    Handle::current()
}
