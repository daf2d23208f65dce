//! Who is in the network, as the program is told: each host comes once and goes once, and in between it may be lost and come back.
//!
//! Connections tell less: a host may have two of them one after the other, and a url may be that of one host today and of another one tomorrow.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytestring::ByteString;

use crate::event::Event;
use crate::words::Change;

/// What tells members apart: the incarnation, or the key of a 0.4.0 host, which has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    Host(ByteString),
    Key(ByteString),
}

impl Name {
    pub fn new(host: Option<&ByteString>, key: &ByteString) -> Name {
        match host {
            Some(host) => Name::Host(host.clone()),
            None => Name::Key(key.clone()),
        }
    }
}

#[derive(Debug)]
struct Entry {
    /// Under which it is connected, or was.
    key: ByteString,
    url: Option<ByteString>,
    connected: bool,
}

/// All members, connected or lost. What its methods give is to be told to the program.
#[derive(Debug, Default)]
pub struct Roster {
    members: BTreeMap<Name, Entry>,
    /// Who of them is lost, by their keys and urls.
    lost: HashMap<ByteString, BTreeSet<Name>>,
}

fn told(change: Change, name: &Name, entry: &Entry) -> Event {
    let host = match name {
        Name::Host(host) => Some(host.clone()),
        Name::Key(_) => None,
    };
    let url = entry.url.clone();
    Event::Member { change, url, host }
}

impl Roster {
    /// That member is connected. Who was lost and had its key or its url before will not come back.
    pub fn connected(
        &mut self,
        name: Name,
        key: ByteString,
        url: Option<ByteString>,
    ) -> Vec<Event> {
        let mut others = self.lost_at(&key);
        others.extend(url.iter().flat_map(|url| self.lost_at(url)));
        others.remove(&name);
        let mut events: Vec<Event> = others.iter().filter_map(|n| self.gone(n)).collect();
        self.note_found(&name);
        let before = self.members.get(&name).map(|e| e.connected);
        let entry = Entry {
            key,
            url,
            connected: true,
        };
        match before {
            None => events.push(told(Change::Join, &name, &entry)),
            Some(false) => events.push(told(Change::Reconnect, &name, &entry)),
            Some(true) => {} // another connection has taken the place of the one before
        }
        self.members.insert(name, entry);
        events
    }

    /// Its connection is lost.
    pub fn lost(&mut self, name: &Name) -> Option<Event> {
        let entry = self.members.get_mut(name).filter(|e| e.connected)?;
        entry.connected = false;
        for at in [Some(&entry.key), entry.url.as_ref()].into_iter().flatten() {
            let names = self.lost.entry(at.clone()).or_default();
            names.insert(name.clone());
        }
        Some(told(Change::Disconnect, name, entry))
    }

    /// Whether that member has lost its connection, and is neither back nor gone.
    pub fn is_lost(&self, name: &Name) -> bool {
        self.members.get(name).is_some_and(|e| !e.connected)
    }

    /// It is gone.
    pub fn gone(&mut self, name: &Name) -> Option<Event> {
        self.note_found(name);
        let entry = self.members.remove(name)?;
        Some(told(Change::Leave, name, &entry))
    }

    /// The lost members with that name or key are not waited for any more.
    pub fn given_up(&mut self, name: &Name, key: Option<&ByteString>) -> Vec<Event> {
        let is_lost = |n: &Name, key: Option<&ByteString>| {
            let entry = self.members.get(n).filter(|e| !e.connected);
            entry.is_some_and(|e| key.is_none_or(|key| e.key == *key))
        };
        let mut names = key.map(|key| self.lost_at(key)).unwrap_or_default();
        names.retain(|n| is_lost(n, key));
        if is_lost(name, None) {
            names.insert(name.clone());
        }
        names.iter().filter_map(|n| self.gone(n)).collect()
    }

    /// We leave the network.
    pub fn clear(&mut self) -> Vec<Event> {
        self.lost.clear();
        let members = std::mem::take(&mut self.members);
        let left = |(name, entry): &(Name, Entry)| told(Change::Leave, name, entry);
        members.into_iter().map(|member| left(&member)).collect()
    }

    /// The lost members that had that key or url.
    fn lost_at(&self, at: &str) -> BTreeSet<Name> {
        self.lost.get(at).cloned().unwrap_or_default()
    }

    /// That member is not lost any more, if it was.
    fn note_found(&mut self, name: &Name) {
        let Some(entry) = self.members.get(name).filter(|e| !e.connected) else {
            return;
        };
        for at in [Some(&entry.key), entry.url.as_ref()].into_iter().flatten() {
            if let Some(names) = self.lost.get_mut(at) {
                names.remove(name);
                if names.is_empty() {
                    self.lost.remove(at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: ByteString = ByteString::from_static("ws://a");

    fn name(host: &'static str) -> Name {
        Name::Host(ByteString::from_static(host))
    }

    fn changes(events: impl IntoIterator<Item = Event>) -> Vec<(Change, Option<String>)> {
        let change = |e| match e {
            Event::Member { change, host, .. } => (change, host.map(|h| h.to_string())),
            other => panic!("{other:?}"),
        };
        events.into_iter().map(change).collect()
    }

    #[test]
    fn a_member_comes_once_and_goes_once() {
        let mut roster = Roster::default();
        let one = |change| vec![(change, Some("1".to_owned()))];
        let come = |roster: &mut Roster| changes(roster.connected(name("1"), URL, Some(URL)));
        assert_eq!(come(&mut roster), one(Change::Join));
        assert_eq!(come(&mut roster), []);
        assert_eq!(changes(roster.given_up(&name("1"), Some(&URL))), []);
        assert_eq!(changes(roster.lost(&name("1"))), one(Change::Disconnect));
        assert_eq!(changes(roster.lost(&name("1"))), []);
        assert_eq!(come(&mut roster), one(Change::Reconnect));
        assert_eq!(changes(roster.gone(&name("1"))), one(Change::Leave));
        assert_eq!(changes(roster.gone(&name("1"))), []);
        assert_eq!(changes(roster.clear()), []);
    }

    #[test]
    fn a_new_incarnation_takes_the_place_of_the_lost_one() {
        let mut roster = Roster::default();
        roster.connected(name("1"), URL, Some(URL));
        roster.lost(&name("1"));
        let told = changes(roster.connected(name("2"), URL, Some(URL)));
        let told: Vec<_> = told.iter().map(|(c, h)| (*c, h.as_deref())).collect();
        assert_eq!(
            told,
            [(Change::Leave, Some("1")), (Change::Join, Some("2"))]
        );
    }

    #[test]
    fn hosts_without_url_have_no_url_in_common() {
        let mut roster = Roster::default();
        roster.connected(name("1"), "1".into(), None);
        roster.lost(&name("1"));
        let told = roster.connected(name("2"), "2".into(), None);
        assert_eq!(changes(told), [(Change::Join, Some("2".into()))]);
    }
}
