//! Who listens to what, here and on other hosts.
//!
//! Of another host we either know all that it listens to, or it gets everything that is published: it may be one that does not tell,
//! or has not told yet, or listens to more than we remember. What is known too much of costs a message, what is known too little of would
//! lose one.

mod found;
mod matching;
mod names;
mod patterns;
mod steps;
mod trie;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytestring::ByteString;

use crate::topic::Topic;
use found::Found;
use names::{Hash, Hashes, Names};
pub use patterns::{Matcher, Patterns};
use steps::Steps;

/// All hosts together may tell so many times what one may.
const HOSTS: usize = 3;

/// What was found in fewer steps is not worth to be remembered.
const FEW_STEPS: usize = 256;

#[derive(Debug, Default)]
pub struct Channels {
    here: BTreeSet<Topic>,
    /// The names of channels that other hosts listen to.
    names: Names,
    /// The hosts that something is known of, by the numbers that they have here.
    told: HashMap<ByteString, u32>,
    list: Vec<Told>,
    free: Vec<u32>,
    /// The nodes of all of them.
    nodes: usize,
    /// Those with patterns.
    by_pattern: BTreeSet<u32>,
    matcher: Matcher,
    found: Found,
    /// The hosts that get everything; true: whatever they say.
    open: BTreeMap<ByteString, bool>,
}

/// What a host listens to.
#[derive(Debug, Default)]
struct Told {
    host: ByteString,
    names: Hashes,
    /// Those of them that were told twice: they stay. A host tells a name once, but two may have one hash.
    twice: Hashes,
    patterns: Patterns,
}

impl Told {
    fn nodes(&self) -> usize {
        self.names.len() + self.twice.len() + self.patterns.nodes()
    }
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

    /// That host gets everything from now on, until `complete`.
    pub fn open(&mut self, host: &ByteString) {
        self.forget(host);
        self.open.insert(host.clone(), false);
    }

    /// What we know of that host is all that it listens to.
    pub fn complete(&mut self, host: &ByteString) {
        if self.open.get(host) == Some(&false) {
            self.open.remove(host);
            self.number(host);
        }
    }

    /// That host is gone, with all that is known of it.
    pub fn forget(&mut self, host: &ByteString) {
        self.open.remove(host);
        let Some(number) = self.told.remove(host) else {
            return;
        };
        let told = std::mem::take(&mut self.list[number as usize]);
        self.nodes -= told.nodes();
        for name in told.names {
            self.names.remove(name, number);
        }
        self.names.shrink();
        if self.by_pattern.remove(&number) {
            self.found.forget();
        }
        self.free.push(number);
    }

    fn number(&mut self, host: &ByteString) -> u32 {
        if let Some(number) = self.told.get(host) {
            return *number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.list.push(Told::default());
            self.list.len() as u32 - 1
        });
        self.list[number as usize].host = host.clone();
        self.told.insert(host.clone(), number);
        number
    }

    /// That host listens to that. Whether this is news. One that has told more than `most` [nodes](Self::nodes) gets everything, until it
    /// begins anew; and so does the one that has told most, when all together have told too much.
    pub fn add(&mut self, host: &ByteString, topic: &Topic, most: usize) -> bool {
        if self.open.get(host) == Some(&true) {
            return false;
        }
        let number = self.number(host);
        let told = &mut self.list[number as usize];
        let before = told.nodes();
        let news = if topic.pattern {
            self.by_pattern.insert(number);
            self.found.forget();
            told.patterns.insert(&topic.name)
        } else {
            let name = self.names.hash(&topic.name);
            let news = told.names.insert(name);
            if news {
                self.names.add(name, number);
            } else {
                told.twice.insert(name);
            }
            news
        };
        let nodes = told.nodes();
        self.nodes = self.nodes + nodes - before;
        if nodes > most {
            self.open_for_good(host);
        } else if self.nodes > HOSTS.saturating_mul(most)
            && let Some(told) = self.list.iter().max_by_key(|told| told.nodes())
        {
            let host = told.host.clone();
            self.open_for_good(&host);
        }
        news && self.told.contains_key(host)
    }

    fn open_for_good(&mut self, host: &ByteString) {
        self.forget(host);
        self.open.insert(host.clone(), true);
    }

    /// That host does not listen to that any more.
    pub fn remove(&mut self, host: &ByteString, topic: &Topic) {
        let Some(number) = self.told.get(host).copied() else {
            return;
        };
        let told = &mut self.list[number as usize];
        if topic.pattern {
            let before = told.patterns.nodes();
            told.patterns.remove(&topic.name);
            self.nodes = self.nodes + told.patterns.nodes() - before;
            self.found.forget();
            if told.patterns.is_empty() {
                self.by_pattern.remove(&number);
            }
            return;
        }
        let name = self.names.hash(&topic.name);
        if !told.twice.contains(&name) && told.names.remove(&name) {
            self.nodes -= 1;
            self.names.remove(name, number);
        }
    }

    /// What is remembered of that host: a name is one node, a pattern one for each 16 bytes that it shares with no other one, about.
    #[cfg(test)]
    fn nodes(&self, host: &ByteString) -> usize {
        let told = self.told.get(host);
        told.map_or(0, |number| self.list[*number as usize].nodes())
    }

    /// The hosts that get what is published to a channel: sorted, each once.
    pub fn listeners(&mut self, name: &str) -> Vec<ByteString> {
        let hash = self.names.hash(name);
        let mut numbers: Vec<u32> = self.names.of(hash).collect();
        self.find_by_pattern(hash, name, &mut numbers);
        let hosts = numbers.iter().map(|n| &self.list[*n as usize].host);
        let mut hosts: Vec<ByteString> = hosts.chain(self.open.keys()).cloned().collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    fn find_by_pattern(&mut self, hash: Hash, name: &str, hosts: &mut Vec<u32>) {
        if let Some(found) = self.found.get(hash, name) {
            return hosts.extend(found);
        }
        let before = hosts.len();
        let mut steps = Steps::new(name);
        for number in &self.by_pattern {
            let patterns = &self.list[*number as usize].patterns;
            if steps.found(|steps| self.matcher.matches(patterns, name, steps)) {
                hosts.push(*number);
            }
        }
        if steps.taken() > FEW_STEPS {
            self.found.set(hash, name, hosts[before..].to_vec());
        }
    }

    /// Whether that host gets whatever is published.
    pub fn is_open(&self, host: &ByteString) -> bool {
        self.open.contains_key(host)
    }

    /// Whether there are hosts that do not get everything.
    pub fn any_told(&self) -> bool {
        self.told.len() > self.open.len() || self.told.keys().any(|h| !self.open.contains_key(h))
    }

    /// All hosts that something is known of: sorted, each once.
    pub fn hosts(&self) -> Vec<ByteString> {
        let told = self.told.keys().filter(|h| !self.open.contains_key(*h));
        let mut hosts: Vec<ByteString> = self.open.keys().chain(told).cloned().collect();
        hosts.sort_unstable();
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: String, pattern: bool) -> Topic {
        let name = name.into();
        Topic { name, pattern }
    }

    fn told(channels: &mut Channels, number: u32) -> ByteString {
        let host = ByteString::from(format!("host {number}"));
        channels.open(&host);
        channels.complete(&host);
        host
    }

    #[test]
    fn when_all_together_listen_to_too_much_whoever_listens_to_most_gets_everything() {
        let mut channels = Channels::default();
        let hosts = [5, 7, 6].map(|count| {
            let host = told(&mut channels, count);
            for n in 0..count {
                assert!(channels.add(&host, &topic(format!("{count} {n}"), false), 7));
            }
            host
        });
        let [five, seven, six] = &hosts;
        let other = told(&mut channels, 9);
        for n in 0..3 {
            assert!(channels.add(&other, &topic(format!("more {n}"), false), 7));
        }
        channels.remove(five, &topic("5 0".into(), false));
        assert!(channels.add(five, &topic("5 0".into(), false), 7));
        assert!(channels.add(five, &topic("a.*".into(), true), 99));
        channels.remove(five, &topic("a.*".into(), true));
        assert!(!channels.is_open(seven));
        assert!(channels.add(&other, &topic("too much".into(), false), 7));
        assert!(channels.is_open(seven));
        assert!(![five, six, &other].iter().any(|h| channels.is_open(h)));
        assert_eq!(channels.listeners("too much"), [seven, &other]);
        for host in hosts.iter().chain([&other]) {
            channels.forget(host);
        }
        assert_eq!(channels.nodes, 0);
    }

    #[test]
    fn who_listens_to_too_much_gets_everything_and_takes_no_memory() {
        let mut channels = Channels::default();
        let host = told(&mut channels, 1);
        let mut add = |name: &str, pattern| channels.add(&host, &topic(name.into(), pattern), 7);
        assert!(add("a", false) && !add("a", false) && add("b", false));
        assert!(add("*.b", true) && !add("*.b", true) && add("*.c", true));
        assert!(!add("**.a-long-name-of-two-nodes", true));
        assert_eq!(channels.nodes(&host), 0);
        channels.complete(&host);
        assert!(!channels.add(&host, &topic("a".into(), false), 5));
        assert_eq!(channels.listeners("anything"), [&host]);
        channels.open(&host);
        channels.complete(&host);
        assert!(channels.listeners("a").is_empty());
    }

    #[test]
    fn a_name_that_was_told_twice_stays() {
        let mut channels = Channels::default();
        let host = told(&mut channels, 1);
        for (name, times) in [("once", 1), ("twice", 2)] {
            let name = topic(name.into(), false);
            for _ in 0..times {
                channels.add(&host, &name, 9);
            }
            channels.remove(&host, &name);
        }
        assert!(channels.listeners("once").is_empty());
        assert_eq!(channels.listeners("twice"), [&host]);
        channels.forget(&host);
        assert!(channels.listeners("twice").is_empty());
    }

    #[test]
    fn hosts_with_patterns_made_to_be_slow_get_everything_and_nobody_else_does() {
        let mut channels = Channels::default();
        let name = "a.aa.a.aa.a.aa.a.aa.a.aa.b";
        let slow = |n: u32| {
            let segments = (0..10).map(|k| ["**", "a*", "*a", "*"][(n >> k) as usize % 4]);
            segments.collect::<Vec<_>>().join(".") + ".c"
        };
        for number in 0..300 {
            let host = told(&mut channels, number);
            for n in 0..50 {
                let pattern = match number % 3 {
                    0 => format!("**.room.{}*.{n}", number * 50 + n),
                    _ => slow(number * 7919 + n * 104_729),
                };
                channels.add(&host, &topic(pattern, true), usize::MAX);
            }
        }
        let found = channels.listeners(name);
        let honest = |host: &ByteString| {
            let number = host.split(' ').nth(1).and_then(|n| n.parse::<u32>().ok());
            number.is_some_and(|n| n % 3 == 0)
        };
        assert!(!found.iter().any(honest));
        assert!(found.len() > 100, "{}", found.len());
        // Nothing that was told is missed.
        let host = &channels.listeners("x.room.15x.15")[0];
        assert_eq!(*host, "host 0");
        // Neither when it was found before.
        let pattern = topic("x.*.15x.15".into(), true);
        for add in [true, false] {
            let host = ByteString::from("host 3");
            match add {
                true => assert!(channels.add(&host, &pattern, usize::MAX)),
                false => channels.remove(&host, &pattern),
            }
            assert_eq!(channels.listeners("x.room.15x.15").contains(&host), add);
            assert_eq!(channels.listeners("x.room.15x.15").contains(&host), add);
        }
    }
}
