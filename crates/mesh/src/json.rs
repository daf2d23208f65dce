//! JSON cut apart without being understood: members of an object as raw text.

use std::borrow::Cow;
use std::fmt;

use bytestring::ByteString;
use serde::Deserializer as _;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::words::Raw;

/// Takes the members with those names out of a JSON object, each as a slice of `text` (no copy).
///
/// As in `JSON.parse`, the last of several members with one name counts, and members may come in any order. The cost is
/// one pass over the text; values are checked for being JSON but not built, without recursion, whatever their depth.
/// `None` when `text` is not a JSON object.
pub fn members<const N: usize>(text: &Raw, names: [&str; N]) -> Option<[Option<Raw>; N]> {
    let mut json = serde_json::Deserializer::from_str(text);
    let found = json.deserialize_map(Members { names }).ok()?;
    json.end().ok()?;
    Some(found.map(|value| value.map(|value| text.slice_ref(value.get()))))
}

struct Members<'n, const N: usize> {
    names: [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let value = map
                .next_value::<&'de RawValue>()
                .map_err(A::Error::custom)?;
            if let Some(at) = self.names.iter().position(|n| *n == name.0) {
                found[at] = Some(value);
            }
        }
        Ok(found)
    }
}

/// Gives the elements of a JSON array one by one, each as a slice of `text`, as [`members`] does. Returns false when that is no array:
/// what was given until then is of no use.
#[must_use]
pub fn each(text: &Raw, take: impl FnMut(Raw)) -> bool {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_seq(Elements { text, take }).is_ok() && json.end().is_ok()
}

struct Elements<'t, F> {
    text: &'t Raw,
    take: F,
}

impl<'de, F: FnMut(Raw)> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<&'de RawValue>()? {
            (self.take)(self.text.slice_ref(value.get()));
        }
        Ok(())
    }
}

/// A member's name: borrowed, unless it is written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(v.to_owned())))
            }
        }
        d.deserialize_str(Text)
    }
}

/// The text of a JSON string; `None` when `raw` is no string, or one that no Rust string can hold (a lone surrogate).
pub fn string(raw: &Raw) -> Option<ByteString> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(raw)
            .ok()
            .map(ByteString::from)
    } else {
        Some(raw.slice_ref(inner))
    }
}

/// Writes a text as JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What JavaScript's `if (value)` says.
pub fn truthy(raw: &Raw) -> bool {
    match raw.as_bytes().first() {
        None => false,
        Some(b'"') => raw.len() > 2,
        Some(b'n' | b'f') => false,
        Some(b'-' | b'0'..=b'9') => raw.parse::<f64>().is_ok_and(|n| n != 0.0),
        Some(_) => true,
    }
}

/// What a peer's id is compared by: as a property name in JavaScript, so the number 7 and the text '7' are one.
pub fn id_key(id: &Option<Raw>) -> ByteString {
    match id {
        None => ByteString::from_static("undefined"),
        Some(raw) => string(raw).unwrap_or_else(|| raw.clone()),
    }
}

/// How JavaScript writes that value into a text, as far as error messages need it.
pub fn display(raw: &Option<Raw>) -> String {
    id_key(raw).to_string()
}

/// Writes `,"name":value` when there is a value, without the comma at the beginning of an object.
pub fn push_member(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        if !out.ends_with('{') {
            out.push(',');
        }
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        out.push_str(value);
    }
}
