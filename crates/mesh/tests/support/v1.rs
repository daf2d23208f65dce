//! Hosts that speak version 1 alone.

use bytestring::ByteString;

/// What a 0.4.0 host would have said, or understood.
pub fn without_host(text: &str) -> ByteString {
    let mut frame: serde_json::Value = serde_json::from_str(text).expect("a frame of ours");
    for at in ["", "/message", "/message/params"] {
        if let Some(object) = frame.pointer_mut(at).and_then(|v| v.as_object_mut()) {
            object.remove("host");
        }
    }
    frame.to_string().into()
}
