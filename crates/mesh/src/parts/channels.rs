//! Who listens to what, here and on other hosts.
//!
//! Of another host we either know all that it listens to, or it gets everything that is published: it may be one that does not tell,
//! or has not told yet. What is known too much of costs a message, what is known too little of would lose one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytestring::ByteString;

use crate::topic::Topic;

/// The most that is remembered of one host, in bytes. One that listens to more gets everything.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// What a topic takes beside its name.
const OVERHEAD: usize = 128;

#[derive(Debug, Default)]
pub struct Channels {
    here: BTreeSet<Topic>,
    /// The other hosts that listen to a channel, not by a pattern.
    there: HashMap<ByteString, Vec<ByteString>>,
    told: HashMap<ByteString, Told>,
    /// The hosts that get everything; true: whatever they say.
    open: BTreeMap<ByteString, bool>,
}

#[derive(Debug, Default)]
struct Told {
    topics: HashSet<Topic>,
    bytes: usize,
}

fn weight(topic: &Topic) -> usize {
    topic.name.len() + OVERHEAD
}

impl Channels {
    /// The program listens to that from now on. Whether it did not before.
    pub fn subscribe(&mut self, topic: Topic) -> bool {
        self.here.insert(topic)
    }

    /// The program does not listen to that any more. Whether it did before.
    pub fn unsubscribe(&mut self, topic: &Topic) -> bool {
        self.here.remove(topic)
    }

    /// All that the program listens to.
    pub fn here(&self) -> impl ExactSizeIterator<Item = &Topic> {
        self.here.iter()
    }

    /// That host gets everything from now on, until `complete`. Gives the patterns that it listened to.
    pub fn open(&mut self, host: &ByteString) -> Vec<ByteString> {
        let patterns = self.forget(host);
        self.open.insert(host.clone(), false);
        patterns
    }

    /// That host gets everything from now on, until it begins anew. Gives the patterns that it listened to.
    pub fn open_for_good(&mut self, host: &ByteString) -> Vec<ByteString> {
        let patterns = self.forget(host);
        self.open.insert(host.clone(), true);
        patterns
    }

    /// What we know of that host is all that it listens to.
    pub fn complete(&mut self, host: &ByteString) {
        if self.open.get(host) == Some(&false) {
            self.open.remove(host);
            self.told.entry(host.clone()).or_default();
        }
    }

    /// That host is gone. Gives the patterns that it listened to.
    pub fn forget(&mut self, host: &ByteString) -> Vec<ByteString> {
        self.open.remove(host);
        let mut patterns = Vec::new();
        for topic in self.told.remove(host).unwrap_or_default().topics {
            if topic.pattern {
                patterns.push(topic.name);
            } else {
                self.leave(&topic.name, host);
            }
        }
        patterns
    }

    /// That host listens to that. Whether this is news; `None` when it is more than we remember.
    pub fn add(&mut self, host: &ByteString, topic: &Topic) -> Option<bool> {
        if self.open.get(host) == Some(&true) {
            return Some(false);
        }
        let told = self.told.entry(host.clone()).or_default();
        if told.topics.contains(topic) {
            return Some(false);
        }
        told.bytes += weight(topic);
        if told.bytes > MAX_BYTES {
            return None;
        }
        told.topics.insert(topic.clone());
        if !topic.pattern {
            let there = self.there.entry(topic.name.clone()).or_default();
            there.push(host.clone());
        }
        Some(true)
    }

    /// That host does not listen to that any more. Whether this is news.
    pub fn remove(&mut self, host: &ByteString, topic: &Topic) -> bool {
        let Some(told) = self.told.get_mut(host).filter(|t| t.topics.contains(topic)) else {
            return false;
        };
        told.topics.remove(topic);
        told.bytes -= weight(topic);
        if !topic.pattern {
            self.leave(&topic.name, host);
        }
        true
    }

    fn leave(&mut self, name: &ByteString, host: &ByteString) {
        if let Some(there) = self.there.get_mut(name) {
            there.retain(|h| h != host);
            if there.is_empty() {
                self.there.remove(name);
            }
        }
    }

    /// The hosts that get whatever is published.
    pub fn open_hosts(&self) -> impl Iterator<Item = &ByteString> {
        self.open.keys()
    }

    /// The hosts that listen to that channel, not by a pattern. Some of them may get everything as well.
    pub fn listeners(&self, name: &str) -> &[ByteString] {
        self.there.get(name).map_or(&[], |hosts| hosts)
    }

    /// Whether there are hosts that do not get everything.
    pub fn any_told(&self) -> bool {
        self.told.len() > self.open.len() || self.told.keys().any(|h| !self.open.contains_key(h))
    }

    /// All hosts that something is known of.
    pub fn hosts(&self) -> impl Iterator<Item = &ByteString> {
        let told = self.told.keys().filter(|h| !self.open.contains_key(*h));
        self.open.keys().chain(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: String, pattern: bool) -> Topic {
        let name = name.into();
        Topic { name, pattern }
    }

    #[test]
    fn what_is_too_much_to_remember_is_not_remembered() {
        let mut channels = Channels::default();
        let host = ByteString::from_static("host");
        channels.open(&host);
        channels.complete(&host);
        let large = || topic("x".repeat(MAX_BYTES / 3), false);
        assert_eq!(channels.add(&host, &large()), Some(true));
        assert_eq!(channels.add(&host, &large()), Some(false));
        assert!(channels.remove(&host, &large()));
        for n in 0..2 {
            let name = format!("{n}{}", "x".repeat(MAX_BYTES / 3));
            assert_eq!(channels.add(&host, &topic(name, true)), Some(true));
        }
        assert_eq!(channels.add(&host, &large()), None);
        assert_eq!(channels.open_for_good(&host).len(), 2);
        channels.complete(&host);
        assert_eq!(channels.add(&host, &topic("a".into(), false)), Some(false));
        assert_eq!(channels.open_hosts().collect::<Vec<_>>(), [&host]);
        channels.open(&host);
        channels.complete(&host);
        assert_eq!(channels.open_hosts().count(), 0);
    }
}
