//! The hosts that were lost without a goodbye, and when there is something to do about each: tens of thousands of them cost no other
//! host anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytestring::ByteString;

use crate::words::{Nearness, Teller, Time};

/// So many are waited for: each may have come and gone at the cost of one handshake, and has things kept for it in every part of this host.
const MOST: usize = 16 * 1024;

/// A host that was lost without a goodbye.
#[derive(Clone, Debug)]
pub struct Lost {
    /// When to do the next thing about it.
    pub at: Time,
    pub host: Option<ByteString>,
    /// How to dial it again; none when they dialled us: then it is for them to come back.
    pub redial: Option<Redial>,
    /// Who has told where it is, if it has never answered there: another host, or it itself.
    pub by: Option<Teller>,
    /// How near a dial may lead.
    pub reach: Nearness,
}

/// Dialling again and again.
#[derive(Clone, Debug)]
pub struct Redial {
    pub url: ByteString,
    /// When the connection was lost.
    pub since: Time,
    /// The undisturbed delay before the attempt, in seconds.
    pub delay: f64,
}

/// All of them, by their keys.
#[derive(Debug, Default)]
pub struct LostHosts {
    lost: BTreeMap<ByteString, (u64, Lost)>,
    /// Their keys, in the order in which they were lost or dialled again.
    by_age: BTreeMap<u64, ByteString>,
    next: u64,
    by_time: BTreeSet<(Time, ByteString)>,
    by_host: HashMap<ByteString, BTreeSet<ByteString>>,
    /// How many are dialled that are known by hearsay alone.
    told: usize,
}

impl Lost {
    fn is_told(&self) -> bool {
        self.by.is_some() && self.redial.is_some()
    }
}

impl LostHosts {
    /// One entry a key.
    pub fn insert(&mut self, key: ByteString, lost: Lost) {
        self.remove(&key);
        self.told += usize::from(lost.is_told());
        self.by_time.insert((lost.at, key.clone()));
        if let Some(host) = &lost.host {
            let keys = self.by_host.entry(host.clone()).or_default();
            keys.insert(key.clone());
        }
        self.next += 1;
        self.by_age.insert(self.next, key.clone());
        self.lost.insert(key, (self.next, lost));
    }

    pub fn remove(&mut self, key: &str) -> Option<Lost> {
        let (key, (age, lost)) = self.lost.remove_entry(key)?;
        self.by_age.remove(&age);
        if let Some(host) = &lost.host
            && let Some(keys) = self.by_host.get_mut(host)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_host.remove(host);
            }
        }
        self.by_time.remove(&(lost.at, key));
        self.told -= usize::from(lost.is_told());
        Some(lost)
    }

    /// Who has waited for longest, if there are too many.
    pub fn surplus(&self) -> Option<&ByteString> {
        let oldest = self.by_age.first_key_value();
        oldest
            .filter(|_| self.lost.len() > MOST)
            .map(|(_, key)| key)
    }

    /// How many are dialled that are known by hearsay alone.
    pub fn told(&self) -> usize {
        self.told
    }

    pub fn get(&self, key: &str) -> Option<&Lost> {
        self.lost.get(key).map(|(_, lost)| lost)
    }

    /// Changes what is known of one of them, if it is there.
    pub fn change(&mut self, key: &str, change: impl FnOnce(&mut Lost)) {
        if let Some((key, _)) = self.lost.get_key_value(key)
            && let key = key.clone()
            && let Some(mut lost) = self.remove(&key)
        {
            change(&mut lost);
            self.insert(key, lost);
        }
    }

    /// The keys of those with that host id, in their order.
    pub fn keys_of(&self, host: &str) -> Vec<ByteString> {
        let keys = self.by_host.get(host);
        keys.map_or_else(Vec::new, |keys| keys.iter().cloned().collect())
    }

    pub fn is_host(&self, host: &str) -> bool {
        self.by_host.contains_key(host)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ByteString, &Lost)> {
        self.lost.iter().map(|(key, (_, lost))| (key, lost))
    }

    /// Takes those about which there is something to do now, in the order of their keys.
    pub fn take_due(&mut self, now: Time) -> Vec<(ByteString, Lost)> {
        let mut due = BTreeMap::new();
        while let Some((_, key)) = self.by_time.first().filter(|(at, _)| *at <= now) {
            let key = key.clone();
            if let Some(lost) = self.remove(&key) {
                due.insert(key, lost);
            }
        }
        due.into_iter().collect()
    }

    pub fn deadline(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lost(at: u64, host: Option<&'static str>) -> Lost {
        Lost {
            at: Duration::from_secs(at),
            host: host.map(ByteString::from_static),
            redial: None,
            by: None,
            reach: Nearness::Program,
        }
    }

    #[test]
    fn whatever_is_done_with_lost_hosts_their_times_and_ids_lead_to_them() {
        let mut hosts = LostHosts::default();
        let secs = |at| Some(Duration::from_secs(at));
        hosts.insert("a".into(), lost(3, Some("1")));
        hosts.insert("b".into(), lost(2, Some("1")));
        hosts.insert("c".into(), lost(1, None));
        assert_eq!(hosts.deadline(), secs(1));
        assert_eq!(hosts.keys_of("1"), ["a", "b"]);
        hosts.insert("c".into(), lost(5, Some("2")));
        assert_eq!(hosts.deadline(), secs(2));
        hosts.change("b", |b| b.at = Duration::from_secs(9));
        assert_eq!(hosts.deadline(), secs(3));
        let due = hosts.take_due(Duration::from_secs(5));
        let due: Vec<_> = due.iter().map(|(key, _)| &**key).collect();
        assert_eq!(due, ["a", "c"]);
        assert_eq!(hosts.keys_of("1"), ["b"]);
        assert!(!hosts.is_host("2"));
        assert!(hosts.remove("b").is_some() && hosts.remove("b").is_none());
        assert_eq!((hosts.deadline(), hosts.is_host("1")), (None, false));
        assert!(hosts.by_time.is_empty() && hosts.by_host.is_empty() && hosts.by_age.is_empty());
    }
}
