//! Hosts as others are told of them, in lists.

use bytestring::ByteString;

use crate::json;
use crate::words::Raw;

/// The most members that one list may name.
const MAX_MEMBERS: usize = 4096;

/// A host as others are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id in place of the url, if it has none and is only reached by who tells of it.
    pub url: ByteString,
    /// 0.4.0 hosts have none.
    pub host: Option<ByteString>,
}

impl Member {
    /// A host that nobody can dial: it goes by its id.
    pub fn relayed(host: ByteString) -> Member {
        Member {
            url: host.clone(),
            host: Some(host),
        }
    }

    pub fn is_relayed(&self) -> bool {
        self.host.as_ref() == Some(&self.url)
    }
}

/// A list of members as a JSON array.
pub fn written(members: &[Member]) -> String {
    let mut out = String::from("[");
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push('{');
        let url = (!member.is_relayed()).then(|| json::quote(&member.url));
        json::push_member(&mut out, "url", url.as_deref());
        let host = member.host.as_deref().map(json::quote);
        json::push_member(&mut out, "id", host.as_deref());
        out.push('}');
    }
    out.push(']');
    out
}

/// The members in a JSON array, as far as it is one.
pub fn read(array: Option<&Raw>) -> Vec<Member> {
    let entries: Vec<serde_json::Value> = array
        .and_then(|array| serde_json::from_str(array).ok())
        .unwrap_or_default();
    let read = |entry: serde_json::Value| {
        let text = |name| {
            entry
                .get(name)
                .and_then(|v| v.as_str())
                .filter(|t| !t.is_empty())
        };
        let host = text("id").map(ByteString::from);
        match text("url") {
            Some(url) => Some(Member {
                url: url.into(),
                host,
            }),
            None => host.map(Member::relayed),
        }
    };
    entries
        .into_iter()
        .take(MAX_MEMBERS)
        .filter_map(read)
        .collect()
}
