//! The server's side of the WebSocket handshake.
//!
//! The protocol library can do this, but not what hosts have always done: any path is accepted, the first subprotocol that is
//! offered is echoed, and a plain HTTP request gets a polite 200.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::sockets::TcpStream;

/// Limits of heads, in both directions.
pub const MAX_HEAD: usize = 16 * 1024;
pub const MAX_HEADERS: usize = 100;

/// What is to be answered to a request's head.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// The head is not complete yet.
    More,
    /// Speak WebSocket from now on; the head was this long.
    Switch { response: String, head: usize },
    /// Anything else.
    Refuse { response: String },
}

/// Shakes hands within bounded time and memory. Gives the bytes that came after the head, or `None` when the connection is to end.
pub async fn upgrade(stream: &mut TcpStream, within: Duration) -> Option<Vec<u8>> {
    let shaking = async {
        let mut head = Vec::with_capacity(1024);
        loop {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
            match reply(&head) {
                Reply::More if head.len() < MAX_HEAD => {}
                Reply::More => {
                    let _ = stream
                        .write_all(refusal("431 Request Header Fields Too Large", "").as_bytes())
                        .await;
                    return None;
                }
                Reply::Switch {
                    response,
                    head: length,
                } => {
                    stream.write_all(response.as_bytes()).await.ok()?;
                    return Some(head.split_off(length));
                }
                Reply::Refuse { response } => {
                    let _ = stream.write_all(response.as_bytes()).await;
                    let _ = stream.shutdown().await;
                    return None;
                }
            }
        }
    };
    tokio::time::timeout(within, shaking).await.ok().flatten()
}

pub fn reply(head: &[u8]) -> Reply {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Reply::More,
        Err(_) => {
            return Reply::Refuse {
                response: refusal("400 Bad Request", "Bad request\n"),
            };
        }
    };
    let header = |name: &str| {
        let mut found = request
            .headers
            .iter()
            .filter(|h| h.name.eq_ignore_ascii_case(name));
        found
            .next()
            .and_then(|h| std::str::from_utf8(h.value).ok())
            .map(str::trim)
    };
    let lists = |name: &str, token: &str| {
        header(name).is_some_and(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    };
    if !lists("upgrade", "websocket") {
        return Reply::Refuse {
            response: refusal("200 OK", "Not implemented"),
        };
    }
    let key = header("sec-websocket-key").filter(|key| !key.is_empty());
    let (Some("GET"), Some(key), true) = (request.method, key, lists("connection", "upgrade"))
    else {
        return Reply::Refuse {
            response: refusal("400 Bad Request", "Not a WebSocket handshake\n"),
        };
    };
    if !matches!(header("sec-websocket-version"), Some("13" | "8")) {
        return Reply::Refuse {
            response: refusal("426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8", ""),
        };
    }
    let mut response = String::from(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    response.push_str(&format!(
        "Sec-WebSocket-Accept: {}\r\n",
        derive_accept_key(key.as_bytes())
    ));
    if let Some(first) = header("sec-websocket-protocol")
        .and_then(|p| p.split(',').next())
        .map(str::trim)
    {
        response.push_str(&format!("Sec-WebSocket-Protocol: {first}\r\n"));
    }
    response.push_str("\r\n");
    Reply::Switch {
        response,
        head: length,
    }
}

fn refusal(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[&str]) -> Vec<u8> {
        format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    }

    const UPGRADE: [&str; 5] = [
        "GET /any/path HTTP/1.1",
        "Upgrade: WebSocket",
        "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];

    #[test]
    fn an_upgrade_is_accepted_with_the_key_of_rfc_6455() {
        let bytes = head(&UPGRADE);
        let Reply::Switch { response, head } = reply(&bytes) else {
            panic!()
        };
        assert!(response.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(!response.contains("Protocol:"));
        assert_eq!(head, bytes.len());
        assert_eq!(reply(&bytes[..bytes.len() - 1]), Reply::More);
    }

    #[test]
    fn the_first_subprotocol_is_echoed() {
        let mut lines = UPGRADE.to_vec();
        lines.push("Sec-WebSocket-Protocol: one, two");
        let Reply::Switch { response, .. } = reply(&head(&lines)) else {
            panic!()
        };
        assert!(response.contains("Sec-WebSocket-Protocol: one\r\n"));
    }

    #[test]
    fn other_requests_are_refused_politely() {
        let status = |lines: &[&str]| match reply(&head(lines)) {
            Reply::Refuse { response } => response[9..12].to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(status(&["GET / HTTP/1.1", "Host: a"]), "200");
        assert_eq!(status(&UPGRADE[..4]), "426");
        assert_eq!(status(&UPGRADE[..3]), "400");
        assert_eq!(status(&["\u{1}"]), "400");
    }
}
