//! The client's side of the WebSocket handshake.

use std::io;

use httparse::Header;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_request};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::failure;
use crate::ws::head::{self, Arriving};

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
    #[error("the answer's head is too long")]
    TooLong,
    #[error("{0}")]
    NotWebSocket(&'static str),
}

/// Asks for WebSocket. Returns the bytes that came after the answer. Takes any time.
pub async fn upgrade<T>(stream: &mut T, request: Request) -> Result<Vec<u8>, Refusal>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (request, key) = generate_request(request)
        .map_err(|_| Refusal::NotWebSocket("the request cannot be written"))?;
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut head = Arriving::default();
    loop {
        if !head.read(stream).await? {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(length) = accepted(&head.bytes, &key)? {
            return Ok(head.bytes.split_off(length));
        }
        if head.is_too_long() {
            return Err(Refusal::TooLong);
        }
    }
}

/// The length of the head, when the server has agreed; `None` when it is not complete.
fn accepted(head: &[u8], key: &str) -> Result<Option<usize>, Refusal> {
    let mut start = 0;
    loop {
        let parsed = head::parse(|headers| {
            let mut response = httparse::Response::new(headers);
            Ok(match response.parse(&head[start..])? {
                httparse::Status::Complete(length) => {
                    Some((length, agreed(response.code, response.headers, key)))
                }
                httparse::Status::Partial => None,
            })
        });
        match parsed.map_err(|_| Refusal::NotHttp)? {
            None => return Ok(None),
            Some((length, Ok(true))) => return Ok(Some(start + length)),
            Some((length, Ok(false))) => start += length,
            Some((_, Err(refusal))) => return Err(refusal),
        }
    }
}

/// Whether the server has agreed; `false` when this is not its final answer yet (RFC 9110, 15.2).
fn agreed(code: Option<u16>, headers: &[Header<'_>], key: &str) -> Result<bool, Refusal> {
    match code {
        Some(101) => {}
        Some(100..200) => return Ok(false),
        Some(status) => return Err(Refusal::Status(status)),
        None => return Err(Refusal::NotHttp),
    }
    let lists = |name, token| head::lists(headers, name, token);
    if !lists("connection", "upgrade") || !lists("upgrade", "websocket") {
        return Err(Refusal::NotWebSocket("it switches to something else"));
    }
    let mut accepts = head::values(headers, "sec-websocket-accept").peekable();
    let expected = derive_accept_key(key.as_bytes());
    if accepts.peek().is_none() || accepts.any(|accept| accept != expected) {
        return Err(Refusal::NotWebSocket("it does not know the key"));
    }
    // Neither was offered, and there are no others than those that were.
    if head::values(headers, "sec-websocket-extensions")
        .next()
        .is_some()
    {
        return Err(Refusal::NotWebSocket(
            "it uses an extension that was not offered",
        ));
    }
    if head::values(headers, "sec-websocket-protocol")
        .next()
        .is_some()
    {
        return Err(Refusal::NotWebSocket(
            "it uses a subprotocol that was not offered",
        ));
    }
    Ok(true)
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

    fn agreement(more: &[&str]) -> String {
        let answer = answer(
            "101 Switching Protocols",
            "websocket",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        );
        let head = answer.strip_suffix("\r\n").expect("a head");
        more.iter()
            .fold(head.to_owned(), |head, line| head + line + "\r\n")
            + "\r\n"
    }

    #[test]
    fn an_answer_may_have_many_headers_and_comes_after_those_that_are_not_final() {
        let many: Vec<String> = (0..3_000).map(|n| format!("h{n}: v")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for head in [
            agreement(&many),
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".to_owned() + &agreement(&[]),
            agreement(&["Upgrade: h2c", "Sec-WebSocket-Extensions:"]),
            agreement(&["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]),
        ] {
            let length = head.len();
            assert!(matches!(accepted(head.as_bytes(), KEY), Ok(Some(n)) if n == length));
        }
    }

    #[test]
    fn what_was_not_offered_is_not_taken() {
        for line in [
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Extensions:\r\nSec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Protocol: chat",
            "Sec-WebSocket-Accept: something else",
        ] {
            assert!(
                matches!(
                    accepted(agreement(&[line]).as_bytes(), KEY),
                    Err(Refusal::NotWebSocket(_))
                ),
                "{line}"
            );
        }
    }
}
