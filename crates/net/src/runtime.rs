//! The one runtime of the process.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

/// Sockets of all hosts in all JavaScript environments of the process share it. It holds nothing of any environment and is never
/// shut down: its threads end with the process.
pub fn handle() -> &'static Handle {
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
}
