//! Where peers can be asked for: a directory that is spread over all hosts.
//!
//! The hash of a peer's id names a shard, and the shard names two hosts, by rendezvous hashing: those that score highest with it. A
//! host registers the hashes of its peers there. All of this is hints. Hosts need not agree at every moment on who is there, two ids may
//! have one hash, and a registration may be in flight: who finds nothing here asks everybody, and who finds something asks the
//! owner. So it may be wrong, but it must not be wrong often.

mod hashes;
mod registry;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use bytestring::ByteString;

use crate::hash;
use crate::words::Time;
use hashes::{Hashes, SHARDS, Shard};
pub use hashes::{is_shard, shard_of};
use registry::Registry;

/// With fewer hosts than this (we among them) everybody is asked: it takes no more messages.
const FEWEST: usize = 4;

/// Shards move when nobody has come or gone for that long, or after ten times that.
const QUIET: Duration = Duration::from_millis(500);

/// What a host is to be told about our peers.
#[derive(Debug, PartialEq, Eq)]
pub struct Move {
    pub host: ByteString,
    /// It knows nothing of ours that counts.
    pub whole: bool,
    /// Hashes that it is to know.
    pub add: Vec<u64>,
    /// Shards that it is to forget.
    pub drop: Vec<Shard>,
}

/// Who may know where a peer lives.
#[derive(Debug, PartialEq, Eq)]
pub enum Hint {
    /// Nobody in particular: ask everybody.
    None,
    /// We are responsible, and know that it was registered by that host.
    Owner(ByteString),
    /// Ask that host.
    Ask(ByteString),
}

#[derive(Debug)]
pub struct Directory {
    ourselves: ByteString,
    /// Our peers.
    here: Hashes,
    /// The other hosts that take part.
    hosts: BTreeSet<ByteString>,
    /// The two hosts of each shard, the first one scores higher. Empty when there are too few.
    places: Vec<[ByteString; 2]>,
    /// Which shards each host knows from us.
    told: HashMap<ByteString, BTreeSet<Shard>>,
    /// Hosts that may know things from us that count no more.
    stale: HashSet<ByteString>,
    /// What others have registered here.
    registry: Registry,
    changed: Option<(Time, Time)>,
}

impl Directory {
    pub fn new(ourselves: ByteString) -> Self {
        Directory {
            ourselves,
            here: Hashes::new(),
            hosts: BTreeSet::new(),
            places: Vec::new(),
            told: HashMap::new(),
            stale: HashSet::new(),
            registry: Registry::default(),
            changed: None,
        }
    }

    // What lives here, and where that is registered.

    /// A peer with that hash lives here.
    pub fn created(&mut self, hash: u64) {
        self.here.insert(hash);
    }

    /// A peer with that hash does not live here any more. Gives whether it was the last one.
    pub fn removed(&mut self, hash: u64) -> bool {
        self.here.remove(hash)
    }

    pub fn is_here(&self, hash: u64) -> bool {
        self.here.contains(hash)
    }

    /// The hosts that are to be told of our peers in that shard.
    pub fn told_of(&self, shard: Shard) -> Vec<ByteString> {
        let Some(places) = self.places.get(usize::from(shard)) else {
            return Vec::new();
        };
        let knows = |h: &&ByteString| self.told.get(*h).is_some_and(|told| told.contains(&shard));
        places.iter().filter(knows).cloned().collect()
    }

    // Who takes part.

    /// That host takes part from now on. Whatever it knew from us counts no more.
    pub fn join(&mut self, host: ByteString, now: Time) {
        self.mark_stale(&host);
        self.hosts.insert(host);
        self.change(now);
    }

    /// That host does not take part any more.
    pub fn leave(&mut self, host: &ByteString, now: Time) {
        if self.hosts.remove(host) {
            self.mark_stale(host);
            self.change(now);
        }
    }

    fn mark_stale(&mut self, host: &ByteString) {
        if self.told.remove(host).is_some_and(|told| !told.is_empty()) {
            self.stale.insert(host.clone());
        }
    }

    pub fn takes_part(&self, host: &ByteString) -> bool {
        self.hosts.contains(host)
    }

    fn change(&mut self, now: Time) {
        let first = self.changed.map_or(now, |(first, _)| first);
        self.changed = Some((first, now));
    }

    pub fn deadline(&self) -> Option<Time> {
        let (first, last) = self.changed?;
        Some((last + QUIET).min(first + 10 * QUIET))
    }

    /// Gives shards to the hosts that are here now, if it is time. Gives who is to be told of what.
    pub fn rearrange(&mut self, now: Time) -> Vec<Move> {
        if self.deadline().is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.changed = None;
        self.place();
        let mut wanted: BTreeMap<&ByteString, BTreeSet<Shard>> = BTreeMap::new();
        for (shard, places) in self.places.iter().enumerate() {
            for host in places.iter().filter(|h| **h != self.ourselves) {
                wanted.entry(host).or_default().insert(shard as Shard);
            }
        }
        let nothing = BTreeSet::new();
        let mut moves = Vec::new();
        for host in &self.hosts {
            let wanted = wanted.remove(host).unwrap_or_default();
            let told = self.told.get(host);
            let first = told.is_none();
            let told = told.unwrap_or(&nothing);
            let add = wanted.difference(told).flat_map(|s| self.here.of(*s));
            let add: Vec<u64> = add.collect();
            let filled = |s: &&Shard| !self.here.is_empty(**s);
            let drop: Vec<Shard> = told.difference(&wanted).filter(filled).copied().collect();
            // What was registered over an earlier link must be forgotten, even if there is nothing to add now.
            let whole = self.stale.remove(host) || (first && !add.is_empty());
            let host = host.clone();
            moves.push((
                wanted,
                Move {
                    host,
                    whole,
                    add,
                    drop,
                },
            ));
        }
        let moves = moves.into_iter().map(|(wanted, m)| {
            self.told.insert(m.host.clone(), wanted);
            m
        });
        moves
            .filter(|m| m.whole || !m.add.is_empty() || !m.drop.is_empty())
            .collect()
    }

    fn place(&mut self) {
        self.places.clear();
        if self.hosts.len() + 1 < FEWEST {
            return;
        }
        let hosts = self.hosts.iter().chain([&self.ourselves]);
        let hosts: Vec<(u64, &ByteString)> = hosts.map(|h| (hash::of(h), h)).collect();
        for shard in 0..SHARDS {
            let salt = shard.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let (mut first, mut second) = ((0, &self.ourselves), (0, &self.ourselves));
            for (own, host) in &hosts {
                let scored = (hash::mix(own.wrapping_add(salt)), *host);
                if scored > first {
                    (second, first) = (first, scored);
                } else if scored > second {
                    second = scored;
                }
            }
            self.places.push([first.1.clone(), second.1.clone()]);
        }
    }

    // What others have registered here, and finding it.

    pub fn register(&mut self, owner: &ByteString, hashes: impl IntoIterator<Item = u64>) {
        self.registry.register(owner, hashes);
    }

    pub fn unregister(&mut self, owner: &ByteString, hashes: impl IntoIterator<Item = u64>) {
        self.registry.unregister(owner, hashes);
    }

    pub fn forget_shard(&mut self, owner: &ByteString, shard: Shard) {
        self.registry.forget_shard(owner, shard);
    }

    /// The session with that host has ended: it forgets what we have registered there, and we what it has registered here.
    pub fn end(&mut self, host: &ByteString) {
        self.stale.remove(host);
        self.forget(host);
    }

    /// Forgets everything that this host has registered here.
    pub fn forget(&mut self, owner: &ByteString) {
        self.registry.forget(owner);
    }

    /// The host that registered that hash here, if it was exactly one. It may be ourselves.
    pub fn owner(&self, hash: u64) -> Option<&ByteString> {
        let there = self.registry.owners(hash);
        let mut owners = there.chain(self.is_here(hash).then_some(&self.ourselves));
        owners.next().filter(|_| owners.next().is_none())
    }

    /// Whom to ask for a peer that does not live here.
    pub fn hint(&self, hash: u64) -> Hint {
        let Some(places) = self.places.get(usize::from(shard_of(hash))) else {
            return Hint::None;
        };
        if places.contains(&self.ourselves) {
            let owner = self.owner(hash).filter(|owner| **owner != self.ourselves);
            return owner.map_or(Hint::None, |owner| Hint::Owner(owner.clone()));
        }
        let here = places.iter().find(|host| self.hosts.contains(*host));
        here.map_or(Hint::None, |host| Hint::Ask(host.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(hosts: usize) -> Directory {
        let mut directory = Directory::new("host0".into());
        for n in 1..hosts {
            directory.join(format!("host{n}").into(), Duration::ZERO);
        }
        directory
    }

    #[test]
    fn shards_are_spread_over_all_hosts_and_few_move_when_one_goes() {
        let mut directory = directory(100);
        directory.rearrange(QUIET);
        let places = directory.places.clone();
        let mut load: HashMap<&ByteString, usize> = HashMap::new();
        for host in places.iter().flatten() {
            *load.entry(host).or_default() += 1;
        }
        assert_eq!(load.len(), 100);
        assert!(load.values().all(|n| *n < 60), "{load:?}");
        assert!(places.iter().all(|[a, b]| a != b));
        directory.leave(&"host7".into(), QUIET);
        directory.rearrange(2 * QUIET);
        for (before, after) in places.iter().zip(&directory.places) {
            let stays = before.iter().filter(|h| **h != "host7");
            assert!(stays.clone().all(|h| after.contains(h)));
        }
    }

    #[test]
    fn all_is_told_at_first_and_then_what_changes() {
        let mut directory = directory(5);
        let hashes: Vec<u64> = (0..1000u64).map(hash::mix).collect();
        for hash in &hashes[..500] {
            directory.created(*hash);
            assert_eq!(directory.told_of(shard_of(*hash)), Vec::<ByteString>::new());
        }
        assert_eq!(directory.rearrange(QUIET / 2), []);
        let moves = directory.rearrange(QUIET);
        assert!(moves.iter().all(|m| m.whole && m.drop.is_empty()));
        let told: usize = moves.iter().map(|m| m.add.len()).sum();
        // Each at two of five hosts, of which we are one.
        assert!((700..900).contains(&told), "{told}");
        let told: usize = hashes[500..]
            .iter()
            .map(|h| {
                directory.created(*h);
                directory.told_of(shard_of(*h)).len()
            })
            .sum();
        assert!((700..900).contains(&told), "{told}");
        directory.leave(&"host3".into(), QUIET);
        let moves = directory.rearrange(2 * QUIET);
        assert!(moves.iter().all(|m| !m.whole && m.drop.is_empty()));
        let told: usize = moves.iter().map(|m| m.add.len()).sum();
        assert!((200..450).contains(&told), "{told}");
        directory.join("host3".into(), QUIET);
        let moves = directory.rearrange(2 * QUIET);
        let whole: Vec<_> = moves.iter().filter(|m| m.whole).map(|m| &*m.host).collect();
        assert_eq!(whole, ["host3"]);
        assert!(moves.iter().any(|m| !m.drop.is_empty()));
    }

    #[test]
    fn an_owner_is_known_only_if_there_is_one() {
        let mut directory = directory(5);
        let (a, b) = (ByteString::from("a"), ByteString::from("b"));
        directory.register(&a, [1, 2, u64::MAX]);
        directory.register(&b, [2, 3]);
        assert_eq!(directory.owner(1), Some(&a));
        assert_eq!(directory.owner(2), None);
        directory.unregister(&a, [2, 3]);
        assert_eq!(directory.owner(2), Some(&b));
        directory.created(3);
        assert_eq!(directory.owner(3), None);
        directory.removed(3);
        assert_eq!(directory.owner(3), Some(&b));
        directory.forget_shard(&b, 0);
        assert_eq!((directory.owner(3), directory.owner(2)), (None, None));
        directory.forget(&a);
        assert_eq!(directory.owner(u64::MAX), None);
        directory.register(&b, [1]);
        assert_eq!(directory.owner(1), Some(&b));
    }

    #[test]
    fn two_peers_with_one_hash_are_registered_until_both_are_gone() {
        let mut directory = directory(5);
        directory.rearrange(QUIET);
        directory.created(7);
        directory.created(7);
        assert!(!directory.told_of(shard_of(7)).is_empty());
        assert!(!directory.removed(7));
        assert!(directory.removed(7));
        assert!(!directory.removed(7));
    }
}
