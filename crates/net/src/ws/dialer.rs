//! One attempt to reach a url: the name is looked up, the socket connected and hands shaken, all within one deadline.

use std::io;
use std::time::Duration;

use distribus_mesh::{DialError, Reach};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;

use crate::failure;
use crate::host::Host;
use crate::nearness;
use crate::race;
use crate::sockets::{TcpStream, lookup_host};
use crate::ws::client_upgrade::{self, Refusal};
use crate::ws::target::{Target, shown};

/// What is tried, and until when.
pub struct Attempt<'a> {
    url: &'a str,
    target: Target,
    within: Duration,
    deadline: Instant,
}

impl<'a> Attempt<'a> {
    /// An attempt of that host, with the credentials that it has for the url.
    pub fn of(host: &impl Host, url: &'a str) -> Result<Self, DialError> {
        let authorization = |target: &Target| host.credentials().of(target);
        Attempt::new(url, host.limits().handshake_timeout, authorization)
    }

    /// Begins now.
    pub fn new(
        url: &'a str,
        within: Duration,
        authorization: impl FnOnce(&Target) -> Option<HeaderValue>,
    ) -> Result<Self, DialError> {
        let mut target = Target::parse(url)?;
        if let Some(value) = authorization(&target) {
            target.request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(Attempt {
            url,
            target,
            within,
            deadline: Instant::now() + within,
        })
    }

    /// Looks the name up and connects, to an address that is within reach.
    pub async fn connect(&self, reach: Reach) -> Result<TcpStream, DialError> {
        let host = &self.target.host;
        let unknown = || DialError {
            syscall: Some("getaddrinfo".to_owned()),
            ..failure::other("ENOTFOUND", format!("getaddrinfo ENOTFOUND {host}"))
        };
        let addresses = timeout_at(
            self.deadline,
            lookup_host((host.as_str(), self.target.port)),
        )
        .await
        .map_err(|_| self.late())?
        .map_err(|_| unknown())?;
        let (addresses, beyond): (Vec<_>, Vec<_>) =
            addresses.partition(|at| nearness::is_within(reach, at.ip()));
        let addresses = race::order(addresses);
        if addresses.is_empty() {
            let beyond = beyond.first().map(|at| nearness::beyond(self.url, at.ip()));
            return Err(beyond.unwrap_or_else(unknown));
        }
        let (stream, _) = race::connect(&addresses, self.deadline, TcpStream::connect)
            .await
            .map_err(|failures| {
                let is_late = Instant::now() >= self.deadline;
                failure::at_all(failures, is_late.then(|| self.late()))
            })?;
        // Small frames shall leave at once. A socket that cannot do that works all the same.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Asks, over that stream, to speak WebSocket. Returns what came after the answer already.
    pub async fn shake<T>(&self, stream: &mut T) -> Result<Vec<u8>, DialError>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let request = self.target.request.clone();
        timeout_at(self.deadline, client_upgrade::upgrade(stream, request))
            .await
            .map_err(|_| self.late())?
            .map_err(|refusal| refused(self.url, refusal))
    }

    /// The connection was lost before it could be used.
    pub fn lost(&self, error: io::Error) -> DialError {
        refused(self.url, Refusal::Lost(error))
    }

    /// The other side has let the time pass.
    fn late(&self) -> DialError {
        let within = self.within;
        let time = if within.as_millis() < 1000 {
            format!("{} ms", within.as_millis())
        } else {
            format!("{} s", within.as_secs_f64())
        };
        let url = shown(self.url);
        let message = format!("No WebSocket handshake with {url} within {time}");
        failure::other("ERR_HANDSHAKE_TIMEOUT", message)
    }
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

#[cfg(all(test, not(feature = "simulated")))]
mod tests {
    use super::*;
    use distribus_mesh::Nearness;

    /// How an attempt ends that may lead so near.
    fn attempt(url: &str, told: Nearness) -> Result<(), String> {
        let namesake = false;
        let reach = Reach { told, namesake };
        crate::runtime::handle().block_on(async {
            let attempt = Attempt::new(url, Duration::from_secs(5), |_| None);
            let connected = attempt.map_err(|e| e.code)?.connect(reach).await;
            connected.map(drop).map_err(|e| e.code)
        })
    }

    #[test]
    fn no_spelling_of_this_machine_is_connected_to_for_whoever_is_elsewhere() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("a socket");
        for host in [
            "127.0.0.1",
            "127.1",
            "localhost",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
        ] {
            let url = format!("ws://{host}:{port}");
            for far in [Nearness::Elsewhere, Nearness::Network] {
                let refused = Err("ERR_DIAL_NOT_ALLOWED".to_owned());
                assert_eq!(attempt(&url, far), refused, "{url}");
                assert!(listener.accept().is_err(), "{url}");
            }
            for near in [Nearness::Machine, Nearness::Program] {
                assert_eq!(attempt(&url, near), Ok(()), "{url}");
                assert!(listener.accept().is_ok(), "{url}");
            }
        }
    }
}
