//! Further urls of the hosts with a key.

use std::collections::{BTreeSet, HashMap};

use bytestring::ByteString;

#[derive(Debug, Default)]
pub struct Aliases {
    keys: HashMap<ByteString, ByteString>,
    urls: HashMap<ByteString, BTreeSet<ByteString>>,
}

impl Aliases {
    pub fn insert(&mut self, url: ByteString, key: ByteString) {
        if let Some(before) = self.keys.insert(url.clone(), key.clone()) {
            self.part(&before, &url);
        }
        self.urls.entry(key).or_default().insert(url);
    }

    /// The key of the host that has that further url.
    pub fn get(&self, url: &str) -> Option<&ByteString> {
        self.keys.get(url)
    }

    /// Forgets the further urls of the host with that key.
    pub fn forget(&mut self, key: &str) {
        for url in self.urls.remove(key).into_iter().flatten() {
            self.keys.remove(&url);
        }
    }

    fn part(&mut self, key: &str, url: &str) {
        if let Some(urls) = self.urls.get_mut(key) {
            urls.remove(url);
            if urls.is_empty() {
                self.urls.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_one_host_until_that_is_forgotten() {
        let mut aliases = Aliases::default();
        aliases.insert("u".into(), "a".into());
        aliases.insert("v".into(), "a".into());
        aliases.insert("u".into(), "b".into());
        aliases.forget("a");
        assert_eq!(aliases.get("v"), None);
        assert_eq!(aliases.get("u").map(|key| &**key), Some("b"));
        aliases.forget("b");
        assert!(aliases.keys.is_empty() && aliases.urls.is_empty());
    }
}
