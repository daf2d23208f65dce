//! Connecting to a url.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{DialError, Input, LinkId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;

use crate::driver::Shared;
use crate::failure;
use crate::race;
use crate::runtime;
use crate::sockets::{TcpStream, lookup_host};
use crate::stream::Socket;
use crate::ws::client_upgrade::{self, Refusal};
use crate::ws::connection::{self, Connection, Link};
use crate::ws::target::{Target, shown};

/// Dials, and serves the link until it ends. Stops when the sender of `stopped` is gone before the link is open.
pub fn spawn(shared: Arc<Shared>, link: LinkId, url: ByteString, mut stopped: watch::Receiver<()>) {
    runtime::handle().spawn(async move {
        let dialled = tokio::select! {
            dialled = dial(&shared, &url) => dialled,
            _ = stopped.changed() => return,
        };
        match dialled {
            Ok((connection, leftover)) => {
                if shared.opened(link, Arc::clone(&connection) as Arc<dyn Link>) {
                    connection::run(&shared, link, &connection, leftover).await;
                    shared.ended(link, Input::Closed { link });
                }
            }
            Err(error) => shared.ended(link, Input::DialFailed { link, error }),
        }
    });
}

/// Gives the connection, and what came after the handshake already.
async fn dial(shared: &Shared, url: &str) -> Result<(Arc<Connection<Socket>>, Vec<u8>), DialError> {
    let within = shared.limits().handshake_timeout;
    let (stream, leftover) = shake(url, within, |target| shared.credentials.of(target)).await?;
    let connection =
        Connection::open(shared, stream, true).map_err(|e| refused(url, Refusal::Lost(e)))?;
    Ok((connection, leftover))
}

/// Looks the name up, connects and shakes hands, all within that time.
pub async fn shake(
    url: &str,
    within: Duration,
    authorization: impl FnOnce(&Target) -> Option<HeaderValue>,
) -> Result<(TcpStream, Vec<u8>), DialError> {
    let mut target = Target::parse(url)?;
    if let Some(value) = authorization(&target) {
        target.request.headers_mut().insert(AUTHORIZATION, value);
    }
    let deadline = Instant::now() + within;
    let silent = || late(url, within);
    let unknown = || DialError {
        syscall: Some("getaddrinfo".to_owned()),
        ..failure::other(
            "ENOTFOUND",
            format!("getaddrinfo ENOTFOUND {}", target.host),
        )
    };
    let addresses = timeout_at(deadline, lookup_host((target.host.as_str(), target.port)))
        .await
        .map_err(|_| silent())?
        .map_err(|_| unknown())?;
    let addresses = race::order(addresses);
    if addresses.is_empty() {
        return Err(unknown());
    }
    let (mut stream, _) = race::connect(&addresses, deadline, TcpStream::connect)
        .await
        .map_err(|failures| {
            let is_late = Instant::now() >= deadline;
            failure::at_all(failures, is_late.then(silent))
        })?;
    // Small frames shall leave at once. A socket that cannot do that works all the same.
    let _ = stream.set_nodelay(true);
    let leftover = timeout_at(
        deadline,
        client_upgrade::upgrade(&mut stream, target.request),
    )
    .await
    .map_err(|_| silent())?
    .map_err(|refusal| refused(url, refusal))?;
    Ok((stream, leftover))
}

/// The other side has let the time pass.
fn late(url: &str, within: Duration) -> DialError {
    let time = if within.as_millis() < 1000 {
        format!("{} ms", within.as_millis())
    } else {
        format!("{} s", within.as_secs_f64())
    };
    let message = format!("No WebSocket handshake with {} within {time}", shown(url));
    failure::other("ERR_HANDSHAKE_TIMEOUT", message)
}

fn refused(url: &str, refusal: Refusal) -> DialError {
    let url = shown(url);
    let (code, what) = match &refusal {
        Refusal::Status(status) => {
            let message = format!("Unexpected server response: {status} (url: {url})");
            return failure::other("ERR_UNEXPECTED_RESPONSE", message);
        }
        Refusal::Lost(error) => (
            failure::code(error),
            "Connection lost during the WebSocket handshake",
        ),
        Refusal::NotHttp | Refusal::TooLong | Refusal::NotWebSocket(_) => {
            ("ERR_HANDSHAKE_FAILED", "No WebSocket handshake")
        }
    };
    failure::other(code, format!("{what}: {refusal} (url: {url})"))
}
