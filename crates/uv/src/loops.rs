//! A loop as other threads see it, and what a host has of it.

use std::sync::Arc;

use distribus_net::{Attached, LinkReader, ReadLoop};

use crate::mailbox::{Letter, Mailbox};
use crate::reading::{self, Deliver};
use crate::watch::{self, Environment};

impl Environment {
    /// The environment's loop.
    pub fn handle(&self) -> Loop {
        Loop {
            mailbox: self.mailbox(),
        }
    }
}

/// A loop as other threads see it.
#[derive(Clone)]
pub struct Loop {
    mailbox: Arc<Mailbox>,
}

impl Loop {
    /// One host's share of the loop.
    pub fn host(&self, deliver: Arc<Deliver>) -> HostLoop {
        HostLoop {
            mailbox: Arc::clone(&self.mailbox),
            deliver,
        }
    }
}

/// What one host gives to its body.
#[derive(Clone)]
pub struct HostLoop {
    mailbox: Arc<Mailbox>,
    deliver: Arc<Deliver>,
}

impl HostLoop {
    /// To be called when events begin to wait. True when they will be delivered right after the burst that is being read on this thread; else
    /// somebody has to ring the doorbell.
    pub fn wake(&self) -> bool {
        reading::wake(&self.deliver)
    }
}

impl ReadLoop for HostLoop {
    fn attach(&self, reader: Box<dyn LinkReader>) -> Option<Box<dyn Attached>> {
        let id = self.mailbox.attach(reader, Arc::clone(&self.deliver))?;
        let mailbox = Arc::clone(&self.mailbox);
        Some(Box::new(Watched { mailbox, id }))
    }

    fn read_now(&self) {
        watch::read_now(&self.mailbox, &self.deliver);
    }
}

/// A socket that is watched.
struct Watched {
    mailbox: Arc<Mailbox>,
    id: u64,
}

impl Attached for Watched {
    fn resume(&self) {
        self.mailbox.send(Letter::Resume { id: self.id });
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.mailbox.send(Letter::Detach { id: self.id });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi;
    use crate::reading::reading;
    use distribus_net::ReadEnd;
    use std::os::fd::RawFd;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how often it is dropped.
    struct Unread(Arc<AtomicUsize>);

    impl LinkReader for Unread {
        fn socket(&self) -> RawFd {
            -1
        }
        fn wanted(&self) -> bool {
            false
        }
        fn ready(&mut self) -> ReadEnd {
            ReadEnd::Ended
        }
    }

    impl Drop for Unread {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn without_libuv() -> Loop {
        Loop {
            mailbox: Arc::default(),
        }
    }

    #[test]
    fn a_process_without_libuv_is_recognised() {
        // SAFETY: without libuv, as here, the pointer is not looked at.
        assert!(ffi::uv().is_none() && unsafe { Environment::new(std::ptr::null_mut()) }.is_none());
    }

    #[test]
    fn a_loop_that_does_not_run_drops_the_reader() {
        let drops = Arc::new(AtomicUsize::new(0));
        let host = without_libuv().host(Arc::new(|| {}));
        assert!(host.attach(Box::new(Unread(Arc::clone(&drops)))).is_none());
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn only_the_host_that_is_being_read_is_woken_here() {
        let event_loop = without_libuv();
        let deliver: Arc<Deliver> = Arc::new(|| {});
        let (one, other) = (
            event_loop.host(Arc::clone(&deliver)),
            event_loop.host(Arc::new(|| {})),
        );
        assert!(!one.wake());
        let (_, woken) = reading(&deliver, || assert!(!other.wake()));
        assert!(!woken);
        let (elsewhere, woken) = reading(&deliver, || {
            let elsewhere = std::thread::scope(|s| s.spawn(|| one.wake()).join());
            assert!(one.wake());
            elsewhere
        });
        assert!(woken && matches!(elsewhere, Ok(false)));
        assert!(!one.wake());
    }
}
