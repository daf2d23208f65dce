//! Reading sockets on the thread of JavaScript: what that takes of Node-API. The rest is in the crate `distribus-uv`.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use distribus_uv::{Environment, HostLoop, Loop};
use napi::bindgen_prelude::*;
use napi::{Env, sys};
use parking_lot::Mutex;

/// This environment's loop, from the first host that wants it until the environment ends.
struct Watching(Loop);

/// The loop that runs this environment's JavaScript. `None` where sockets cannot be read on it.
pub fn of(env: &Env) -> Option<Loop> {
    if let Ok(Some(Watching(existing))) = env.get_instance_data::<Watching>() {
        return Some(existing.clone());
    }
    let raw = env.get_uv_event_loop().ok().filter(|raw| !raw.is_null())?;
    // SAFETY: the loop of this environment is run by this thread, and is until the cleanup hook below is removed.
    let environment = unsafe { Environment::new(raw.cast()) }?;
    let handle = environment.handle();
    let argument = Box::into_raw(Box::new(environment));
    // SAFETY: `end` takes the box back, and is called once.
    let status = unsafe {
        sys::napi_add_async_cleanup_hook(env.raw(), Some(end), argument.cast(), null_mut())
    };
    if status != sys::Status::napi_ok {
        // Without the hook the loop could not be left in time.
        // SAFETY: nobody else has it.
        unsafe { Box::from_raw(argument) }.close(|| {});
        return None;
    }
    env.set_instance_data(Watching(handle.clone()), (), |_| {})
        .ok()?;
    Some(handle)
}

/// The environment ends: it waits until the loop has forgotten us.
unsafe extern "C" fn end(hook: sys::napi_async_cleanup_hook_handle, argument: *mut c_void) {
    // SAFETY: see `of`.
    let environment = unsafe { Box::from_raw(argument.cast::<Environment>()) };
    environment.close(move || {
        // SAFETY: the hook has not been removed yet, this is its thread.
        unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    });
}

/// A function of JavaScript that is called right out of the event loop.
pub struct Callback {
    env: sys::napi_env,
    /// Taken out when the host is shut down.
    function: Mutex<Option<sys::napi_ref>>,
}

// SAFETY: `call` and `release` are called on the environment's thread alone; other threads only hold the callback.
unsafe impl Send for Callback {}
unsafe impl Sync for Callback {}

impl Callback {
    pub fn new(env: &Env, function: &Function<(), ()>) -> Result<Arc<Self>> {
        let mut reference = null_mut();
        // SAFETY: an environment and a value of it.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), function.raw(), 1, &mut reference) };
        check_status!(status)?;
        Ok(Arc::new(Callback {
            env: env.raw(),
            function: Mutex::new(Some(reference)),
        }))
    }

    /// The host's share of the loop, which calls this function after bursts.
    pub fn enter(self: &Arc<Self>, event_loop: &Loop) -> HostLoop {
        let callback = Arc::clone(self);
        event_loop.host(Arc::new(move || callback.call()))
    }

    /// Calls the function, then the tasks that it leaves behind. An exception is uncaught, as in any other callback.
    fn call(&self) {
        let Some(reference) = *self.function.lock() else {
            return;
        };
        let env = self.env;
        // SAFETY: this is called by the loop that runs this environment. A failing call leaves null behind, which the next one refuses.
        unsafe {
            let mut scope = null_mut();
            if sys::napi_open_handle_scope(env, &mut scope) != sys::Status::napi_ok {
                return;
            }
            let (mut function, mut result) = (null_mut(), null_mut());
            sys::napi_get_reference_value(env, reference, &mut function);
            // What the function is called on is the async resource, too, whose `domain` Node.js enters once that module is loaded. In
            // a REPL the global object has one that cannot be entered, so it is the function itself.
            let status = sys::napi_make_callback(
                env,
                null_mut(),
                function,
                function,
                0,
                null_mut(),
                &mut result,
            );
            if status == sys::Status::napi_pending_exception {
                let mut exception = null_mut();
                if sys::napi_get_and_clear_last_exception(env, &mut exception)
                    == sys::Status::napi_ok
                {
                    sys::napi_fatal_exception(env, exception);
                }
            }
            sys::napi_close_handle_scope(env, scope);
        }
    }

    /// Lets the function go; it is not called any more.
    pub fn release(&self) {
        if let Some(reference) = self.function.lock().take() {
            // SAFETY: made by `new`, on this thread, and taken out once.
            unsafe { sys::napi_delete_reference(self.env, reference) };
        }
    }
}
