//! What other hosts have registered here: the hashes of their peers.

use std::collections::{BTreeSet, HashMap};

use bytestring::ByteString;

use super::hashes::{Shard, hashes_of};

/// The most that is remembered for one host.
const MAX_ENTRIES: usize = 1 << 24;

#[derive(Debug, Default)]
pub struct Registry {
    /// Hash and owner.
    entries: BTreeSet<(u64, u32)>,
    /// By their numbers: who it is, and how many entries it has. An empty name is a free number.
    owners: Vec<(ByteString, usize)>,
    numbers: HashMap<ByteString, u32>,
}

impl Registry {
    pub fn register(&mut self, owner: &ByteString, hashes: impl IntoIterator<Item = u64>) {
        let number = match self.numbers.get(owner) {
            Some(number) => *number,
            None => {
                let free = self.owners.iter().position(|(host, _)| host.is_empty());
                let number = free.unwrap_or(self.owners.len());
                if number == self.owners.len() {
                    self.owners.push((ByteString::new(), 0));
                }
                self.owners[number] = (owner.clone(), 0);
                self.numbers.insert(owner.clone(), number as u32);
                number as u32
            }
        };
        let count = &mut self.owners[number as usize].1;
        for hash in hashes {
            if *count < MAX_ENTRIES && self.entries.insert((hash, number)) {
                *count += 1;
            }
        }
    }

    pub fn unregister(&mut self, owner: &ByteString, hashes: impl IntoIterator<Item = u64>) {
        if let Some(number) = self.numbers.get(owner) {
            for hash in hashes {
                if self.entries.remove(&(hash, *number)) {
                    self.owners[*number as usize].1 -= 1;
                }
            }
        }
    }

    pub fn forget_shard(&mut self, owner: &ByteString, shard: Shard) {
        let Some(number) = self.numbers.get(owner).copied() else {
            return;
        };
        let (first, last) = hashes_of(shard);
        let of_shard = self.entries.range((first, 0)..=(last, u32::MAX));
        let gone = of_shard
            .filter(|(_, n)| *n == number)
            .map(|(hash, _)| *hash);
        let gone: Vec<u64> = gone.collect();
        self.unregister(owner, gone);
    }

    /// Forgets everything that this host has registered here.
    pub fn forget(&mut self, owner: &ByteString) {
        if let Some(number) = self.numbers.remove(owner) {
            self.entries.retain(|(_, n)| *n != number);
            self.owners[number as usize] = (ByteString::new(), 0);
        }
    }

    /// The hosts that have registered that hash.
    pub fn owners(&self, hash: u64) -> impl Iterator<Item = &ByteString> {
        let there = self.entries.range((hash, 0)..=(hash, u32::MAX));
        there.map(|(_, n)| &self.owners[*n as usize].0)
    }
}
