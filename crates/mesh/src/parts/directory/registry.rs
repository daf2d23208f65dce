//! What other hosts have registered here: the hashes of their peers.

use std::collections::{BTreeSet, HashMap};

use bytestring::ByteString;

use super::hashes::{Shard, shard_of};

/// The most that is remembered for one host, and for all of them: some 100 MB. What is beyond is not found here, and everybody is asked.
const MAX_OF_ONE: usize = 1 << 21;
const MAX_ENTRIES: usize = 1 << 22;

/// A hash, and the number of its lot: three words take 12 bytes, a pair would take 16.
type Entry = [u32; 3];

fn entry(hash: u64, lot: u32) -> Entry {
    [(hash >> 32) as u32, hash as u32, lot]
}

/// What one host has registered of one shard.
#[derive(Debug)]
struct Lot {
    host: ByteString,
    entries: usize,
}

/// What one host has registered.
#[derive(Debug, Default)]
struct Owner {
    lots: HashMap<Shard, u32>,
    entries: usize,
}

#[derive(Debug, Default)]
pub struct Registry {
    entries: BTreeSet<Entry>,
    /// By their numbers. An entry whose lot is not there counts no more.
    lots: HashMap<u32, Lot>,
    owners: HashMap<ByteString, Owner>,
    next: u32,
    /// How many entries count no more. They are swept out when they are a quarter, so that nobody has everything walked by a few bytes
    /// that say that all is new, or that a shard has moved.
    void: usize,
}

impl Registry {
    pub fn register(&mut self, host: &ByteString, hashes: impl IntoIterator<Item = u64>) {
        let mut owner = self.owners.remove(host).unwrap_or_default();
        for hash in hashes {
            if owner.entries >= MAX_OF_ONE || self.entries.len() >= MAX_ENTRIES {
                break;
            }
            let number = *owner.lots.entry(shard_of(hash)).or_insert_with(|| {
                let (host, entries) = (host.clone(), 0);
                self.next = self.next.wrapping_add(1);
                self.lots.insert(self.next, Lot { host, entries });
                self.next
            });
            if self.entries.insert(entry(hash, number)) {
                owner.entries += 1;
                if let Some(lot) = self.lots.get_mut(&number) {
                    lot.entries += 1;
                }
            }
        }
        self.owners.insert(host.clone(), owner);
    }

    pub fn unregister(&mut self, host: &ByteString, hashes: impl IntoIterator<Item = u64>) {
        let Some(owner) = self.owners.get_mut(host) else {
            return;
        };
        for hash in hashes {
            let Some(number) = owner.lots.get(&shard_of(hash)) else {
                continue;
            };
            if self.entries.remove(&entry(hash, *number)) {
                owner.entries -= 1;
                if let Some(lot) = self.lots.get_mut(number) {
                    lot.entries -= 1;
                }
            }
        }
    }

    pub fn forget_shard(&mut self, host: &ByteString, shard: Shard) {
        let Some(owner) = self.owners.get_mut(host) else {
            return;
        };
        let lot = owner.lots.remove(&shard);
        if let Some(lot) = lot.and_then(|number| self.lots.remove(&number)) {
            owner.entries -= lot.entries;
            self.leave(lot.entries);
        }
    }

    /// Forgets everything that this host has registered here.
    pub fn forget(&mut self, host: &ByteString) {
        if let Some(owner) = self.owners.remove(host) {
            for number in owner.lots.values() {
                self.lots.remove(number);
            }
            self.leave(owner.entries);
        }
    }

    /// So many entries count no more.
    fn leave(&mut self, count: usize) {
        self.void += count;
        if self.void > 0 && self.void * 4 >= self.entries.len() {
            self.entries.retain(|e| self.lots.contains_key(&e[2]));
            self.void = 0;
        }
    }

    /// The hosts that have registered that hash.
    pub fn owners(&self, hash: u64) -> impl Iterator<Item = &ByteString> {
        let there = self.entries.range(entry(hash, 0)..=entry(hash, u32::MAX));
        there.filter_map(|e| self.lots.get(&e[2]).map(|lot| &lot.host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_for_one_and_for_all() {
        let mut registry = Registry::default();
        let hosts: Vec<ByteString> = (0..3).map(|n| format!("host{n}").into()).collect();
        for host in &hosts {
            registry.register(host, 0..(MAX_OF_ONE as u64 + 7));
        }
        assert_eq!(registry.entries.len(), MAX_ENTRIES);
        assert_eq!(registry.owners(7).count(), 2);
        registry.forget(&hosts[0]);
        assert_eq!(registry.entries.len(), MAX_OF_ONE, "swept out");
        registry.register(&hosts[2], [7]);
        assert_eq!(registry.owners(7).count(), 2);
        registry.forget(&hosts[1]);
        registry.forget(&hosts[2]);
        assert_eq!((registry.entries.len(), registry.void), (0, 0));
    }

    #[test]
    fn a_shard_is_forgotten_for_one_host() {
        let mut registry = Registry::default();
        let (honest, other) = (ByteString::from("honest"), ByteString::from("other"));
        let far = u64::MAX;
        registry.register(&honest, 0..1000);
        registry.register(&other, [7, far]);
        registry.forget_shard(&other, shard_of(7));
        assert_eq!((registry.owners(7).count(), registry.void), (1, 1));
        assert_eq!(registry.owners(far).count(), 1);
        registry.register(&other, [7]);
        registry.unregister(&other, [7, far]);
        assert_eq!(
            (registry.owners(7).count(), registry.owners(far).count()),
            (1, 0)
        );
        registry.forget_shard(&honest, shard_of(7));
        assert_eq!((registry.entries.len(), registry.void), (0, 0));
    }

    #[test]
    fn who_says_again_and_again_that_all_is_new_has_not_everything_walked() {
        let mut registry = Registry::default();
        let (honest, other) = (ByteString::from("honest"), ByteString::from("other"));
        registry.register(&honest, 0..1000);
        for _ in 0..300 {
            registry.forget(&other);
            registry.register(&other, [7]);
        }
        assert!((1..=1334).contains(&(registry.entries.len() - registry.void)));
        assert!(registry.void > 0, "most of them are not swept at once");
        assert_eq!(registry.owners(7).count(), 2);
        assert!(registry.entries.len() <= 1400);
    }
}
