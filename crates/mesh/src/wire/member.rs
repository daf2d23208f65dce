//! Hosts as others are told of them, in lists.

use bytestring::ByteString;

use crate::json;
use crate::limits::MAX_MEMBERS;
use crate::words::Raw;

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

    fn read(entry: &Raw) -> Option<Member> {
        let texts = json::members(entry, ["url", "id"])?;
        let [url, host] = texts.map(|text| {
            let text = text.as_ref().and_then(json::string);
            text.filter(|text| !text.is_empty())
        });
        match url {
            Some(url) => Some(Member { url, host }),
            None => host.map(Member::relayed),
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

/// The members in a JSON array, as far as it is one, and no more than a list may name.
pub fn read(array: Option<&Raw>) -> Vec<Member> {
    let mut members = Vec::new();
    let is_array = array.is_some_and(|array| {
        json::each(array, |entry| {
            if members.len() < MAX_MEMBERS {
                members.extend(Member::read(&entry));
            }
        })
    });
    if is_array { members } else { Vec::new() }
}
