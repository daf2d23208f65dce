//! The server's side of the WebSocket handshake.
//!
//! The protocol library can do this, but not what hosts have always done: any path is accepted, the first subprotocol that is
//! offered is echoed, and a plain HTTP request gets a polite 200.

use std::time::Duration;

use httparse::Header;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::holdings::pool::Share;
use crate::ws::head::{self, Arriving};

/// How much more of a request that was refused is read, so that its sender gets to see the answer, in bytes; and for how long.
const MAX_IGNORED: u64 = 1024 * 1024;
const IGNORE_WITHIN: Duration = Duration::from_secs(1);

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

/// Shakes hands within bounded time and memory, of which the stranger's part is counted. Returns the bytes that came after the head, or `None`
/// when the connection is to end.
pub async fn upgrade<T>(
    stream: &mut T,
    within: Duration,
    stranger: Option<&Share>,
) -> Option<Vec<u8>>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let shaking = async {
        let mut head = Arriving::default();
        loop {
            if !head.read(stream).await.ok()? {
                return None;
            }
            if let Some(stranger) = stranger {
                stranger.unfinished(head.bytes.capacity());
            }
            match reply(&head.bytes) {
                Reply::More if !head.is_too_long() => {}
                Reply::More => {
                    let response = refusal("431 Request Header Fields Too Large", "");
                    refuse(stream, &response).await;
                    return None;
                }
                Reply::Switch {
                    response,
                    head: length,
                } => {
                    stream.write_all(response.as_bytes()).await.ok()?;
                    stream.flush().await.ok()?;
                    return Some(head.bytes.split_off(length));
                }
                Reply::Refuse { response } => {
                    refuse(stream, &response).await;
                    return None;
                }
            }
        }
    };
    let ousted = async {
        match stranger.map(Share::ousted) {
            Some(ousted) => ousted.notified().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        shaken = tokio::time::timeout(within, shaking) => shaken.ok().flatten(),
        () = ousted => None,
    }
}

/// Answers, and ends the connection. To end it with something unread would reset it, and the other side might never see the answer.
async fn refuse<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T, response: &str) {
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
    let mut rest = stream.take(MAX_IGNORED);
    let mut nowhere = tokio::io::sink();
    let ignored = tokio::io::copy(&mut rest, &mut nowhere);
    let _ = tokio::time::timeout(IGNORE_WITHIN, ignored).await;
}

pub fn reply(head: &[u8]) -> Reply {
    let parsed = head::parse(|headers| {
        let mut request = httparse::Request::new(headers);
        Ok(match request.parse(head)? {
            httparse::Status::Complete(length) => answer(request.method, request.headers, length),
            httparse::Status::Partial => Reply::More,
        })
    });
    parsed.unwrap_or_else(|_| Reply::Refuse {
        response: refusal("400 Bad Request", "Bad request\n"),
    })
}

/// What is to be answered to a complete head of that length.
fn answer(method: Option<&str>, headers: &[Header<'_>], length: usize) -> Reply {
    let refuse = |status, body| Reply::Refuse {
        response: refusal(status, body),
    };
    let lists = |name, token| head::lists(headers, name, token);
    if !lists("upgrade", "websocket") {
        return refuse("200 OK", "Not implemented");
    }
    let key = head::values(headers, "sec-websocket-key").next();
    let (Some("GET"), Some(key), true) = (method, key, lists("connection", "upgrade")) else {
        return refuse("400 Bad Request", "Not a WebSocket handshake\n");
    };
    // 0.4.0 reads a number, and takes this header in two lines for a list.
    let mut versions = head::values(headers, "sec-websocket-version");
    if !versions.any(|version| version.parse() == Ok(13)) {
        return refuse("426 Upgrade Required\r\nSec-WebSocket-Version: 13", "");
    }
    let mut response = String::from(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    response.push_str(&format!(
        "Sec-WebSocket-Accept: {}\r\n",
        derive_accept_key(key.as_bytes())
    ));
    if let Some(first) = head::values(headers, "sec-websocket-protocol").next() {
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

    fn changed(from: &str, to: &[&'static str]) -> Vec<&'static str> {
        let line = |line: &&'static str| -> Vec<&'static str> {
            if line.starts_with(from) {
                to.to_vec()
            } else {
                vec![line]
            }
        };
        UPGRADE.iter().flat_map(line).collect()
    }

    #[test]
    fn what_0_4_0_accepts_is_accepted() {
        for lines in [
            changed("Sec-WebSocket-Version", &["Sec-WebSocket-Version: 13, 8"]),
            changed("Sec-WebSocket-Version", &["Sec-WebSocket-Version: 8, 13"]),
            changed("Sec-WebSocket-Version", &["Sec-WebSocket-Version: 013"]),
            changed(
                "Connection",
                &["Connection: keep-alive", "Connection: Upgrade"],
            ),
            changed("GET", &["GET / HTTP/1.0"]),
            changed("Connection", &["Connection: close, Upgrade"]),
        ] {
            let reply = reply(&head(&lines));
            assert!(matches!(reply, Reply::Switch { .. }), "{lines:?}");
        }
        let old = changed("Sec-WebSocket-Version", &["Sec-WebSocket-Version: 8"]);
        let Reply::Refuse { response } = reply(&head(&old)) else {
            panic!()
        };
        assert!(response.starts_with("HTTP/1.1 426 "), "{response}");
        assert!(
            response.contains("\r\nSec-WebSocket-Version: 13\r\n"),
            "{response}"
        );
    }

    #[test]
    fn an_upgrade_may_have_as_many_headers_as_fit() {
        let headers = |count: usize| (0..count).map(|n| format!("h{n}: v")).collect::<Vec<_>>();
        for count in [95, 96, 500, 5_000] {
            let more = headers(count);
            let mut lines = UPGRADE.to_vec();
            lines.extend(more.iter().map(String::as_str));
            let bytes = head(&lines);
            assert!(
                matches!(reply(&bytes), Reply::Switch { head, .. } if head == bytes.len()),
                "{count}"
            );
        }
    }
}
