//! Listening: binding at once, accepting on the runtime.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use distribus_mesh::{DialError, Input};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::driver::Shared;
use crate::failure;
use crate::gate::{Gate, Pass};
use crate::runtime;
use crate::sockets::{TcpListener, TcpStream, bind};
use crate::ws::connection::{self, Connection, Link};
use crate::ws::upgrade;

/// How often to look for a port that is free at all addresses.
const PORT_TRIES: usize = 16;

/// An address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind {
    pub address: IpAddr,
    /// Whether listening fails when this address cannot be bound. (One that is in use fails it in any case.)
    pub required: bool,
}

/// A listening server. Dropping it frees the port at once and ends all connections that it has accepted.
pub struct Server {
    listeners: Arc<Mutex<Vec<TcpListener>>>,
    _stop: watch::Sender<()>,
}

impl Server {
    /// Frees the port. The connections stay.
    pub fn stop_accepting(&self) {
        self.listeners.lock().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listeners.lock().clear();
    }
}

/// Binds all addresses to one port and accepts from then on.
pub fn listen(shared: &Arc<Shared>, addresses: &[Bind], port: u16) -> Result<u16, DialError> {
    if shared.is_serving() {
        return Err(failure::other(
            "ERR_SERVER_ALREADY_LISTENING",
            "Server already listening",
        ));
    }
    let mut tries = PORT_TRIES;
    let runtime = runtime::handle();
    let _entered = runtime.enter();
    let listeners = loop {
        match bind_all(addresses, port) {
            Err(error) if port == 0 && error.code == "EADDRINUSE" && tries > 0 => tries -= 1,
            bound => break bound?,
        }
    };
    let bound = listeners
        .last()
        .and_then(|l| l.local_addr().ok())
        .map_or(port, |at| at.port());
    let count = listeners.len();
    let listeners = Arc::new(Mutex::new(listeners));
    let (stop, stopped) = watch::channel(());
    let gate = Arc::new(Gate::default());
    for index in 0..count {
        let accepting = accept(
            Arc::clone(shared),
            Arc::clone(&listeners),
            index,
            Arc::clone(&gate),
            stopped.clone(),
        );
        runtime.spawn(accepting);
    }
    shared.serve(Some(Server {
        listeners,
        _stop: stop,
    }));
    Ok(bound)
}

fn bind_all(addresses: &[Bind], mut port: u16) -> Result<Vec<TcpListener>, DialError> {
    let mut listeners = Vec::new();
    for Bind { address, required } in addresses {
        let at = SocketAddr::new(*address, port);
        match bind(at) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |at| at.port());
                listeners.push(listener);
            }
            Err(error) => {
                let all = address.is_unspecified() && !required;
                if *required || (error.kind() == io::ErrorKind::AddrInUse && !all) {
                    return Err(failure::system("listen", &error, at));
                }
            }
        }
    }
    Ok(listeners)
}

async fn accept(
    shared: Arc<Shared>,
    listeners: Arc<Mutex<Vec<TcpListener>>>,
    index: usize,
    gate: Arc<Gate>,
    mut stopped: watch::Receiver<()>,
) {
    loop {
        let next = std::future::poll_fn(|cx| match listeners.lock().get(index) {
            Some(listener) => listener.poll_accept(cx),
            None => std::task::Poll::Pending,
        });
        let accepted = tokio::select! {
            accepted = next => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let Some((pass, ousted)) = gate.enter(&shared.limits()) else {
                    continue;
                };
                let shared = Arc::clone(&shared);
                let mut stopped = stopped.clone();
                runtime::handle().spawn(async move {
                    tokio::select! {
                        () = serve(&shared, stream, pass) => {}
                        () = ousted.wait() => {}
                        _ = stopped.changed() => {}
                    }
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: the connection stays in the queue, so do not ask again at once.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves an accepted connection. The mesh hears of its end even when this is cancelled.
async fn serve(shared: &Arc<Shared>, mut stream: TcpStream, mut pass: Pass) {
    let _ = stream.set_nodelay(true);
    let Some(leftover) = upgrade::upgrade(&mut stream, shared.limits().handshake_timeout).await
    else {
        return;
    };
    if !pass.shaken(&shared.limits()) {
        return;
    }
    let Ok(connection) = Connection::open(shared, stream, false) else {
        return;
    };
    let Some(link) = shared.accepted(Arc::clone(&connection) as Arc<dyn Link>) else {
        return;
    };
    let _ended = Ended { shared, link };
    connection::run(shared, link, &connection, leftover).await;
}

struct Ended<'a> {
    shared: &'a Shared,
    link: distribus_mesh::LinkId,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.shared
            .ended(self.link, Input::Closed { link: self.link });
    }
}
