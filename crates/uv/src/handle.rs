//! Memory for libuv's handles, whose sizes only libuv knows, with something of ours that lives as long.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::ffi::{RawHandle, Uv};

/// More than any of libuv's members needs.
const ALIGN: usize = 16;

/// A handle of libuv whose data is a `T`. It is a plain pointer: whoever copies it sees to it that nobody uses it after [`close`](Handle::close) has freed it.
pub struct Handle<T> {
    raw: NonNull<RawHandle>,
    data: PhantomData<*mut T>,
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<T> {}

fn layout(uv: &Uv, kind: c_int) -> Option<Layout> {
    // SAFETY: asks for a number.
    let size = unsafe { (uv.uv_handle_size)(kind) };
    // Libuv says -1 to kinds that it does not know.
    let known = (1..=64 * 1024).contains(&size);
    known
        .then(|| Layout::from_size_align(size, ALIGN).ok())
        .flatten()
}

impl<T> Handle<T> {
    /// Makes a handle of that kind. `init` initialises it, and says whether it could; if not, `data` comes back.
    ///
    /// # Safety
    /// `kind` must be that of the handles that `init` initialises. To be called on the loop's thread.
    pub unsafe fn new(
        uv: &Uv,
        kind: c_int,
        data: T,
        init: impl FnOnce(*mut RawHandle) -> c_int,
    ) -> Result<Handle<T>, T> {
        let Some(layout) = layout(uv, kind) else {
            return Err(data);
        };
        // SAFETY: the size is not zero.
        let Some(raw) = NonNull::new(unsafe { alloc_zeroed(layout) }.cast::<c_void>()) else {
            return Err(data);
        };
        if init(raw.as_ptr()) != 0 {
            // SAFETY: allocated just now with that layout; the loop does not know it.
            unsafe { dealloc(raw.as_ptr().cast(), layout) };
            return Err(data);
        }
        // SAFETY: the handle is initialised, this is its thread.
        unsafe {
            (uv.uv_handle_set_data)(raw.as_ptr(), Box::into_raw(Box::new(data)).cast());
            (uv.uv_unref)(raw.as_ptr());
        }
        Ok(Handle {
            raw,
            data: PhantomData,
        })
    }

    /// The handle that a callback is called with.
    ///
    /// # Safety
    /// `raw` must come from [`new`](Handle::new) of the same type and not have been freed.
    pub unsafe fn from_raw(raw: *mut RawHandle) -> Option<Handle<T>> {
        NonNull::new(raw).map(|raw| Handle {
            raw,
            data: PhantomData,
        })
    }

    pub fn raw(self) -> *mut RawHandle {
        self.raw.as_ptr()
    }

    pub fn data(self, uv: &Uv) -> *mut T {
        // SAFETY: reads a field of an initialised handle.
        unsafe { (uv.uv_handle_get_data)(self.raw()).cast() }
    }

    /// Takes the data out and frees the handle.
    ///
    /// # Safety
    /// To be called once, in the handle's close callback. `kind` as it was given to [`new`](Handle::new).
    pub unsafe fn free(self, uv: &Uv, kind: c_int) -> T {
        // SAFETY: the data was boxed by `new`; libuv does not know the handle any more.
        unsafe {
            let data = Box::from_raw(self.data(uv));
            if let Some(layout) = layout(uv, kind) {
                dealloc(self.raw().cast(), layout);
            }
            *data
        }
    }
}
