//! Where remote peers live, and the messages that wait until that is known.

use std::collections::{BTreeSet, HashMap};

use bytestring::ByteString;

use crate::event::{Call, Raw, Time};
use crate::limits::Bounds;
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::wire::json::id_key;

/// Messages on their way to a peer.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The number of the first one.
    pub seq: u64,
    pub key: ByteString,
    pub from: Option<Raw>,
    pub to: Option<Raw>,
    pub payload: Payload,
    /// Replies are wanted.
    pub asks: bool,
    /// It has been sent to a host once where the peer was not any more.
    pub returned: bool,
    /// It waits for its host if that is lost.
    pub patient: bool,
}

/// What messages take beside their texts.
const ENTRY: usize = 256;

impl Parcel {
    pub fn new(seq: u64, from: Option<Raw>, to: Option<Raw>, payload: Payload) -> Parcel {
        Parcel {
            seq,
            key: id_key(&to),
            from,
            to,
            payload,
            asks: false,
            returned: false,
            patient: false,
        }
    }

    /// How many bytes of memory it takes, about.
    fn weight(&self) -> usize {
        ENTRY + self.payload.size()
    }

    /// Keeps the first `at` messages, in memory of their own, and gives the others, if there are any.
    pub fn split_off(&mut self, at: u32) -> Option<Parcel> {
        if at == 0 || at >= self.payload.count() {
            return None;
        }
        let payload = self.payload.split_off(at);
        self.payload = self.payload.clone().detached();
        let seq = self.seq + u64::from(at);
        Some(Parcel {
            seq,
            payload,
            ..self.clone()
        })
    }

    /// The numbers of its messages.
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.seq..self.seq + u64::from(self.payload.count())
    }
}

/// Where a peer was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub id: Option<Raw>,
    /// The host's url; its id when it has no url.
    pub url: ByteString,
    /// Whether `url` is a url.
    pub listed: bool,
    /// How many messages to the peer are under way there.
    pub flying: u32,
    /// When it was used last, counted in uses.
    pub used: u64,
}

/// A search that is under way, and who waits for it.
#[derive(Debug, Default)]
pub struct Lookup {
    /// Tells this search from an earlier one for the same peer.
    pub number: u64,
    pub id: Option<Raw>,
    /// How many hosts have still to answer.
    pub asked: usize,
    /// Not everybody has been asked, but only who should know.
    pub narrow: bool,
    /// How many messages to that peer are still under way to where it lived before. What is found is used only after they have
    /// come back, so that they keep their place.
    pub hold: u32,
    pub found: Option<Address>,
    sends: Vec<Parcel>,
    pub finds: Vec<Call>,
    /// Nobody who is connected has the peer: it goes on when a lost host is back, or gone. Until then at the latest.
    asleep: bool,
    until: Option<Time>,
}

impl Lookup {
    /// Adds a message, in its place by call order.
    fn add(&mut self, parcel: Parcel) {
        let mut at = self.sends.partition_point(|p| p.seq < parcel.seq);
        if sabotage::is(Sabotage::Disorder) {
            at = 0;
        }
        self.sends.insert(at, parcel);
    }

    /// Takes out the messages before that number.
    fn take_before(&mut self, seq: u64) -> Vec<Parcel> {
        let later = self.sends.partition_point(|p| p.seq < seq);
        self.sends.drain(..later).collect()
    }

    pub fn is_over(&self) -> bool {
        self.hold == 0 && !self.asleep && (self.asked == 0 || self.found.is_some())
    }

    /// Whether messages that can wait for lost hosts wait for this search, and have not waited too long.
    pub fn can_wait(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until) && self.sends.iter().any(|p| p.patient)
    }

    pub fn into_waiting(self) -> (Vec<Parcel>, Vec<Call>) {
        (self.sends, self.finds)
    }
}

/// The known addresses and the searches, both by [`id_key`](crate::wire::json::id_key).
#[derive(Debug, Default)]
pub struct Peers {
    addresses: HashMap<ByteString, Address>,
    lookups: HashMap<ByteString, Lookup>,
    /// How many messages are under way to where a peer was known to live before it was forgotten. Only for peers with neither an
    /// address nor a search.
    strays: HashMap<ByteString, u32>,
    /// What waits for searches.
    messages: usize,
    bytes: usize,
    searches: u64,
    uses: u64,
    /// The searches that are asleep, and when they end.
    asleep: BTreeSet<(Time, ByteString)>,
}

impl Peers {
    pub fn address(&self, key: &str) -> Option<&Address> {
        self.addresses.get(key)
    }

    /// Remembers where a peer lives.
    pub fn locate(&mut self, key: ByteString, mut address: Address) {
        self.uses += 1;
        address.used = self.uses;
        // Kept for long, and so not as a part of the message that it came with.
        self.addresses.insert(ByteString::from(&*key), address);
    }

    /// Notes that an address is of use.
    pub fn touch(&mut self, key: &str) {
        if let Some(address) = self.addresses.get_mut(key) {
            self.uses += 1;
            address.used = self.uses;
        }
    }

    /// If there are more addresses than that, forgets those that were not used for longest: an eighth of them at once, so that this is
    /// seldom. Messages to a peer that are under way keep its address. Gives the ids.
    pub fn limit(&mut self, most: usize) -> Vec<Option<Raw>> {
        if self.addresses.len() <= most {
            return Vec::new();
        }
        let idle = self.addresses.values().filter(|a| a.flying == 0);
        let mut used: Vec<u64> = idle.map(|a| a.used).collect();
        let excess = self.addresses.len() - most + most / 8;
        let Some(last) = excess.min(used.len()).checked_sub(1) else {
            return Vec::new();
        };
        let (_, last, _) = used.select_nth_unstable(last);
        let last = *last;
        let old = |a: &Address| a.flying == 0 && a.used <= last;
        let gone = self.addresses.extract_if(|_, a| old(a));
        gone.map(|(_, address)| address.id).collect()
    }

    /// Forgets where a peer lives. Gives its id if it was known.
    pub fn forget(&mut self, key: &ByteString) -> Option<Address> {
        let address = self.addresses.remove(key)?;
        self.stray(key, address.flying);
        Some(address)
    }

    /// Forgets all peers on the hosts for whose url `gone` says yes. Gives their ids.
    pub fn forget_where(&mut self, gone: impl Fn(&str) -> bool) -> Vec<Option<Raw>> {
        let forgotten: Vec<_> = self.addresses.extract_if(|_, a| gone(&a.url)).collect();
        forgotten
            .into_iter()
            .map(|(key, address)| {
                self.stray(&key, address.flying);
                address.id
            })
            .collect()
    }

    fn stray(&mut self, key: &ByteString, count: u32) {
        if count > 0 {
            *self.strays.entry(key.clone()).or_default() += count;
        }
    }

    /// Counts messages that are under way to where that peer is known to live.
    pub fn took_off(&mut self, key: &str, count: u32) {
        if let Some(address) = self.addresses.get_mut(key) {
            address.flying += count;
            self.uses += 1;
            address.used = self.uses;
        }
    }

    /// Messages to that peer are not under way any more. True when a search waits for that.
    pub fn landed(&mut self, key: &str, count: u32) -> bool {
        if let Some(address) = self.addresses.get_mut(key) {
            address.flying = address.flying.saturating_sub(count);
        } else if let Some(lookup) = self.lookups.get_mut(key) {
            lookup.hold = lookup.hold.saturating_sub(count);
            return true;
        } else if let Some(strays) = self.strays.get_mut(key) {
            *strays = strays.saturating_sub(count);
            if *strays == 0 {
                self.strays.remove(key);
            }
        }
        false
    }

    /// A message to that peer has perhaps been delivered: gives those that wait although they come before it. They had been sent
    /// to where the peer was not at that moment, and are too late now.
    pub fn overtaken(&mut self, key: &str, seq: u64) -> Vec<Parcel> {
        let taken = self.lookup(key).map(|lookup| lookup.take_before(seq));
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
        let lookup = self.lookups.entry(key).or_default();
        lookup.hold = hold;
        lookup.number = self.searches;
        // The address keeps it as well.
        lookup.id = id.map(|id| Raw::from(&*id));
        lookup
    }

    /// Lets a search sleep. Gives the messages that cannot wait, and who else does.
    pub fn sleep(&mut self, key: &ByteString, until: Time) -> (Vec<Parcel>, Vec<Call>) {
        let Some(lookup) = self.lookups.get_mut(key) else {
            return (Vec::new(), Vec::new());
        };
        lookup.asleep = true;
        let until = *lookup.until.get_or_insert(until);
        self.asleep.insert((until, key.clone()));
        let hurried: Vec<Parcel> = lookup.sends.extract_if(.., |p| !p.patient).collect();
        let finds = std::mem::take(&mut lookup.finds);
        self.left(&hurried);
        (hurried, finds)
    }

    /// Goes on with a search that was asleep, as a new one. Who answers is asked by the caller. Gives its number and the peer's id.
    pub fn wake(&mut self, key: &ByteString) -> Option<(u64, Option<Raw>)> {
        let lookup = self.lookups.get_mut(key).filter(|l| l.asleep)?;
        self.searches += 1;
        (lookup.asleep, lookup.number) = (false, self.searches);
        if let Some(until) = lookup.until {
            self.asleep.remove(&(until, key.clone()));
        }
        Some((lookup.number, lookup.id.clone()))
    }

    /// The peers for which searches are asleep: all, or those that have slept for too long.
    pub fn sleeping(&self, now: Option<Time>) -> Vec<ByteString> {
        let due = |until: Time| now.is_none_or(|now| until <= now);
        let due = self.asleep.iter().take_while(|(until, _)| due(*until));
        due.map(|(_, key)| key.clone()).collect()
    }

    pub fn deadline(&self) -> Option<Time> {
        self.asleep.first().map(|(until, _)| *until)
    }

    pub fn end_lookup(&mut self, key: &str) -> Option<Lookup> {
        let lookup = self.lookups.remove(key)?;
        self.left(&lookup.sends);
        Some(lookup)
    }

    /// Ends everything: nothing is known and nobody waits any more. Gives who waited, in call order.
    pub fn clear(&mut self) -> (Vec<Parcel>, Vec<Call>) {
        self.addresses.clear();
        self.strays.clear();
        self.asleep.clear();
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
