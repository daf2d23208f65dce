//! The frames of protocol v1, against the vectors that `docs/internals/protocol-v1.md` points to.

use distribus_mesh::Raw;
use distribus_mesh::wire::v1::{self, Frame};
use serde_json::Value;

#[test]
fn frames_are_understood_as_the_vectors_say() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/v1.json")).unwrap();
    let frames = vectors["frames"].as_array().unwrap();
    assert!(frames.len() > 20);
    for vector in frames {
        let text = Raw::from(vector["frame"].as_str().unwrap());
        let pending: Vec<u64> = vector["pending"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let frame = v1::decode(&text, |id| {
            v1::request_number(id).is_some_and(|n| pending.contains(&n))
        });
        let field = |name: &str| vector[name].as_str().map(Raw::from);
        let kind = match &frame {
            Some(Frame::Request { id, body }) => {
                assert_eq!(Some(id.clone()), field("id"), "{text}");
                assert_eq!(
                    (&body.method, &body.params),
                    (&field("method"), &field("params")),
                    "{text}"
                );
                "request"
            }
            Some(Frame::Notification { body }) => {
                assert_eq!(
                    (&body.method, &body.params),
                    (&field("method"), &field("params")),
                    "{text}"
                );
                "notification"
            }
            Some(Frame::Answer {
                id, message, error, ..
            }) => {
                assert_eq!(Some(id.clone()), field("id"), "{text}");
                assert_eq!(
                    (message, error),
                    (&field("message"), &field("error")),
                    "{text}"
                );
                "answer"
            }
            None => "ignored",
        };
        assert_eq!(kind, vector["kind"].as_str().unwrap(), "{text}");
    }
}

#[test]
fn depth_does_not_matter() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = Raw::from(format!(
        "{{\"message\":{{\"method\":\"publish\",\"params\":{{\"message\":{deep}}}}}}}"
    ));
    let Some(Frame::Notification { body }) = v1::decode(&text, |_| false) else {
        panic!()
    };
    let [message] = body.params(["message"]);
    assert_eq!(message.map(|m| m.len()), Some(deep.len()));
    let open = Raw::from(format!("{{\"message\":{}", "[".repeat(100_000)));
    assert_eq!(v1::decode(&open, |_| false), None);
}

#[test]
fn what_is_written_is_what_a_v1_host_writes() {
    let some = |text: &str| Some(Raw::from(text.to_owned()));
    assert_eq!(
        v1::request(1, "goodbye", None),
        "{\"id\":1,\"message\":{\"method\":\"goodbye\"}}"
    );
    assert_eq!(
        v1::request(2, "find", Some("{\"id\":\"a\"}")),
        "{\"id\":2,\"message\":{\"method\":\"find\",\"params\":{\"id\":\"a\"}}}"
    );
    assert_eq!(
        v1::send(3, &some("\"a\""), &some("7"), &some("{\"x\":1}")),
        "{\"id\":3,\"message\":{\"method\":\"send\",\"params\":{\"from\":\"a\",\"to\":7,\"message\":{\"x\":1}}}}"
    );
    assert_eq!(
        v1::send(3, &None, &None, &None),
        "{\"id\":3,\"message\":{\"method\":\"send\",\"params\":{}}}"
    );
    assert_eq!(
        v1::publish(&some("\"news\""), &some("null")),
        "{\"message\":{\"method\":\"publish\",\"params\":{\"channel\":\"news\",\"message\":null}}}"
    );
    assert_eq!(
        v1::answer("\"u\"", None, None),
        "{\"id\":\"u\",\"error\":null}"
    );
    assert_eq!(
        v1::answer("\"u\"", Some("null"), None),
        "{\"id\":\"u\",\"message\":null,\"error\":null}"
    );
    assert_eq!(
        v1::failure("5", "\"oops\""),
        "{\"id\":5,\"message\":null,\"error\":\"oops\"}"
    );
}
