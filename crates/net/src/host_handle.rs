//! The way in: everything that a program can do with a host.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use distribus_mesh::{Config, DialError, Event, Input};

use crate::driver::Shared;
use crate::listener;
use crate::system_error::own_error;

/// One host of the mesh. Clones are handles of the same host, which ends with [`shutdown`](Self::shutdown) or with its
/// last handle.
#[derive(Clone)]
pub struct HostHandle(Arc<Shared>);

/// An address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind {
    pub address: IpAddr,
    /// Whether listening fails when this address cannot be had. If it is not required, only a port that is in use makes
    /// it fail: a machine without IPv6, for example, does not.
    pub required: bool,
}

impl HostHandle {
    /// Makes a host. `wake` is called from any thread, never under a lock of the host, when events begin to wait; not
    /// again before [`take`](Self::take) has taken them all. A call may be under way while
    /// [`shutdown`](Self::shutdown) returns.
    pub fn new(config: Config, wake: impl Fn() + Send + Sync + 'static) -> HostHandle {
        HostHandle(Shared::new(config, Arc::new(wake)))
    }

    /// The random id of this host: 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        self.0.id()
    }

    /// Handles the inputs in their order in one locking, then writes what can be written without blocking, on the
    /// calling thread.
    pub fn input(&self, inputs: impl IntoIterator<Item = Input>) {
        // Costs nothing for a vector, and keeps the work of every other iterator out of the lock.
        let inputs: Vec<Input> = inputs.into_iter().collect();
        self.0.run(inputs.into_iter());
    }

    /// Moves waiting events to `events`, in their order: at least one if there is any, about `max_bytes` at most.
    /// Returns how many have been taken since the beginning, which is the `upto` of
    /// [`Input::Applied`](distribus_mesh::Input::Applied).
    pub fn take(&self, max_bytes: usize, events: &mut Vec<Event>) -> u64 {
        self.0.take(max_bytes, events)
    }

    /// [`input`](Self::input) and [`take`](Self::take) in one locking. Does not wake for the events: whoever exchanges
    /// goes on until there are none left.
    pub fn exchange(
        &self,
        inputs: impl IntoIterator<Item = Input>,
        max_bytes: usize,
        events: &mut Vec<Event>,
    ) -> u64 {
        let inputs: Vec<Input> = inputs.into_iter().collect();
        self.0.exchange(inputs.into_iter(), max_bytes, events)
    }

    /// Binds the addresses at once and accepts connections from then on. With port 0 the system chooses a port, the
    /// same for all addresses. Returns the port.
    pub fn listen(&self, addresses: &[Bind], port: u16) -> Result<u16, DialError> {
        let mut listening = self.0.listening.lock();
        if self.0.is_down() {
            return Err(own_error("ERR_HOST_CLOSED", "The host is closed"));
        }
        if listening.is_some() {
            return Err(own_error("ERR_SERVER_ALREADY_LISTENING", "Server already listening"));
        }
        let started = listener::listen(&self.0, addresses, port)?;
        let port = started.port();
        *listening = Some(started);
        Ok(port)
    }

    /// Stops listening (the port is free when this returns) and ends all accepted links hard.
    pub fn close_server(&self) {
        let listening = self.0.listening.lock().take();
        if listening.is_some() {
            drop(listening);
            self.0.end_accepted();
        }
    }

    /// One non-blocking write for every link that has something to write: for the end of the process.
    pub fn write_now(&self) {
        self.0.write_now();
    }

    /// Ends everything at once, without events: sockets, tasks, timers. Afterwards nothing has an effect any more.
    pub fn shutdown(&self) {
        self.0.shutdown();
    }
}

impl fmt::Debug for HostHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HostHandle").field("id", &self.id()).finish_non_exhaustive()
    }
}
