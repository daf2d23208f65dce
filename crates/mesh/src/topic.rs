//! Channels and patterns.

use bytestring::ByteString;

use crate::json;
use crate::words::Raw;

/// Something that can be listened to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// A channel's name, as JavaScript names properties; or a pattern.
    pub name: ByteString,
    /// Whether `*` stands for something, see [`Patterns`](crate::Patterns).
    pub pattern: bool,
}

impl Topic {
    /// Of a name as JSON text.
    pub fn read(name: Raw, pattern: bool) -> Topic {
        let name = json::id_key(&Some(name));
        Topic { name, pattern }
    }
}
