//! Libuv's functions, as far as we need them, from the process that we have been loaded into. Its types are opaque here, their sizes asked for.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use libloading::os::unix::Library;

/// `uv_loop_t`
pub type RawLoop = c_void;
/// `uv_handle_t` and what derives from it
pub type RawHandle = c_void;

pub const UV_ASYNC: c_int = 1;
pub const UV_POLL: c_int = 8;
pub const UV_PREPARE: c_int = 9;
pub const UV_READABLE: c_int = 1;

pub type AsyncCallback = unsafe extern "C" fn(*mut RawHandle);
pub type PrepareCallback = unsafe extern "C" fn(*mut RawHandle);
pub type PollCallback = unsafe extern "C" fn(*mut RawHandle, status: c_int, events: c_int);
pub type CloseCallback = unsafe extern "C" fn(*mut RawHandle);

macro_rules! symbols {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        pub struct Uv {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Uv {
            fn load() -> Option<Uv> {
                let process = Library::this();
                Some(Uv {
                    // SAFETY: libuv has kept these signatures since 1.19. The symbols are the process's own and stay.
                    $($name: unsafe { *process.get(concat!(stringify!($name), "\0").as_bytes()).ok()? },)*
                })
            }
        }
    };
}

symbols! {
    uv_handle_size: fn(c_int) -> usize;
    uv_handle_get_data: fn(*const RawHandle) -> *mut c_void;
    uv_handle_set_data: fn(*mut RawHandle, *mut c_void);
    uv_unref: fn(*mut RawHandle);
    uv_close: fn(*mut RawHandle, Option<CloseCallback>);
    uv_async_init: fn(*mut RawLoop, *mut RawHandle, Option<AsyncCallback>) -> c_int;
    uv_async_send: fn(*mut RawHandle) -> c_int;
    uv_backend_fd: fn(*const RawLoop) -> c_int;
    uv_backend_timeout: fn(*const RawLoop) -> c_int;
    uv_prepare_init: fn(*mut RawLoop, *mut RawHandle) -> c_int;
    uv_prepare_start: fn(*mut RawHandle, Option<PrepareCallback>) -> c_int;
    uv_poll_init: fn(*mut RawLoop, *mut RawHandle, c_int) -> c_int;
    uv_poll_start: fn(*mut RawHandle, c_int, Option<PollCallback>) -> c_int;
    uv_poll_stop: fn(*mut RawHandle) -> c_int;
}

/// `None` when this process has no libuv.
pub fn uv() -> Option<&'static Uv> {
    static UV: OnceLock<Option<Uv>> = OnceLock::new();
    UV.get_or_init(Uv::load).as_ref()
}
