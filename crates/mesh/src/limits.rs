//! How much is too much: what a host takes from others, which it says in the greeting and its answer, and what may wait for one.

use bytestring::ByteString;

use crate::json;
use crate::words::Raw;

/// The longest id of a host, in bytes: so many a relayed frame has room for.
pub const MAX_HOST_ID: usize = 64;

/// The longest url of a host, in bytes.
pub const MAX_URL: usize = 2048;

/// The most members that one list may name.
pub const MAX_MEMBERS: usize = 4096;

/// The most urls that one host may tell of at a time.
pub const MAX_URLS: usize = 1024;

/// The largest number that is said: the largest that JavaScript can count to.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What the head of a note has beside its names, in bytes: a letter, a number, a truth value, and what separates them.
const HEAD: usize = 64;

/// How many names the head of a note has at most.
const HEAD_NAMES: usize = 2;

/// What a character of a name takes at most in the head of a note, which is JSON in a JSON string: `\\u0000`.
const HEAD_CHARACTER: usize = 7;

/// What a host says that it takes. Whoever says nothing takes what was always taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest frame, in bytes.
    pub payload: usize,
    /// The longest id or channel, as JavaScript counts.
    pub id: usize,
}

/// How much may wait for one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub bytes: usize,
    pub messages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            payload: 64 * 1024 * 1024,
            id: 64 * 1024,
        }
    }
}

impl Limits {
    /// What both take.
    pub fn with(&self, other: &Limits) -> Limits {
        Limits {
            payload: self.payload.min(other.payload),
            id: self.id.min(other.id),
        }
    }

    /// Whether an id or a channel is not too long.
    pub fn allow(&self, id: &Option<Raw>) -> bool {
        // Every character that JavaScript counts takes a byte at least; most take one.
        id.as_ref()
            .is_none_or(|id| id.len() <= self.id.saturating_add(2) || length(id) <= self.id)
    }

    /// Whether a name that is not JSON, as of a channel that is subscribed to, is not too long.
    pub fn allow_name(&self, name: &str) -> bool {
        name.len() <= self.id || name.encode_utf16().count() <= self.id
    }

    /// Whether the head of a note is not too long, and none of the names in it.
    pub fn allow_head(&self, head: &Option<Raw>) -> bool {
        let Some(head) = head.as_ref().filter(|head| head.len() > self.id) else {
            return true;
        };
        let most = HEAD_NAMES * HEAD_CHARACTER * self.id.min(usize::MAX / 16) + HEAD;
        head.len() <= most && json::string(head).is_some_and(|text| self.allow_names(&text))
    }

    /// Whether the names in a head are not too long: the array behind its first character.
    fn allow_names(&self, head: &ByteString) -> bool {
        let mut fine = true;
        let mut rest = head.chars();
        rest.next();
        // What is no array is a number, or says nothing that is known here.
        let _ = json::each(&head.slice_ref(rest.as_str()), |name| {
            // Numbers and truth values are short, whatever the limit is.
            let may_be_long = name.starts_with(['"', '[', '{']);
            fine &= !may_be_long || self.allow(&Some(name));
        });
        fine
    }
}

/// How long JavaScript says that the text of an id is: of a string what it says, of anything else its JSON.
fn length(id: &Raw) -> usize {
    let text = id.strip_prefix('"').and_then(|id| id.strip_suffix('"'));
    let Some(mut rest) = text else {
        return id.encode_utf16().count();
    };
    let mut length = 0;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let escape = if rest[at + 1..].starts_with('u') {
            6
        } else {
            2
        };
        length += rest[..at].encode_utf16().count() + 1;
        rest = rest.get(at + escape..).unwrap_or_default();
    }
    length + rest.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_long_as_javascript_says() {
        let limits = Limits {
            id: 4,
            ..Limits::default()
        };
        for (id, fine) in [
            ("\"abcd\"", true),
            ("\"abcde\"", false),
            ("\"\\n\\n\\n\\n\"", true),
            ("\"\\n\\n\\n\\n\\n\"", false),
            ("\"ééé\u{1d11e}\"", false),
            ("\"éé\u{1d11e}\"", true),
            ("1234567", false),
            ("123456", true),
        ] {
            assert_eq!(limits.allow(&Some(id.into())), fine, "{id}");
        }
        assert!(limits.allow(&None));
        for (id, units) in [
            (r#""\ud800\ud800""#, 2),
            (r#""\ud834\udd1e\\\"é""#, 5),
            (r#"{"é":1}"#, 7),
            ("\"", 1),
        ] {
            assert_eq!(length(&id.into()), units, "{id}");
        }
    }

    #[test]
    fn heads_have_room_for_what_can_be_said_in_them() {
        let limits = Limits {
            id: 100,
            ..Limits::default()
        };
        let head = |args: &str| Some(Raw::from(json::quote(args)));
        let name = |c: &str, n| json::quote(&c.repeat(n));
        let most = format!(
            "b[{},{},false,{}]",
            MAX_NUMBER,
            name("\u{1}", 100),
            name("\u{2}", 100)
        );
        assert!(limits.allow_head(&head(&most)), "{most}");
        for (args, fine) in [
            (format!("w[1,{}]", name("*", 100)), true),
            (format!("w[1,{}]", name("*", 101)), false),
            (format!("m[{},{}]", name("é", 100), name("\"", 100)), true),
            (format!("m[{},{}]", name("é", 10), name("\"", 101)), false),
            (format!("w[1,[{}]]", name("*", 100)), false),
            (format!("w[1{}]", " ".repeat(1500)), false),
            (format!("a{}", "1".repeat(1500)), false),
            (format!("?{}", "x".repeat(200)), true),
        ] {
            assert_eq!(limits.allow_head(&head(&args)), fine, "{args}");
        }
        // No text that JSON.stringify makes.
        assert!(!limits.allow_head(&Some(format!("\"w{}\"", "\\ud800".repeat(20)).into())));
        let least = Limits { id: 1, ..limits };
        assert!(least.allow_head(&head(&format!("c[{MAX_NUMBER}]"))));
        assert!(limits.allow_head(&None));
    }
}
