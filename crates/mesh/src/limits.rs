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
}
