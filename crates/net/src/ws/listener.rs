//! Listening: binding at once, accepting on the runtime.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use distribus_mesh::DialError;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::failure;
use crate::host::Host;
use crate::opening::{self, Acceptor};
use crate::runtime;
use crate::sockets::{TcpListener, TcpStream, bind};
use crate::ws::gate::{Gate, Pass};

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

/// Binds all addresses to one port and accepts from then on. Returns the port as well.
pub fn listen<H: Host, A: Acceptor>(
    host: &Arc<H>,
    acceptor: A,
    addresses: &[Bind],
    port: u16,
) -> Result<(Server, u16), DialError> {
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
    let acceptor = Arc::new(acceptor);
    for index in 0..count {
        let accepting = accept(
            Arc::clone(host),
            Arc::clone(&acceptor),
            Arc::clone(&listeners),
            index,
            Arc::clone(&gate),
            stopped.clone(),
        );
        runtime.spawn(accepting);
    }
    let server = Server {
        listeners,
        _stop: stop,
    };
    Ok((server, bound))
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

async fn accept<H: Host, A: Acceptor>(
    host: Arc<H>,
    acceptor: Arc<A>,
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
                let Some((pass, ousted)) = gate.enter(&host.limits()) else {
                    continue;
                };
                let (host, acceptor) = (Arc::clone(&host), Arc::clone(&acceptor));
                let mut stopped = stopped.clone();
                runtime::handle().spawn(async move {
                    tokio::select! {
                        () = serve(&host, acceptor.as_ref(), stream, pass) => {}
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

/// Serves an accepted connection.
async fn serve<H: Host>(
    host: &Arc<H>,
    acceptor: &impl Acceptor,
    stream: TcpStream,
    mut pass: Pass,
) {
    let _ = stream.set_nodelay(true);
    // Given back when the link is open: it would be most of what an idle link takes.
    let accepted = Box::pin(acceptor.accept(host.as_ref(), stream)).await;
    if let Some(opened) = accepted
        && pass.shaken(&host.limits())
    {
        opening::accept(host, opened).await;
    }
}
