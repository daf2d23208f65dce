//! The bytes of both protocols.

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::Payload;
use distribus_mesh::json;
use distribus_mesh::wire::routed;
use distribus_mesh::wire::v1::{self, Frame};
use distribus_mesh::wire::v2::{self, Record};
use serde_json::value::RawValue;

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// A text frame: what is cut out of it is JSON, and what we make of it is understood.
pub fn wire_v1(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let text = ByteString::from(text);
    for waiting in [false, true] {
        let body = match v1::decode(&text, |_| waiting) {
            Some(Frame::Request { id, body }) => {
                assert!(is_json(&id));
                let answer = v1::answer(&id, Some("null"), None);
                assert!(is_json(&answer), "{answer}");
                match v1::decode(&answer, |_| true) {
                    Some(Frame::Answer { id: again, .. }) => assert_eq!(id, again),
                    other => panic!("{other:?}"),
                }
                body
            }
            Some(Frame::Notification { body }) => body,
            Some(Frame::Answer {
                id,
                message,
                error,
                host,
            }) => {
                for part in [Some(id), message, error, host].into_iter().flatten() {
                    assert!(is_json(&part));
                    let _ = (json::truthy(&part), json::string(&part));
                }
                continue;
            }
            None => continue,
        };
        let [to, from, message, channel] = body.params(["to", "from", "message", "channel"]);
        for part in [&to, &from, &message, &channel].into_iter().flatten() {
            assert!(is_json(part));
        }
        assert!(is_json(&json::quote(&json::display(&to))));
        for said in [
            v1::send(1, &from, &to, &message),
            v1::publish(&channel, &message),
        ] {
            assert!(is_json(&said), "{said}");
        }
    }
}

/// A binary frame: its records are what they say, and are the same when they have been written again.
pub fn wire_v2(data: &[u8]) {
    relayed(&Bytes::copy_from_slice(data));
    let Ok(records) = v2::decode(&Bytes::copy_from_slice(data)) else {
        return;
    };
    let mut frame = v2::Frame::default();
    for record in &records {
        match record {
            Record::Send {
                to, from, payload, ..
            }
            | Record::Request {
                to, from, payload, ..
            } => {
                for id in [to, from].into_iter().flatten() {
                    assert!(is_json(id));
                }
                check(payload);
            }
            Record::Publish {
                channel, payload, ..
            }
            | Record::Note {
                head: channel,
                payload,
                ..
            } => {
                assert!(channel.as_deref().is_none_or(is_json));
                check(payload);
            }
            Record::Reply { payload, .. } => check(payload),
            _ => {}
        }
        frame.record(record);
    }
    if !records.is_empty() {
        assert_eq!(v2::decode(&frame.take()).as_ref(), Ok(&records));
    }
}

fn check(payload: &Payload) {
    let count = payload.count();
    assert!(count > 0);
    if count <= 64 && payload.is_valid() {
        assert_eq!(payload.clone().into_json().len(), count as usize);
        for at in 1..count {
            let mut head = payload.clone();
            let tail = head.split_off(at);
            assert_eq!((head.count(), tail.count()), (at, count - at));
            assert!(head.is_valid() && tail.is_valid());
        }
    }
    if let Payload::Json { texts, .. } = payload {
        // Whoever pastes a run between others must get what it says.
        let pasted = format!("[0,{texts},0]");
        if let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(&pasted) {
            assert_eq!(values.len(), count as usize + 2);
        }
    }
}

/// A relayed frame is what it says, and the same when it has been written again.
fn relayed(data: &Bytes) {
    if !routed::is_routed(data) {
        return;
    }
    let Ok((header, at)) = routed::header(data) else {
        return;
    };
    if let Ok(content) = routed::content(data, at) {
        let again = routed::write(&header, &content);
        let (same, at) = routed::header(&again).expect("what was written can be read");
        assert_eq!((same, routed::content(&again, at)), (header, Ok(content)));
    }
}
