//! Connecting to a url.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{DialError, Input, LinkId};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;

use crate::client_upgrade::{self, Refusal};
use crate::connection::{self, Connection, Link};
use crate::driver::Shared;
use crate::failure;
use crate::runtime;
use crate::sockets::{TcpStream, lookup_host};
use crate::stream::Socket;

/// Dials, and serves the link until it ends. Stops when the sender of `stopped` is gone before the link is open.
pub fn spawn(shared: Arc<Shared>, link: LinkId, url: ByteString, mut stopped: watch::Receiver<()>) {
    runtime::handle().spawn(async move {
        // For looking up the name, connecting and shaking hands together.
        let within = shared.limits().handshake_timeout;
        let dialled = tokio::select! {
            dialled = tokio::time::timeout(within, dial(&shared, &url)) => dialled,
            _ = stopped.changed() => return,
        };
        let dialled = dialled.unwrap_or_else(|_| {
            Err(failure::other(
                "ERR_HANDSHAKE_TIMEOUT",
                format!("No WebSocket handshake with {url} within {}", shown(within)),
            ))
        });
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

/// A time as people write it.
fn shown(time: Duration) -> String {
    if time.as_millis() < 1000 {
        format!("{} ms", time.as_millis())
    } else {
        format!("{} s", time.as_secs_f64())
    }
}

/// Gives the connection, and what came after the handshake already.
async fn dial(shared: &Shared, url: &str) -> Result<(Arc<Connection<Socket>>, Vec<u8>), DialError> {
    let (stream, leftover) = shake(url).await?;
    let connection =
        Connection::open(shared, stream, true).map_err(|e| refused(url, Refusal::Lost(e)))?;
    Ok((connection, leftover))
}

/// Connects and shakes hands. Takes any time.
pub async fn shake(url: &str) -> Result<(TcpStream, Vec<u8>), DialError> {
    let (request, host, port) = parse(url)?;
    let mut stream = connect(&host, port).await?;
    let leftover = client_upgrade::upgrade(&mut stream, request)
        .await
        .map_err(|refusal| refused(url, refusal))?;
    Ok((stream, leftover))
}

fn parse(url: &str) -> Result<(Request, String, u16), DialError> {
    let invalid = || {
        failure::other(
            "ERR_INVALID_URL",
            format!("Invalid url (url: {url}), expected ws://host:port"),
        )
    };
    let scheme = url
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("ws") => {}
        Some("wss") => {
            let message = format!("wss:// is not supported yet, use ws:// (url: {url})");
            return Err(failure::other("ERR_TLS_UNSUPPORTED", message));
        }
        _ => return Err(invalid()),
    }
    let request = url.into_client_request().map_err(|_| invalid())?;
    let host = request
        .uri()
        .host()
        .filter(|host| !host.is_empty())
        .ok_or_else(invalid)?;
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    // A port that is out of range must not fall back to the default one.
    let authority = request.uri().authority().ok_or_else(invalid)?.as_str();
    let named = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && !port.ends_with(']'));
    let port = match request.uri().port_u16() {
        Some(port) => port,
        None if named => return Err(invalid()),
        None => 80,
    };
    Ok((request, host, port))
}

/// Tries the host's addresses one after the other.
async fn connect(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let unknown = || DialError {
        syscall: Some("getaddrinfo".to_owned()),
        ..failure::other("ENOTFOUND", format!("getaddrinfo ENOTFOUND {host}"))
    };
    let addresses: Vec<SocketAddr> = lookup_host((host, port))
        .await
        .map_err(|_| unknown())?
        .collect();
    let mut failed = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small frames shall leave at once. A socket that cannot do that works all the same.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failed = Some(failure::system("connect", &error, address)),
        }
    }
    Err(failed.unwrap_or_else(unknown))
}

fn refused(url: &str, refusal: Refusal) -> DialError {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_or_refused() {
        for (url, host, port) in [
            ("ws://localhost:3000", "localhost", 3000),
            ("ws://127.0.0.1:3000/path?query", "127.0.0.1", 3000),
            ("WS://example.org", "example.org", 80),
            ("ws://[::1]:3000", "::1", 3000),
            ("ws://[::1]", "::1", 80),
        ] {
            let parsed = parse(url).map(|(_, host, port)| (host, port));
            assert_eq!(parsed, Ok((host.to_owned(), port)), "{url}");
        }
        for url in [
            "",
            "foo",
            "ws://",
            "ws://:3000",
            "http://localhost:3000",
            "ws://localhost:70000",
            "ws://a b",
        ] {
            assert_eq!(
                parse(url).map(drop).map_err(|e| e.code),
                Err("ERR_INVALID_URL".to_owned()),
                "{url}"
            );
        }
        assert_eq!(
            parse("wss://localhost").map(drop).map_err(|e| e.code),
            Err("ERR_TLS_UNSUPPORTED".to_owned())
        );
    }
}
