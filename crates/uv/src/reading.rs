//! Which host's socket is being read on this thread: what wakes that host need not ring, it is delivered right after the burst.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

/// What is called, on the loop's thread, after a burst that has woken the host: it may run JavaScript.
pub type Deliver = dyn Fn() + Send + Sync;

thread_local! {
    /// The host whose socket is being read on this thread, by the address of its `deliver`, and whether it has been woken meanwhile.
    static READING: Cell<(*const c_void, bool)> = const { Cell::new((null(), false)) };
}

fn address(deliver: &Arc<Deliver>) -> *const c_void {
    Arc::as_ptr(deliver).cast()
}

/// Does something that may wake the host, on the loop's thread. The second value says whether it did.
pub fn reading<T>(deliver: &Arc<Deliver>, act: impl FnOnce() -> T) -> (T, bool) {
    let before = READING.replace((address(deliver), false));
    let result = act();
    let (_, woken) = READING.replace(before);
    (result, woken)
}

/// That host is woken. True when its socket is being read on this thread.
pub fn wake(deliver: &Arc<Deliver>) -> bool {
    let (host, _) = READING.get();
    let here = host == address(deliver);
    if here {
        READING.set((host, true));
    }
    here
}
