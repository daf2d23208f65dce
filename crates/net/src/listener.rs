//! Listening: bind at once, accept and upgrade in tasks, and give the port back at once.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use distribus_mesh::DialError;
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::driver::Shared;
use crate::host_handle::Bind;
use crate::system_error::{own_error, system_error};
use crate::{HANDSHAKE_TIMEOUT, runtime, upgrade};

/// How many connections may wait in the system to be accepted.
const BACKLOG: i32 = 1024;

/// How many may be in the middle of their handshake. The next ones wait to be accepted.
const MAX_HANDSHAKES: usize = 1024;

/// How often another free port is tried when the one that the system chose is taken at another address.
const FREE_PORT_TRIES: usize = 8;

/// The rest after an error that is likely to come again at once, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Open ports. They are closed, and the handshakes that have not ended are too, when this is dropped.
pub(crate) struct Listening {
    port: u16,
    slots: Vec<Arc<Slot>>,
    tasks: Vec<AbortHandle>,
}

/// A listener that can be taken away from the task that accepts from it, at once.
struct Slot(Mutex<Option<TcpListener>>);

impl Listening {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.0.lock().take();
        }
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Slot {
    /// The next connection; none when the listener has been taken away.
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<Option<io::Result<TcpStream>>> {
        match &*self.0.lock() {
            None => Poll::Ready(None),
            Some(listener) => listener.poll_accept(context).map(|accepted| Some(accepted.map(|(stream, _)| stream))),
        }
    }
}

/// Binds the addresses and starts to accept.
pub(crate) fn listen(host: &Arc<Shared>, addresses: &[Bind], port: u16) -> Result<Listening, DialError> {
    let (port, sockets) = bind_all(addresses, port)?;
    let failed = |error: &io::Error| {
        let address = addresses.first().map_or([0, 0, 0, 0].into(), |bind| bind.address);
        system_error("listen", error, SocketAddr::new(address, port))
    };
    let runtime = runtime::handle().map_err(|error| failed(&error))?;
    let _context = runtime.enter();
    let mut listening = Listening { port, slots: Vec::new(), tasks: Vec::new() };
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    let era = host.listenings_ended();
    for socket in sockets {
        let listener = TcpListener::from_std(socket.into()).map_err(|error| failed(&error))?;
        let slot = Arc::new(Slot(Mutex::new(Some(listener))));
        let task = runtime.spawn(accept(slot.clone(), Arc::downgrade(host), era, handshakes.clone()));
        listening.slots.push(slot);
        listening.tasks.push(task.abort_handle());
    }
    Ok(listening)
}

/// Binds all addresses to one port, a free one if it is 0.
fn bind_all(addresses: &[Bind], port: u16) -> Result<(u16, Vec<Socket>), DialError> {
    let mut result = bind_once(addresses, port);
    for _ in 1..FREE_PORT_TRIES {
        match &result {
            Err(error) if port == 0 && error.code == "EADDRINUSE" => result = bind_once(addresses, port),
            _ => break,
        }
    }
    result
}

fn bind_once(addresses: &[Bind], port: u16) -> Result<(u16, Vec<Socket>), DialError> {
    let mut bound = port;
    let mut sockets = Vec::new();
    let mut failure = own_error("EINVAL", "there is no address to listen at");
    for bind in addresses {
        let address = SocketAddr::new(bind.address, bound);
        match bind_one(address) {
            Ok((socket, port)) => {
                bound = port;
                sockets.push(socket);
            }
            Err(error) => {
                failure = system_error("listen", &error, address);
                if bind.required || error.kind() == io::ErrorKind::AddrInUse {
                    return Err(failure);
                }
                tracing::debug!(%address, %error, "an address that is not required could not be bound");
            }
        }
    }
    if sockets.is_empty() { Err(failure) } else { Ok((bound, sockets)) }
}

fn bind_one(address: SocketAddr) -> io::Result<(Socket, u16)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Elsewhere this option means that a port can be stolen.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let port = socket.local_addr()?.as_socket().map_or(address.port(), |local| local.port());
    Ok((socket, port))
}

/// Accepts until the listener is taken away. The handshakes end with this task.
async fn accept(slot: Arc<Slot>, host: Weak<Shared>, era: u64, handshakes: Arc<Semaphore>) {
    let mut upgrades = JoinSet::new();
    while let Ok(permit) = handshakes.clone().acquire_owned().await {
        match poll_fn(|context| slot.poll_accept(context)).await {
            None => return,
            Some(Ok(stream)) => {
                upgrades.spawn(welcome(stream, host.clone(), era, permit));
            }
            Some(Err(error)) if is_of_one_connection(&error) => {}
            Some(Err(error)) => {
                tracing::warn!(%error, "accepting failed");
                sleep(PAUSE).await;
            }
        }
        while upgrades.try_join_next().is_some() {}
    }
}

/// Whether the error tells about the connection that was to be accepted, and nothing about the next one.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionAborted | Kind::ConnectionReset | Kind::Interrupted)
}

/// Brings one connection to its upgrade.
async fn welcome(mut stream: TcpStream, host: Weak<Shared>, era: u64, _permit: OwnedSemaphorePermit) {
    let handshake = async {
        stream.set_nodelay(true)?;
        upgrade::upgrade(&mut stream).await
    };
    match timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(Some(received))) => {
            if let Some(host) = host.upgrade() {
                host.accepted(Box::new(stream), received, era).await;
            }
        }
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

#[cfg(test)]
#[path = "../tests/pieces/listener.rs"]
mod tests;
