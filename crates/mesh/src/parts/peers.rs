//! Where remote peers live, and the messages that wait until that is known.

mod addresses;
mod flights;
mod lookup;
mod parcel;
mod polls;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use bytestring::ByteString;

use crate::limits::Bounds;
use crate::words::{Call, Raw, Time};
use addresses::Addresses;
pub use addresses::{Address, Home, Place};
use flights::Flights;
pub use flights::Landed;
pub use lookup::{Found, Lookup};
use parcel::ENTRY;
pub use parcel::Parcel;
use polls::Polls;

/// The known addresses and the searches, both by [`id_key`](crate::json::id_key).
#[derive(Debug, Default)]
pub struct Peers {
    addresses: Addresses,
    lookups: HashMap<ByteString, Lookup>,
    /// How many messages are in flight to where a peer was known to live before it was forgotten. Only for peers with neither an
    /// address nor a search.
    strays: HashMap<ByteString, Flights>,
    /// What waits for searches.
    messages: usize,
    bytes: usize,
    searches: u64,
    /// The searches that are asleep, and when they end.
    asleep: BTreeSet<(Time, ByteString)>,
    /// The searches for peers that are known to live on hosts that are lost.
    seeks: BTreeSet<ByteString>,
    /// When to look again for peers for which messages wait.
    pub polls: Polls,
}

impl Peers {
    pub fn address(&self, key: &str) -> Option<&Address> {
        self.addresses.get(key)
    }

    /// How the host of an address is shown.
    pub fn place(&self, home: &Home) -> Option<&Place> {
        self.addresses.place(home)
    }

    /// Remembers where a peer lives. What is in flight to where it was known to live before is not waited for.
    pub fn locate(&mut self, key: &ByteString, id: Option<Raw>, found: Found) {
        self.addresses.insert(key, id, found.home, found.place);
    }

    /// That host is shown otherwise from now on. Gives the peers to tell that of.
    pub fn rename(&mut self, home: &Home, place: &Place) -> Vec<Raw> {
        self.addresses.rename(home, place)
    }

    pub fn touch(&mut self, key: &str) {
        self.addresses.touch(key);
    }

    pub fn limit(&mut self, most: usize) -> Vec<Option<Raw>> {
        self.addresses.limit(most)
    }

    /// Forgets where a peer lives. Gives its address if it was known.
    pub fn forget(&mut self, key: &ByteString) -> Option<Address> {
        let address = self.addresses.remove(key)?;
        self.stray(key, &address);
        Some(address)
    }

    /// The hosts without ids that are shown by a url of which `wanted` says yes.
    pub fn shown_as(&self, wanted: impl Fn(&str) -> bool) -> Vec<Home> {
        self.addresses.shown_as(wanted)
    }

    /// Forgets all peers of these hosts. Gives their ids.
    pub fn forget_all(&mut self, homes: &[Home]) -> Vec<Option<Raw>> {
        let forgotten = self.addresses.remove_all(homes);
        let forgotten = forgotten.into_iter().map(|(key, address)| {
            self.stray(&key, &address);
            address.id
        });
        forgotten.collect()
    }

    /// What is in flight by an address that is forgotten is waited for by the search for the peer, now or later.
    fn stray(&mut self, key: &ByteString, address: &Address) {
        let flights = match self.lookups.get_mut(key) {
            Some(lookup) => &mut lookup.hold,
            None if address.flying == 0 => return,
            None => self.strays.entry(key.clone()).or_default(),
        };
        flights.add(address.number, address.flying);
    }

    /// Counts messages that are in flight to where that peer is known to live.
    pub fn took_off(&mut self, parcel: &mut Parcel) {
        parcel.flight = self.addresses.take_off(&parcel.key, parcel.payload.count());
    }

    /// Messages to that peer that left by that address are not in flight any more.
    pub fn landed(&mut self, key: &str, flight: u64, count: u32) -> Landed {
        if let Some(address) = self.addresses.get_mut(key)
            && address.number == flight
        {
            address.flying = address.flying.saturating_sub(count);
            return Landed::Expected;
        }
        if let Some(lookup) = self.lookups.get_mut(key)
            && lookup.hold.land(flight, count)
        {
            return Landed::Awaited;
        }
        if let Some(strays) = self.strays.get_mut(key)
            && strays.land(flight, count)
        {
            if strays.is_empty() {
                self.strays.remove(key);
            }
            return Landed::Expected;
        }
        Landed::Adrift
    }

    /// Whether that peer has been found elsewhere since messages to it left by that address: others may have arrived there.
    pub fn is_adrift(&self, key: &str, flight: u64) -> bool {
        let address = self.addresses.get(key);
        let lookup = self.lookups.get(key).map(|lookup| &lookup.hold);
        let mut waited = lookup.into_iter().chain(self.strays.get(key));
        address.is_none_or(|a| a.number != flight) && !waited.any(|flights| flights.has(flight))
    }

    /// A message to that peer has perhaps been delivered: gives those that wait although they come before it, by their numbers. They
    /// had been sent to where the peer was not at that moment, and are too late now.
    pub fn overtaken(&mut self, key: &str, before: &Range<u64>) -> Vec<Parcel> {
        let taken = self.lookup(key).map(|lookup| lookup.take(before));
        let taken = taken.unwrap_or_default();
        self.left(&taken);
        taken
    }

    /// How many of the first of those messages may wait, too: if nothing waits, one at least.
    pub fn room(&self, parcel: &Parcel, bounds: &Bounds) -> u32 {
        let messages = bounds.messages.saturating_sub(self.messages);
        let bytes = bounds.bytes.saturating_sub(self.bytes);
        let count = parcel.payload.count();
        if parcel.weight() <= bytes && count as usize <= messages {
            return count;
        }
        let alone = u32::from(self.messages == 0);
        let bytes = bytes.saturating_sub(ENTRY);
        parcel.payload.fitting(messages, bytes, 0).max(alone)
    }

    pub fn is_full(&self, bounds: &Bounds) -> bool {
        self.messages > 0
            && (self.bytes + 2 * ENTRY > bounds.bytes || self.messages >= bounds.messages)
    }

    /// How many messages wait for searches.
    pub fn waiting(&self) -> usize {
        self.messages
    }

    /// Has messages wait for the search for that peer.
    pub fn wait(&mut self, key: &str, parcel: Parcel) {
        if let Some(lookup) = self.lookups.get_mut(key) {
            self.messages += parcel.payload.count() as usize;
            self.bytes += parcel.weight();
            lookup.add(parcel);
        }
    }

    fn left(&mut self, parcels: &[Parcel]) {
        for parcel in parcels {
            let count = parcel.payload.count() as usize;
            self.messages = self.messages.saturating_sub(count);
            self.bytes = self.bytes.saturating_sub(parcel.weight());
        }
    }

    /// Whether that peer is looked for, and how many are.
    pub fn sought_now(&self, key: &str) -> (bool, usize) {
        (self.lookups.contains_key(key), self.lookups.len())
    }

    pub fn lookup(&mut self, key: &str) -> Option<&mut Lookup> {
        if self.lookups.is_empty() {
            return None;
        }
        self.lookups.get_mut(key)
    }

    /// Begins a search. Who answers is asked by the caller.
    pub fn begin_lookup(&mut self, key: ByteString, id: Option<Raw>) -> &mut Lookup {
        self.searches += 1;
        let hold = self.strays.remove(&key).unwrap_or_default();
        if self.addresses.get(&key).is_some() {
            self.seeks.insert(key.clone());
        }
        let lookup = self.lookups.entry(key).or_default();
        lookup.hold = hold;
        lookup.number = self.searches;
        // The address keeps it as well.
        lookup.id = id.map(|id| Raw::from(&*id));
        lookup
    }

    /// Lets a search sleep until that time, or until one of its messages has waited for `most`. Gives those that cannot wait, and who else
    /// does.
    pub fn sleep(
        &mut self,
        key: &ByteString,
        now: Time,
        most: Time,
        until: Time,
    ) -> (Vec<Parcel>, Vec<Call>) {
        let Some(lookup) = self.lookups.get_mut(key) else {
            return (Vec::new(), Vec::new());
        };
        let hurried = |p: &mut Parcel| !p.patient || p.since.saturating_add(most) <= now;
        let hurried: Vec<Parcel> = lookup.sends.extract_if(.., hurried).collect();
        let oldest = lookup.sends.iter().map(|p| p.since.saturating_add(most));
        let until = oldest.min().map_or(until, |at| at.min(until));
        lookup.asleep = Some(until);
        self.asleep.insert((until, key.clone()));
        self.polls.add(key, now);
        let finds = std::mem::take(&mut lookup.finds);
        self.left(&hurried);
        (hurried, finds)
    }

    /// Goes on with a search that was asleep, as a new one. Who answers is asked by the caller. Gives its number and the peer's id.
    pub fn wake(&mut self, key: &ByteString) -> Option<(u64, Option<Raw>)> {
        let lookup = self.lookups.get_mut(key)?;
        let until = lookup.asleep.take()?;
        self.searches += 1;
        lookup.number = self.searches;
        self.asleep.remove(&(until, key.clone()));
        Some((lookup.number, lookup.id.clone()))
    }

    /// The peers for which searches are asleep: all, or those that have slept for too long.
    pub fn sleeping(&self, now: Option<Time>) -> Vec<ByteString> {
        let due = |until: Time| now.is_none_or(|now| until <= now);
        let due = self.asleep.iter().take_while(|(until, _)| due(*until));
        due.map(|(_, key)| key.clone()).collect()
    }

    /// The peers of that host, which was lost, that are looked for among the others.
    pub fn sought(&self, home: &Home) -> Vec<ByteString> {
        let there = |key: &&ByteString| self.addresses.get(key).is_some_and(|a| a.home == *home);
        self.seeks.iter().filter(there).cloned().collect()
    }

    pub fn is_asleep(&self, key: &str) -> bool {
        let lookup = self.lookups.get(key);
        lookup.is_some_and(|l| l.asleep.is_some())
    }

    pub fn deadline(&self) -> Option<Time> {
        let asleep = self.asleep.first().map(|(until, _)| *until);
        asleep.into_iter().chain(self.polls.deadline()).min()
    }

    pub fn end_lookup(&mut self, key: &str) -> Option<Lookup> {
        let lookup = self.lookups.remove(key)?;
        self.seeks.remove(key);
        self.left(&lookup.sends);
        Some(lookup)
    }

    /// Ends everything: nothing is known and nobody waits any more. Gives who waited, in call order.
    pub fn clear(&mut self) -> (Vec<Parcel>, Vec<Call>) {
        self.addresses.clear();
        self.strays.clear();
        self.asleep.clear();
        self.seeks.clear();
        self.polls = Polls::default();
        (self.messages, self.bytes) = (0, 0);
        let (mut sends, mut finds) = (Vec::new(), Vec::new());
        for (_, lookup) in self.lookups.drain() {
            sends.extend(lookup.sends);
            finds.extend(lookup.finds);
        }
        sends.sort_by_key(|p| p.seq);
        finds.sort_unstable();
        (sends, finds)
    }
}
