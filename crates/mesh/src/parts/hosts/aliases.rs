//! Further urls of the hosts with a key.

use std::collections::{BTreeSet, HashMap};

use bytestring::ByteString;

#[derive(Debug, Default)]
pub struct Aliases {
    keys: HashMap<ByteString, ByteString>,
    further: HashMap<ByteString, Further>,
}

#[derive(Debug)]
struct Further {
    /// Whose they are, if it has an id.
    host: Option<ByteString>,
    urls: BTreeSet<ByteString>,
}

impl Aliases {
    /// Notes a further url of the host with that key, which has that id.
    pub fn insert(&mut self, url: ByteString, key: ByteString, host: Option<ByteString>) {
        self.remove(&url);
        self.keys.insert(url.clone(), key.clone());
        let urls = BTreeSet::new();
        let further = self.further.entry(key).or_insert(Further { host, urls });
        further.urls.insert(url);
    }

    /// That host has that key from now on: the further urls of another one that had it are not its own.
    pub fn pass(&mut self, key: &str, host: Option<&ByteString>) {
        let further = self.further.get(key);
        if further.is_some_and(|f| f.host.as_ref() != host) {
            self.forget(key);
        }
    }

    /// The key of the host that has that further url.
    pub fn get(&self, url: &str) -> Option<&ByteString> {
        self.keys.get(url)
    }

    /// Forgets the further urls of the host with that key.
    pub fn forget(&mut self, key: &str) {
        let further = self.further.remove(key);
        for url in further.into_iter().flat_map(|f| f.urls) {
            self.keys.remove(&url);
        }
    }

    /// Forgets that further url.
    pub fn remove(&mut self, url: &str) {
        if let Some(key) = self.keys.remove(url)
            && let Some(further) = self.further.get_mut(&key)
        {
            further.urls.remove(url);
            if further.urls.is_empty() {
                self.further.remove(&key);
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
        aliases.insert("u".into(), "a".into(), None);
        aliases.insert("v".into(), "a".into(), None);
        aliases.insert("u".into(), "b".into(), None);
        aliases.forget("a");
        assert_eq!(aliases.get("v"), None);
        assert_eq!(aliases.get("u").map(|key| &**key), Some("b"));
        aliases.forget("b");
        assert!(aliases.keys.is_empty() && aliases.further.is_empty());
    }

    #[test]
    fn the_urls_of_one_host_do_not_pass_to_another_one_with_its_key() {
        let mut aliases = Aliases::default();
        let hosts = ["a", "b"].map(ByteString::from_static);
        aliases.insert("u".into(), "key".into(), Some(hosts[0].clone()));
        aliases.pass("key", Some(&hosts[0]));
        assert!(aliases.get("u").is_some());
        aliases.pass("key", Some(&hosts[1]));
        assert_eq!(aliases.get("u"), None);
        aliases.insert("v".into(), "key".into(), None);
        aliases.pass("key", None);
        assert!(aliases.get("v").is_some());
    }
}
