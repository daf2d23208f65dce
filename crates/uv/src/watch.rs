//! What happens on the loop's thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use distribus_net::{LinkReader, ReadEnd};

use crate::ffi::{self, RawHandle, RawLoop, UV_ASYNC, UV_POLL, UV_PREPARE, UV_READABLE, Uv};
use crate::handle::Handle;
use crate::mailbox::{Letter, Mailbox};
use crate::reading::{Deliver, reading};
use crate::spin::Spin;

/// Our side of an environment's loop. It stays on the loop's thread.
pub struct Environment {
    local: Rc<Local>,
    bell: Handle<Rc<Local>>,
    /// Called before the loop looks for what is ready.
    prepare: Option<Handle<Rc<Local>>>,
    mailbox: Arc<Mailbox>,
}

struct Local {
    uv: &'static Uv,
    raw: *mut RawLoop,
    mailbox: Arc<Mailbox>,
    watches: RefCell<HashMap<u64, Handle<Watch>>>,
    /// Handles whose close callback has not been called yet, the bell included.
    open: Cell<usize>,
    spin: Spin,
    /// Called when the last handle is closed.
    closed: Cell<Option<Box<dyn FnOnce()>>>,
}

thread_local! {
    /// The loop of this thread, while it is watched.
    static HERE: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// A socket that is watched: the data of a poll handle.
struct Watch {
    id: u64,
    local: Rc<Local>,
    reader: Box<dyn LinkReader>,
    deliver: Arc<Deliver>,
}

impl Environment {
    /// Begins to watch. `None` when this process has no libuv, or when that is of another kind.
    ///
    /// # Safety
    /// `raw` must be a `uv_loop_t` that this thread runs, and run until [`close`](Environment::close) has called back.
    pub unsafe fn new(raw: *mut c_void) -> Option<Environment> {
        let uv = ffi::uv()?;
        let mailbox = Arc::new(Mailbox::default());
        let local = Rc::new(Local {
            uv,
            raw,
            mailbox: Arc::clone(&mailbox),
            watches: RefCell::default(),
            open: Cell::new(1),
            spin: Spin::new(),
            closed: Cell::new(None),
        });
        // SAFETY: the caller gives a loop of this thread.
        let bell = unsafe {
            Handle::new(uv, UV_ASYNC, Rc::clone(&local), |handle| {
                (uv.uv_async_init)(raw, handle, Some(on_bell))
            })
        };
        let bell = bell.ok()?;
        mailbox.open(bell.raw());
        // SAFETY: as above.
        let prepare = unsafe {
            Handle::new(uv, UV_PREPARE, Rc::clone(&local), |handle| {
                (uv.uv_prepare_init)(raw, handle)
            })
        };
        let prepare = prepare.ok();
        HERE.set(Some(Rc::clone(&local)));
        if let Some(prepare) = prepare {
            local.open.set(local.open.get() + 1);
            // SAFETY: initialised just now, on its thread.
            unsafe { (uv.uv_prepare_start)(prepare.raw(), Some(on_prepare)) };
        }
        Some(Environment {
            local,
            bell,
            prepare,
            mailbox,
        })
    }

    pub fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Ends everything; calls back when the loop does not know anything of ours any more.
    pub fn close(self, closed: impl FnOnce() + 'static) {
        let Environment {
            local,
            bell,
            prepare,
            ..
        } = self;
        local.closed.set(Some(Box::new(closed)));
        // Also called when the thread ends, after its thread-local variables.
        let _ = HERE.try_with(|here| here.take());
        drop(local.mailbox.close());
        let watches = local.watches.take();
        for watch in watches.into_values() {
            local.end(watch);
        }
        // SAFETY: open until now, on their thread; nobody sends to the bell any more.
        unsafe {
            if let Some(prepare) = prepare {
                (local.uv.uv_close)(prepare.raw(), Some(on_prepare_closed));
            }
            (local.uv.uv_close)(bell.raw(), Some(on_bell_closed));
        }
    }
}

impl Local {
    fn attach(self: &Rc<Self>, id: u64, reader: Box<dyn LinkReader>, deliver: Arc<Deliver>) {
        let socket = reader.socket();
        let watch = Watch {
            id,
            local: Rc::clone(self),
            reader,
            deliver,
        };
        // SAFETY: this is the loop's thread, in a callback of that loop.
        let handle = unsafe {
            Handle::new(self.uv, UV_POLL, watch, |handle| {
                (self.uv.uv_poll_init)(self.raw, handle, socket)
            })
        };
        match handle {
            Ok(handle) => {
                self.open.set(self.open.get() + 1);
                self.watches.borrow_mut().insert(id, handle);
                self.start(handle);
            }
            // Dropping its reader ends the link.
            Err(_) => tracing::warn!("the event loop takes no more sockets"),
        }
    }

    fn start(&self, handle: Handle<Watch>) {
        // SAFETY: the handle is in `watches`, so it is open.
        unsafe { (self.uv.uv_poll_start)(handle.raw(), UV_READABLE, Some(on_readable)) };
    }

    fn detach(&self, id: u64) {
        let watch = self.watches.borrow_mut().remove(&id);
        if let Some(watch) = watch {
            self.end(watch);
        }
    }

    /// Closes a handle that has just been taken out of `watches`.
    fn end(&self, handle: Handle<Watch>) {
        // SAFETY: it was in `watches`, so it was open.
        unsafe { (self.uv.uv_close)(handle.raw(), Some(on_watch_closed)) };
    }

    fn one_closed(&self) {
        self.open.set(self.open.get() - 1);
        if self.open.get() == 0
            && let Some(closed) = self.closed.take()
        {
            closed();
        }
    }
}

unsafe extern "C" fn on_bell(raw: *mut RawHandle) {
    let Some(uv) = ffi::uv() else { return };
    // SAFETY: libuv calls with the handle that `Environment::new` made; its data lives until `on_bell_closed`.
    let local = unsafe {
        let Some(bell) = Handle::<Rc<Local>>::from_raw(raw) else {
            return;
        };
        Rc::clone(&*bell.data(uv))
    };
    for letter in local.mailbox.take() {
        match letter {
            Letter::Attach {
                id,
                reader,
                deliver,
            } => local.attach(id, reader, deliver),
            Letter::Resume { id } => {
                let handle = local.watches.borrow().get(&id).copied();
                if let Some(handle) = handle {
                    local.start(handle);
                }
            }
            Letter::Detach { id } => local.detach(id),
        }
    }
}

unsafe extern "C" fn on_prepare(raw: *mut RawHandle) {
    let Some(uv) = ffi::uv() else { return };
    // SAFETY: libuv calls with the handle that `Environment::new` made; its data lives until `on_prepare_closed`, and nothing here
    // runs JavaScript.
    unsafe {
        let Some(handle) = Handle::<Rc<Local>>::from_raw(raw) else {
            return;
        };
        let local = &**handle.data(uv);
        if !local.watches.borrow().is_empty() {
            let timeout = (uv.uv_backend_timeout)(local.raw);
            local
                .spin
                .before_poll((uv.uv_backend_fd)(local.raw), timeout);
        }
    }
}

unsafe extern "C" fn on_readable(raw: *mut RawHandle, status: c_int, _events: c_int) {
    let Some(uv) = ffi::uv() else { return };
    // SAFETY: libuv calls with a handle of ours, and its data lives until `on_watch_closed`, which this loop cannot call before we return
    // or run JavaScript.
    let (woken, deliver) = unsafe {
        let Some(handle) = Handle::<Watch>::from_raw(raw) else {
            return;
        };
        let watch = &*handle.data(uv);
        let deliver = Arc::clone(&watch.deliver);
        watch.local.spin.arrived();
        let ((), woken) = reading(&deliver, || read(uv, handle, status));
        (woken, deliver)
    };
    if woken {
        deliver();
    }
}

/// Reads a socket once.
///
/// # Safety
/// The handle must be open, and this its loop's thread.
unsafe fn read(uv: &Uv, handle: Handle<Watch>, status: c_int) {
    // SAFETY: no JavaScript runs while the data is borrowed, so nobody else borrows it.
    let watch = unsafe { &mut *handle.data(uv) };
    let reader = &mut watch.reader;
    // A panic must not get into libuv.
    let end = catch_unwind(AssertUnwindSafe(|| reader.ready()));
    match end.unwrap_or(ReadEnd::Ended) {
        // Libuv has stopped watching when there is an error.
        ReadEnd::Blocked | ReadEnd::Full if status < 0 => watch.local.detach(watch.id),
        // It calls again as long as there is something to read.
        ReadEnd::Blocked | ReadEnd::Full => {}
        ReadEnd::Paused => {
            // SAFETY: the handle is open.
            unsafe { (uv.uv_poll_stop)(handle.raw()) };
        }
        ReadEnd::Ended => watch.local.detach(watch.id),
    }
}

/// Reads those sockets of a host that are wanted, if this is the thread of its loop. Nothing runs JavaScript meanwhile: the host is
/// woken by its doorbell.
pub fn read_now(mailbox: &Arc<Mailbox>, deliver: &Arc<Deliver>) {
    let here = HERE.try_with(|here| here.borrow().clone());
    let Some(local) = here.ok().flatten() else {
        return;
    };
    if !Arc::ptr_eq(&local.mailbox, mailbox) {
        return;
    }
    let watches: Vec<Handle<Watch>> = local.watches.borrow().values().copied().collect();
    for watch in watches {
        // SAFETY: handles leave `watches` before they are closed, and are freed by the loop, which does not run meanwhile. The call
        // comes from JavaScript, so no reader is borrowed.
        unsafe {
            let data = &*watch.data(local.uv);
            if Arc::ptr_eq(&data.deliver, deliver) && data.reader.wanted() {
                read(local.uv, watch, 0);
            }
        }
    }
}

unsafe extern "C" fn on_watch_closed(raw: *mut RawHandle) {
    let Some(uv) = ffi::uv() else { return };
    // SAFETY: libuv calls once, with a handle of ours, and then forgets it.
    let watch = unsafe { Handle::<Watch>::from_raw(raw).map(|handle| handle.free(uv, UV_POLL)) };
    if let Some(Watch { local, reader, .. }) = watch {
        drop(reader);
        local.one_closed();
    }
}

unsafe extern "C" fn on_bell_closed(raw: *mut RawHandle) {
    // SAFETY: as above.
    unsafe { own_handle_closed(raw, UV_ASYNC) };
}

unsafe extern "C" fn on_prepare_closed(raw: *mut RawHandle) {
    // SAFETY: as above.
    unsafe { own_handle_closed(raw, UV_PREPARE) };
}

/// # Safety
/// To be called by the close callback of a handle of that kind that `Environment::new` made.
unsafe fn own_handle_closed(raw: *mut RawHandle, kind: c_int) {
    let Some(uv) = ffi::uv() else { return };
    // SAFETY: as above.
    let local = unsafe { Handle::<Rc<Local>>::from_raw(raw).map(|handle| handle.free(uv, kind)) };
    if let Some(local) = local {
        local.one_closed();
    }
}
