//! Which hosts listen to which names, by the names' hashes: 1,000,000 names take less than their texts would.
//!
//! Two names with one hash are as one: who listens to one gets the other as well. That costs a message, and loses none.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// The hash of a name, different in each process.
pub type Hash = u64;

/// A set of hashes.
pub type Hashes = HashSet<Hash, BuildHasherDefault<Same>>;

/// Hosts, which are numbers here, by the names that they listen to.
#[derive(Debug, Default)]
pub struct Names {
    keys: RandomState,
    /// The one host, or `MANY` and which of the lists.
    hosts: HashMap<Hash, u32, BuildHasherDefault<Same>>,
    lists: Vec<Vec<u32>>,
    free: Vec<u32>,
}

const MANY: u32 = 1 << 31;

impl Names {
    pub fn hash(&self, name: &str) -> Hash {
        self.keys.hash_one(name)
    }

    /// The hosts that listen to that name.
    pub fn of(&self, name: Hash) -> &[u32] {
        match self.hosts.get(&name) {
            None => &[],
            Some(at) if at & MANY == 0 => std::slice::from_ref(at),
            Some(at) => &self.lists[(at & !MANY) as usize],
        }
    }

    /// That host listens to that, which it did not before.
    pub fn add(&mut self, name: Hash, host: u32) {
        let Some(at) = self.hosts.get_mut(&name) else {
            self.hosts.insert(name, host);
            return;
        };
        if *at & MANY != 0 {
            return self.lists[(*at & !MANY) as usize].push(host);
        }
        let list = vec![*at, host];
        match self.free.pop() {
            Some(number) => {
                self.lists[number as usize] = list;
                *at = MANY | number;
            }
            None => {
                *at = MANY | self.lists.len() as u32;
                self.lists.push(list);
            }
        }
    }

    /// That host does not listen to that any more.
    pub fn remove(&mut self, name: Hash, host: u32) {
        let Some(at) = self.hosts.get_mut(&name) else {
            return;
        };
        if *at & MANY == 0 {
            self.hosts.remove(&name);
            return;
        }
        let number = *at & !MANY;
        let list = &mut self.lists[number as usize];
        list.retain(|other| *other != host);
        if let [rest] = list[..] {
            *list = Vec::new();
            *at = rest;
            self.free.push(number);
        }
    }

    /// Gives back what is not needed after many have been removed.
    pub fn shrink(&mut self) {
        if self.hosts.capacity() > 64 + 8 * self.hosts.len() {
            self.hosts.shrink_to_fit();
        }
        if self.free.len() == self.lists.len() {
            (self.lists, self.free) = (Vec::new(), Vec::new());
        }
    }
}

/// Takes hashes as they are.
#[derive(Debug, Default)]
pub struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 ^= n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_all_hosts_that_listen_to_it() {
        let mut names = Names::default();
        let [a, b] = [names.hash("a"), names.hash("b")];
        for host in 0..3 {
            names.add(a, host);
            assert_eq!(names.of(a).len(), host as usize + 1);
        }
        names.add(b, 7);
        names.remove(a, 1);
        names.remove(a, 5);
        assert_eq!((names.of(a), names.of(b)), (&[0, 2][..], &[7][..]));
        names.remove(a, 0);
        assert_eq!(names.of(a), [2]);
        names.add(b, 8);
        assert_eq!((names.of(a), names.of(b)), (&[2][..], &[7, 8][..]));
        for (name, host) in [(a, 2), (b, 7), (b, 8)] {
            names.remove(name, host);
        }
        names.shrink();
        assert!(names.of(a).is_empty() && names.of(b).is_empty());
        assert_eq!((names.hosts.len(), names.lists.len()), (0, 0));
    }
}
