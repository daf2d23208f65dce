//! The addresses that are known. An address names its peer's host, not a url: so it leads to that host over whatever link it has, and
//! whatever it is called by then.

use std::collections::HashMap;

use bytestring::ByteString;

use crate::words::Raw;

/// Which host an address means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Home {
    /// An incarnation.
    Host(ByteString),
    /// Whoever is registered under that key: 0.4.0 hosts have no id.
    Key(ByteString),
}

/// Where a peer was found.
#[derive(Clone, Debug)]
pub struct Address {
    pub id: Option<Raw>,
    pub home: Home,
    /// Tells it from other addresses that the peer had, or will have.
    pub number: u64,
    /// How many messages to the peer are in flight there.
    pub flying: u32,
    /// When it was used last, counted in uses.
    used: u64,
}

/// How a host with known peers is shown to programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its url; its id when it has none.
    pub url: ByteString,
    /// Whether `url` is a url.
    pub listed: bool,
}

#[derive(Debug, Default)]
pub struct Addresses {
    /// By the peers' keys.
    known: HashMap<ByteString, Address>,
    /// How the hosts are shown, and how many peers are known to live there.
    places: HashMap<Home, (Place, usize)>,
    numbers: u64,
    uses: u64,
}

impl Addresses {
    pub fn get(&self, key: &str) -> Option<&Address> {
        self.known.get(key)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Address> {
        self.known.get_mut(key)
    }

    /// How that host is shown, if any of its peers are known.
    pub fn place(&self, home: &Home) -> Option<&Place> {
        self.places.get(home).map(|(place, _)| place)
    }

    /// Remembers where a peer lives, in place of what was known before.
    pub fn insert(&mut self, key: &str, id: Option<Raw>, home: Home, place: Place) {
        self.remove(key);
        self.places.entry(home.clone()).or_insert((place, 0)).1 += 1;
        (self.uses, self.numbers) = (self.uses + 1, self.numbers + 1);
        let address = Address {
            id,
            home,
            number: self.numbers,
            flying: 0,
            used: self.uses,
        };
        // Kept for long, and so not as a part of the message that it came with.
        self.known.insert(ByteString::from(key), address);
    }

    pub fn remove(&mut self, key: &str) -> Option<Address> {
        let address = self.known.remove(key)?;
        self.leave(&address.home, 1);
        Some(address)
    }

    fn leave(&mut self, home: &Home, count: usize) {
        if let Some((_, peers)) = self.places.get_mut(home) {
            *peers = peers.saturating_sub(count);
            if *peers == 0 {
                self.places.remove(home);
            }
        }
    }

    /// That host is shown otherwise from now on. Gives the peers to tell that of: none if that is nothing new.
    pub fn rename(&mut self, home: &Home, place: &Place) -> Vec<Raw> {
        let Some((before, _)) = self.places.get_mut(home) else {
            return Vec::new();
        };
        if before == place {
            return Vec::new();
        }
        *before = place.clone();
        let there = self.known.values().filter(|a| a.home == *home);
        let mut ids: Vec<Raw> = there.filter_map(|a| a.id.clone()).collect();
        // The same order every time.
        ids.sort_unstable();
        ids
    }

    /// The hosts without ids that are shown by a url of which `wanted` says yes.
    pub fn shown_as(&self, wanted: impl Fn(&str) -> bool) -> Vec<Home> {
        let shown = |(home, (place, _)): &(&Home, &(Place, usize))| {
            matches!(home, Home::Key(_)) && wanted(&place.url)
        };
        let homes = self.places.iter().filter(shown);
        homes.map(|(home, _)| home.clone()).collect()
    }

    /// Forgets all peers of these hosts. Gives their addresses.
    pub fn remove_all(&mut self, homes: &[Home]) -> Vec<(ByteString, Address)> {
        let mut any = false;
        for home in homes {
            any |= self.places.remove(home).is_some();
        }
        if !any {
            return Vec::new();
        }
        let there = |a: &Address| homes.contains(&a.home);
        self.known.extract_if(|_, a| there(a)).collect()
    }

    /// Notes that an address is of use.
    pub fn touch(&mut self, key: &str) {
        if let Some(address) = self.known.get_mut(key) {
            self.uses += 1;
            address.used = self.uses;
        }
    }

    /// Notes that so many messages leave for there. Gives the number of that address.
    pub fn take_off(&mut self, key: &str, count: u32) -> u64 {
        let Some(address) = self.known.get_mut(key) else {
            return 0;
        };
        address.flying += count;
        self.uses += 1;
        address.used = self.uses;
        address.number
    }

    /// If there are more addresses than that, forgets those that were not used for longest: an eighth of them at once, so that this is
    /// seldom. Messages to a peer that are in flight keep its address. Gives the ids.
    pub fn limit(&mut self, most: usize) -> Vec<Option<Raw>> {
        if self.known.len() <= most {
            return Vec::new();
        }
        let idle = self.known.values().filter(|a| a.flying == 0);
        let mut used: Vec<u64> = idle.map(|a| a.used).collect();
        let excess = self.known.len() - most + most / 8;
        let Some(last) = excess.min(used.len()).checked_sub(1) else {
            return Vec::new();
        };
        let (_, last, _) = used.select_nth_unstable(last);
        let last = *last;
        let old = |a: &Address| a.flying == 0 && a.used <= last;
        let mut gone: Vec<Address> = self
            .known
            .extract_if(|_, a| old(a))
            .map(|(_, a)| a)
            .collect();
        gone.sort_unstable_by_key(|a| a.used);
        for address in &gone {
            self.leave(&address.home, 1);
        }
        gone.into_iter().map(|address| address.id).collect()
    }

    pub fn clear(&mut self) {
        self.known.clear();
        self.places.clear();
    }
}
