//! How much is too much: what a host takes from others, which it says in the greeting and its answer, and what may wait for one.

use crate::json;
use crate::words::Raw;

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
    /// As JSON, unless they are the usual ones.
    pub fn written(&self) -> Option<String> {
        let Limits { payload, id } = self;
        (*self != Limits::default()).then(|| format!("{{\"payload\":{payload},\"id\":{id}}}"))
    }

    /// Reads the member `limits` of a greeting's `host`.
    pub fn read(host: Option<&Raw>) -> Limits {
        let mut limits = Limits::default();
        let members = host
            .and_then(|host| json::members(host, ["limits"]))
            .and_then(|[limits]| json::members(&limits?, ["payload", "id"]));
        if let Some([payload, id]) = members {
            let number = |n: Option<Raw>| n.and_then(|n| n.parse().ok());
            limits.payload = number(payload).unwrap_or(limits.payload);
            limits.id = number(id).unwrap_or(limits.id);
        }
        limits
    }

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
}

/// How long JavaScript says that the text of an id is.
fn length(id: &Raw) -> usize {
    match json::string(id) {
        Some(text) => text.encode_utf16().count(),
        None => id.len(),
    }
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
    }

    #[test]
    fn limits_are_read_as_they_were_written() {
        assert_eq!(Limits::default().written(), None);
        let limits = Limits { payload: 1, id: 2 };
        let host = format!("{{\"limits\":{}}}", limits.written().unwrap_or_default());
        assert_eq!(Limits::read(Some(&host.into())), limits);
        assert_eq!(
            Limits::read(Some(&"{\"limits\":[]}".into())),
            Limits::default()
        );
        assert_eq!(Limits::read(None), Limits::default());
    }
}
