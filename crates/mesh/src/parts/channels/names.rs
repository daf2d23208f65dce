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
    /// The one host, or `MANY` and where the chain of several begins.
    hosts: HashMap<Hash, u32, BuildHasherDefault<Same>>,
    /// All chains: a list of its own for each name would take several times as much.
    chains: Vec<Place>,
    /// The first free place of these.
    free: u32,
    used: usize,
}

/// A host in a chain, and where the next one is.
#[derive(Clone, Copy, Debug)]
struct Place {
    host: u32,
    next: u32,
}

const MANY: u32 = 1 << 31;

/// The end of a chain.
const END: u32 = u32::MAX;

impl Names {
    pub fn hash(&self, name: &str) -> Hash {
        self.keys.hash_one(name)
    }

    /// The hosts that listen to that name.
    pub fn of(&self, name: Hash) -> impl Iterator<Item = u32> {
        let at = self.hosts.get(&name).copied();
        let one = at.filter(|at| at & MANY == 0);
        let mut next = at.map_or(END, |at| if at & MANY == 0 { END } else { at & !MANY });
        let several = std::iter::from_fn(move || {
            let place = self.chains.get(next as usize)?;
            next = place.next;
            Some(place.host)
        });
        one.into_iter().chain(several)
    }

    /// That host listens to that, which it did not before.
    pub fn add(&mut self, name: Hash, host: u32) {
        let Some(at) = self.hosts.get(&name).copied() else {
            self.hosts.insert(name, host);
            return;
        };
        let next = match at & MANY {
            0 => self.put(at, END),
            _ => at & !MANY,
        };
        let first = self.put(host, next);
        self.hosts.insert(name, MANY | first);
    }

    /// That host does not listen to that any more.
    pub fn remove(&mut self, name: Hash, host: u32) {
        let Some(at) = self.hosts.get(&name).copied() else {
            return;
        };
        if at & MANY == 0 {
            self.hosts.remove(&name);
            return;
        }
        let first = self.unchain(at & !MANY, host);
        let Place { host, next } = self.chains[first as usize];
        if next == END {
            self.give_back(first);
            self.hosts.insert(name, host);
        } else {
            self.hosts.insert(name, MANY | first);
        }
    }

    /// Takes a host out of a chain of two or more. Gives where that begins now.
    fn unchain(&mut self, first: u32, host: u32) -> u32 {
        let (mut before, mut at) = (END, first);
        while let Some(place) = self.chains.get(at as usize).copied() {
            if place.host != host {
                (before, at) = (at, place.next);
                continue;
            }
            self.give_back(at);
            if before == END {
                return place.next;
            }
            self.chains[before as usize].next = place.next;
            break;
        }
        first
    }

    fn put(&mut self, host: u32, next: u32) -> u32 {
        self.used += 1;
        let place = Place { host, next };
        match self.chains.get_mut(self.free as usize) {
            Some(free) => {
                let at = self.free;
                self.free = free.next;
                *free = place;
                at
            }
            None => {
                self.chains.push(place);
                self.free = self.chains.len() as u32;
                self.free - 1
            }
        }
    }

    fn give_back(&mut self, at: u32) {
        self.used -= 1;
        self.chains[at as usize].next = self.free;
        self.free = at;
    }

    /// Gives back what is not needed after many have been removed.
    pub fn shrink(&mut self) {
        if self.hosts.capacity() > 64 + 8 * self.hosts.len() {
            self.hosts.shrink_to_fit();
        }
        if self.used == 0 {
            (self.chains, self.free) = (Vec::new(), 0);
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
        let of = |names: &Names, name| {
            let mut hosts: Vec<u32> = names.of(name).collect();
            hosts.sort_unstable();
            hosts
        };
        for host in 0..4 {
            names.add(a, host);
            assert_eq!(of(&names, a).len(), host as usize + 1);
        }
        names.add(b, 7);
        names.remove(a, 1); // within
        names.remove(a, 5); // not there
        assert_eq!((of(&names, a), of(&names, b)), (vec![0, 2, 3], vec![7]));
        names.remove(a, 3); // the first
        assert_eq!(of(&names, a), [0, 2]);
        names.remove(a, 0); // the last
        assert_eq!(of(&names, a), [2]);
        names.add(b, 8);
        names.add(b, 9);
        assert_eq!((of(&names, a), of(&names, b)), (vec![2], vec![7, 8, 9]));
        assert_eq!(names.chains.len(), 4, "places are used again");
        for (name, host) in [(a, 2), (b, 7), (b, 8), (b, 9)] {
            names.remove(name, host);
        }
        names.shrink();
        assert!(of(&names, a).is_empty() && of(&names, b).is_empty());
        assert_eq!((names.hosts.len(), names.chains.len()), (0, 0));
    }
}
