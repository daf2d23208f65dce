//! The client's side of the WebSocket handshake.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_request};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::failure;
use crate::sockets::TcpStream;
use crate::upgrade::{MAX_HEAD, MAX_HEADERS};

/// Why the other side is not spoken with.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It answers, but it does not want to speak WebSocket.
    #[error("{0}")]
    Status(u16),
    #[error("{}", failure::code(.0))]
    Lost(#[from] io::Error),
    #[error("the answer is not HTTP")]
    NotHttp,
    #[error("{0}")]
    NotWebSocket(&'static str),
}

/// Asks for WebSocket. Gives the bytes that came after the answer. Takes any time.
pub async fn upgrade(stream: &mut TcpStream, request: Request) -> Result<Vec<u8>, Refusal> {
    let (request, key) = generate_request(request)
        .map_err(|_| Refusal::NotWebSocket("the request cannot be written"))?;
    stream.write_all(&request).await?;
    let mut head = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(length) = accepted(&head, &key)? {
            return Ok(head.split_off(length));
        }
        if head.len() >= MAX_HEAD {
            return Err(Refusal::NotHttp);
        }
    }
}

/// The length of the head, when the server has agreed; `None` when it is not complete.
fn accepted(head: &[u8], key: &str) -> Result<Option<usize>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Refusal::NotHttp),
    };
    match response.code {
        Some(101) => {}
        Some(status) => return Err(Refusal::Status(status)),
        None => return Err(Refusal::NotHttp),
    }
    let header = |name: &str| {
        let found = response
            .headers
            .iter()
            .find(|h| h.name.eq_ignore_ascii_case(name));
        found
            .and_then(|h| std::str::from_utf8(h.value).ok())
            .map_or("", str::trim)
    };
    let upgrades = header("connection")
        .split(',')
        .any(|part| part.trim().eq_ignore_ascii_case("upgrade"));
    if !upgrades || !header("upgrade").eq_ignore_ascii_case("websocket") {
        return Err(Refusal::NotWebSocket("it switches to something else"));
    }
    if header("sec-websocket-accept") != derive_accept_key(key.as_bytes()) {
        return Err(Refusal::NotWebSocket("it does not know the key"));
    }
    // None was offered, and there are no others than those that were.
    if !header("sec-websocket-extensions").is_empty() {
        return Err(Refusal::NotWebSocket(
            "it uses an extension that was not offered",
        ));
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn answer(status: &str, upgrade: &str, accept: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\nUpgrade: {upgrade}\r\nconnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
    }

    #[test]
    fn an_answer_with_the_key_of_rfc_6455_is_accepted() {
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let head = answer("101 Switching Protocols", "WebSocket", accept);
        let length = head.len();
        let with_more = head.clone() + "more";
        assert!(matches!(accepted(with_more.as_bytes(), KEY), Ok(Some(n)) if n == length));
        assert!(matches!(
            accepted(&head.as_bytes()[..length - 1], KEY),
            Ok(None)
        ));
        let other = answer("101 Switching Protocols", "WebSocket", "s3pPLMBiTxaQ9kYG");
        assert!(matches!(
            accepted(other.as_bytes(), KEY),
            Err(Refusal::NotWebSocket(_))
        ));
        let other = answer("101 Switching Protocols", "h2c", accept);
        assert!(matches!(
            accepted(other.as_bytes(), KEY),
            Err(Refusal::NotWebSocket(_))
        ));
        let other = answer("200 OK", "WebSocket", accept);
        assert!(matches!(
            accepted(other.as_bytes(), KEY),
            Err(Refusal::Status(200))
        ));
        assert!(matches!(
            accepted(b"220 ready\r\n", KEY),
            Err(Refusal::NotHttp)
        ));
    }
}
