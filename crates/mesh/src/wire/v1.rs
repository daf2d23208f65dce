//! The protocol of 0.4.0: one JSON text frame for each request, answer and notification.
//!
//! A request is `{"id", "message"}`, an answer `{"id", "message", "error"}`, a notification `{"message"}`, and the message of
//! a request or notification is `{"method", "params"}`. We add members that a 0.4.0 host ignores: `host` in a greeting and its
//! answer, and `host` in the answer to `find`.

mod question;

use bytestring::ByteString;

use crate::json::{self, push_member};
use crate::words::Raw;

pub use question::{Question, urls};

/// A frame, cut apart.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// Wants an answer with that id, which may be any JSON value.
    Request { id: Raw, body: Body },
    /// Wants none.
    Notification { body: Body },
    /// Answers the request with that id. `message` is absent when undefined, `error` when falsy.
    Answer {
        id: Raw,
        message: Option<Raw>,
        error: Option<Raw>,
        host: Option<Raw>,
    },
}

/// The message of a request: what to do, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    pub method: Option<Raw>,
    pub params: Option<Raw>,
}

impl Body {
    fn read(message: Option<&Raw>) -> Body {
        match message.and_then(|m| json::members(m, ["method", "params"])) {
            Some([method, params]) => Body { method, params },
            None => Body::default(),
        }
    }

    /// The parameters with those names. A missing or odd `params` has none of them.
    pub fn params<const N: usize>(&self, names: [&str; N]) -> [Option<Raw>; N] {
        self.params
            .as_ref()
            .and_then(|p| json::members(p, names))
            .unwrap_or([const { None }; N])
    }
}

/// Reads a frame. `None` for what is to be ignored: anything but a JSON object that begins with the first character.
///
/// `pending` says whether we wait for an answer with that id. A frame with an `error` member is an answer in any case
/// (if nobody waits for it: a late one); one without is an answer when we wait for it and it does not name a method.
pub fn decode(text: &Raw, pending: impl FnOnce(&Raw) -> bool) -> Option<Frame> {
    if !text.starts_with('{') {
        return None;
    }
    let [id, message, error, host] = json::members(text, ["id", "message", "error", "host"])?;
    let Some(id) = id else {
        return Some(Frame::Notification {
            body: Body::read(message.as_ref()),
        });
    };
    if error.is_none() {
        let body = Body::read(message.as_ref());
        if body.method.is_some() || !pending(&id) {
            return Some(Frame::Request { id, body });
        }
    }
    Some(Frame::Answer {
        id,
        message,
        error: error.filter(json::truthy),
        host,
    })
}

/// The number in an answer's id, when it is one of ours.
pub fn request_number(id: &Raw) -> Option<u64> {
    id.parse().ok()
}

/// A request, from its ready-made parameters (`{…}`, or nothing).
pub fn request(number: u64, method: &str, params: Option<&str>) -> ByteString {
    let mut out = String::with_capacity(64 + params.map_or(0, str::len));
    out.push_str("{\"id\":");
    out.push_str(&number.to_string());
    out.push_str(",\"message\":{\"method\":\"");
    out.push_str(method);
    out.push('"');
    push_member(&mut out, "params", params);
    out.push_str("}}");
    out.into()
}

/// What wants no answer, from its ready-made parameters.
pub fn notification(method: &str, params: &str) -> ByteString {
    let mut out = String::with_capacity(48 + params.len());
    out.push_str("{\"message\":{\"method\":\"");
    out.push_str(method);
    out.push('"');
    push_member(&mut out, "params", Some(params));
    out.push_str("}}");
    out.into()
}

/// The request that carries a peer's message.
pub fn send(
    number: u64,
    from: &Option<Raw>,
    to: &Option<Raw>,
    message: &Option<Raw>,
) -> ByteString {
    let length = |r: &Option<Raw>| r.as_ref().map_or(0, |r| r.len());
    let mut out = String::with_capacity(96 + length(from) + length(to) + length(message));
    out.push_str("{\"id\":");
    out.push_str(&number.to_string());
    out.push_str(",\"message\":{\"method\":\"send\",\"params\":{");
    push_member(&mut out, "from", from.as_deref());
    push_member(&mut out, "to", to.as_deref());
    push_member(&mut out, "message", message.as_deref());
    out.push_str("}}}");
    out.into()
}

/// The notification that carries a published message.
pub fn publish(channel: &Option<Raw>, message: &Option<Raw>) -> ByteString {
    let length = |r: &Option<Raw>| r.as_ref().map_or(0, |r| r.len());
    let mut out = String::with_capacity(80 + length(channel) + length(message));
    out.push_str("{\"message\":{\"method\":\"publish\",\"params\":{");
    push_member(&mut out, "channel", channel.as_deref());
    push_member(&mut out, "message", message.as_deref());
    out.push_str("}}}");
    out.into()
}

/// A good answer. No message at all stands for `undefined`.
pub fn answer(id: &str, message: Option<&str>, host: Option<&str>) -> ByteString {
    let mut out = String::with_capacity(40 + id.len() + message.map_or(0, str::len));
    out.push('{');
    push_member(&mut out, "id", Some(id));
    push_member(&mut out, "message", message);
    push_member(&mut out, "error", Some("null"));
    push_member(&mut out, "host", host);
    out.push('}');
    out.into()
}

/// What a 0.4.0 host says when no such peer lives there. Its sender looks for this beginning.
pub fn peer_not_found(id: &Option<Raw>) -> String {
    format!("Error: Peer not found (id: {})", json::display(id))
}

/// An answer that says what went wrong; `error` is a JSON string.
pub fn failure(id: &str, error: &str) -> ByteString {
    let mut out = String::with_capacity(48 + id.len() + error.len());
    out.push('{');
    push_member(&mut out, "id", Some(id));
    out.push_str(",\"message\":null");
    push_member(&mut out, "error", Some(error));
    out.push('}');
    out.into()
}
