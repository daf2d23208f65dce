//! Gives memory back to the system. What hosts that are gone have left behind is freed, but the allocator keeps it for later.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Many hosts may go together.
const AFTER: Duration = Duration::from_secs(2);

static SOON: AtomicBool = AtomicBool::new(false);

/// A host is gone. Costs nothing here: it is done later, once for all, on a thread that nobody waits for.
pub fn give_back_soon() {
    if !SOON.swap(true, Ordering::Relaxed) {
        distribus_net::after(AFTER, || {
            SOON.store(false, Ordering::Relaxed);
            give_back();
        });
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: glibc lets any thread call it at any time.
    unsafe { malloc_trim(0) };
}

/// Other allocators do it by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
