//! The handle of a host, for whoever drives it.

use std::sync::Arc;

use distribus_mesh::{Config, DialError, Event, Input, Raw};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::driver::Shared;
use crate::failure;
use crate::limits::Limits;
use crate::opening::{self, Dialer};
use crate::read_loop::ReadLoop;
use crate::runtime;
use crate::stats::HostStats;
use crate::ws::listener::{self, Bind};
use crate::ws::pipe;
use crate::ws::tcp::Tcp;

/// A host. Clones are handles of the same one; it lives until [`shutdown`](HostHandle::shutdown).
#[derive(Clone)]
pub struct HostHandle {
    shared: Arc<Shared>,
}

impl HostHandle {
    /// A host that neither listens nor is connected. `wake` is called, from any thread and without any lock, when events begin to
    /// wait, and then not again until [`take`](HostHandle::take) has found none.
    ///
    /// With a `read_loop`, sockets are read there, otherwise on the runtime.
    pub fn new(
        config: Config,
        wake: impl Fn() + Send + Sync + 'static,
        read_loop: Option<Arc<dyn ReadLoop>>,
    ) -> HostHandle {
        HostHandle {
            shared: Shared::new(config, Box::new(wake), read_loop),
        }
    }

    /// The host's id: 32 random hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// How many frames this host has sent in all.
    pub fn frames_sent(&self) -> u64 {
        self.shared.frames_sent()
    }

    /// What its sockets obey from now on.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.set_limits(limits);
    }

    /// Hands inputs to the mesh, in order, and writes to the sockets what can be written without blocking.
    pub fn input(&self, inputs: impl IntoIterator<Item = Input>) {
        self.shared.input(inputs, false);
    }

    /// As [`input`](HostHandle::input), but what makes no full frame may wait for the next call: one will follow soon.
    pub fn input_more(&self, inputs: impl IntoIterator<Item = Input>) {
        self.shared.input(inputs, true);
    }

    /// Moves waiting events to the end of `events`, at least one if there are any, about `max_bytes` at most. Returns how many
    /// events have been taken in all: what [`Input::Applied`] calls `upto`.
    pub fn take(&self, max_bytes: usize, events: &mut Vec<Event>) -> u64 {
        self.shared.take(max_bytes, events)
    }

    /// Listens at once at all these addresses with one port; 0 is any free one. Returns the port.
    pub fn listen(&self, addresses: &[Bind], port: u16) -> Result<u16, DialError> {
        if self.shared.is_serving() {
            return Err(failure::other(
                "ERR_SERVER_ALREADY_LISTENING",
                "Server already listening",
            ));
        }
        let (server, port) = listener::listen(&self.shared, Tcp, addresses, port)?;
        self.shared.serve(Some(server));
        Ok(port)
    }

    /// Urls of that scheme, in small letters, are dialled so from now on. `ws` has a dialer from the beginning, but may get another one.
    pub fn dial_with(&self, scheme: &str, dialer: impl Dialer) {
        self.shared.schemes.put(scheme, dialer);
    }

    /// Answers a connection that somebody else has accepted, whatever it goes over. This host's server neither counts it nor ends it.
    pub fn accept<T>(&self, stream: T)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shared = Arc::clone(&self.shared);
        runtime::handle().spawn(async move {
            if let Some(opened) = pipe::accept_over(shared.as_ref(), stream).await {
                opening::accept(&shared, opened).await;
            }
        });
    }

    /// That url is dialled with this value of the header `Authorization` from now on, or without. No other host learns of it.
    pub fn authorize(&self, url: &str, authorization: Option<&str>) {
        self.shared.credentials.keep(url, authorization);
    }

    /// Forgets that value for that url, unless there is a newer one.
    pub fn forget_authorization(&self, url: &str, authorization: &str) {
        self.shared.credentials.forget(url, authorization);
    }

    /// Stops listening, frees the port at once, and ends all connections that came in that way.
    pub fn close_server(&self) {
        drop(self.shared.serve(None));
    }

    /// What has been done so far, and what waits.
    pub fn stats(&self) -> HostStats {
        self.shared.stats()
    }

    /// Whether so much waits for a host that it would be better to publish no more for now. `Event::Relieved` reports when that is over.
    pub fn is_pressed(&self) -> bool {
        self.shared.is_pressed()
    }

    /// Whether a lost host is just being dialled.
    pub fn is_seeking(&self) -> bool {
        self.shared.is_seeking()
    }

    /// Whether a send to that peer would fail now because too much is in flight.
    pub fn refuses(&self, to: &Option<Raw>) -> bool {
        self.shared.refuses(to)
    }

    /// Frees the port. The connections that came in stay.
    pub fn stop_accepting(&self) {
        self.shared.stop_accepting();
    }

    /// Writes to every link what can be written without blocking.
    pub fn write_now(&self) {
        self.shared.flush_all();
    }

    /// Ends everything at once and without events. Calls after that do nothing.
    pub fn shutdown(&self) {
        self.shared.shutdown();
    }
}
