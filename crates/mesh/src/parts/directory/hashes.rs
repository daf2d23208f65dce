//! Hashes of the peers of this host, by shard, in sorted lists: they take half of what a tree takes, and there can be millions.

/// The highest bits of a hash are its shard.
const SHARD_BITS: u32 = 10;
pub const SHARDS: u64 = 1 << SHARD_BITS;

/// A part of all hashes.
pub type Shard = u16;

pub fn shard_of(hash: u64) -> Shard {
    (hash >> (64 - SHARD_BITS)) as Shard
}

/// Whether there is a shard with that number.
pub fn is_shard(shard: Shard) -> bool {
    u64::from(shard) < SHARDS
}

/// A hash stands there as often as there are peers with it.
#[derive(Debug)]
pub struct Hashes {
    shards: Vec<List>,
}

/// Sorted up to some last ones: peers are mostly created many at once, and then each touches little of the memory.
#[derive(Clone, Debug, Default)]
struct List {
    hashes: Vec<u64>,
    sorted: usize,
}

impl Hashes {
    pub fn new() -> Self {
        Hashes {
            shards: vec![List::default(); SHARDS as usize],
        }
    }

    pub fn insert(&mut self, hash: u64) {
        self.shards[usize::from(shard_of(hash))].insert(hash);
    }

    /// Gives whether it was there, and the last one.
    pub fn remove(&mut self, hash: u64) -> bool {
        self.shards[usize::from(shard_of(hash))].remove(hash)
    }

    pub fn contains(&self, hash: u64) -> bool {
        self.shards[usize::from(shard_of(hash))].contains(hash)
    }

    pub fn is_empty(&self, shard: Shard) -> bool {
        let list = self.shards.get(usize::from(shard));
        list.is_none_or(|list| list.hashes.is_empty())
    }

    /// Those of a shard.
    pub fn of(&self, shard: Shard) -> impl Iterator<Item = u64> {
        let list = self.shards.get(usize::from(shard));
        list.into_iter()
            .flat_map(|list| list.hashes.iter().copied())
    }
}

impl List {
    fn insert(&mut self, hash: u64) {
        let len = self.hashes.len();
        if len == self.hashes.capacity() {
            // Not twice as much: a shard has seldom more than some thousand.
            self.hashes.reserve_exact(4 + len / 8);
        }
        self.hashes.push(hash);
        if len - self.sorted >= 16 + len / 16 {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.hashes.sort(); // made for lists of which most is in order
        self.sorted = self.hashes.len();
    }

    fn remove(&mut self, hash: u64) -> bool {
        self.sort();
        let Ok(at) = self.hashes.binary_search(&hash) else {
            return false;
        };
        self.hashes.remove(at);
        let len = self.hashes.len();
        if self.hashes.capacity() > 16 + 2 * len {
            self.hashes.shrink_to(len + len / 8);
        }
        self.sorted = len;
        !self.contains(hash)
    }

    fn contains(&self, hash: u64) -> bool {
        let (sorted, rest) = self.hashes.split_at(self.sorted);
        sorted.binary_search(&hash).is_ok() || rest.contains(&hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_there_as_long_as_somebody_has_it() {
        let mut hashes = Hashes::new();
        let shard = 7;
        let first = u64::from(shard) << (64 - SHARD_BITS);
        let last = first | (u64::MAX >> SHARD_BITS);
        for hash in [last, first, first + 5, first] {
            hashes.insert(hash);
        }
        assert_eq!(hashes.of(shard).count(), 4);
        assert!(!hashes.remove(first) && hashes.contains(first));
        assert!(hashes.remove(first) && !hashes.contains(first));
        assert!(!hashes.remove(first), "it was not there");
        let mut rest: Vec<u64> = hashes.of(shard).collect();
        rest.sort_unstable();
        assert_eq!(rest, [first + 5, last]);
        assert!(!hashes.is_empty(shard) && hashes.is_empty(shard + 1) && hashes.is_empty(u16::MAX));
    }

    #[test]
    fn many_are_found_and_leave_no_room_behind() {
        let mut hashes = Hashes::new();
        let all: Vec<u64> = (0..10_000).map(|n| n * 7919 % 10_000).collect();
        for (n, hash) in all.iter().enumerate() {
            hashes.insert(*hash);
            let earlier = all[n / 2];
            assert!(hashes.contains(*hash) && hashes.contains(earlier));
            assert_eq!(hashes.contains(all[9_999]), n == 9_999);
        }
        assert!(all.iter().all(|hash| hashes.remove(*hash)));
        let room = hashes.shards.iter().map(|list| list.hashes.capacity());
        assert!(room.max().is_some_and(|most| most <= 16));
    }
}
