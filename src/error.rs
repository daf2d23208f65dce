//! Errors as JSON: a code and its facts. The texts that people read are made in `lib/common/errors.js`.

use distribus_mesh::{CallError, DialError, Raw, SendError};
use serde_json::{Map, Value, json};

fn coded(code: &str, id: Option<&Option<Raw>>, url: Option<&str>) -> String {
    let mut text = json!({ "code": code }).to_string();
    text.pop();
    if let Some(Some(id)) = id {
        // An id is JSON text already, and may be one that no Value can hold (a lone surrogate).
        text.push_str(",\"id\":");
        text.push_str(id);
    }
    if let Some(url) = url {
        text.push_str(",\"url\":");
        text.push_str(&Value::from(url).to_string());
    }
    text.push('}');
    text
}

pub fn send(error: &SendError) -> String {
    match error {
        SendError::NotFound { id } => coded("ERR_PEER_NOT_FOUND", Some(id), None),
        SendError::Unreachable { id, url } => coded("ERR_PEER_UNREACHABLE", Some(id), Some(url)),
        SendError::Threw => coded("ERR_LISTENER_THREW", None, None),
        SendError::ThrewNotFound { id } => coded("ERR_LISTENER", Some(id), None),
        SendError::Unknown { id, url } => coded("ERR_DELIVERY_UNKNOWN", Some(id), url.as_deref()),
        SendError::Timeout { id } => coded("ERR_REQUEST_TIMEOUT", Some(id), None),
        SendError::NotSupported { id } => coded("ERR_REQUEST_NOT_SUPPORTED", Some(id), None),
        SendError::Overloaded { id } => coded("ERR_OVERLOADED", Some(id), None),
        SendError::TooLarge { id } => coded("ERR_MESSAGE_TOO_LARGE", Some(id), None),
        SendError::Closed => coded("ERR_HOST_CLOSED", None, None),
    }
}

pub fn call(error: &CallError) -> String {
    match error {
        CallError::NotFound { id } => coded("ERR_PEER_NOT_FOUND", Some(id), None),
        CallError::Dial(error) => json!({ "code": "ERR_DIAL", "error": facts(error) }).to_string(),
        CallError::Refused { text } => json!({ "code": "ERR_REFUSED", "text": text }).to_string(),
        CallError::Lost { url } => coded("ERR_CONNECTION_LOST", None, Some(url)),
        CallError::Timeout => coded("ERR_REQUEST_TIMEOUT", None, None),
        CallError::Closed => coded("ERR_HOST_CLOSED", None, None),
    }
}

/// What Node's system errors carry.
pub fn facts(error: &DialError) -> Value {
    let mut facts = Map::new();
    facts.insert("code".into(), error.code.as_str().into());
    facts.insert("message".into(), error.message.as_str().into());
    if let Some(syscall) = &error.syscall {
        facts.insert("syscall".into(), syscall.as_str().into());
    }
    if let Some(address) = &error.address {
        facts.insert("address".into(), address.as_str().into());
    }
    if let Some(port) = error.port {
        facts.insert("port".into(), port.into());
    }
    if !error.attempts.is_empty() {
        let attempts: Vec<Value> = error.attempts.iter().map(self::facts).collect();
        facts.insert("errors".into(), attempts.into());
    }
    facts.into()
}
