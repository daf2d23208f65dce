//! What a program knows of the members of its network, and whether what it is told makes sense.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use distribus_mesh::{Change, Event};

#[derive(Debug, Default)]
pub struct View {
    /// Who is behind each connection, by its key.
    connected: BTreeMap<String, String>,
    /// Who has come and not gone, and whether it is connected.
    members: BTreeMap<String, bool>,
}

impl View {
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Connected { key, url, host } => {
                let name = host.as_ref().or(url.as_ref()).unwrap_or(key);
                self.connected.insert(key.to_string(), name.to_string());
            }
            Event::Disconnected { key } => {
                self.connected.remove(&**key);
            }
            Event::Member { change, url, host } => {
                let name = host.as_ref().or(url.as_ref()).expect("a name");
                self.change(*change, name);
            }
            _ => {}
        }
    }

    fn change(&mut self, change: Change, name: &str) {
        let is_connected = self.connected.values().any(|n| n == name);
        let (expected, after) = match change {
            Change::Join => (None, Some(true)),
            Change::Reconnect => (Some(false), Some(true)),
            Change::Disconnect => (Some(true), Some(false)),
            Change::Leave => (self.members.get(name).copied(), None),
        };
        let before = self.members.remove(name);
        assert_eq!(before, expected, "{change:?} of {name}");
        assert!(change != Change::Leave || before.is_some(), "{name} left");
        assert_eq!(is_connected, after == Some(true), "{change:?} of {name}");
        self.members
            .extend(after.map(|connected| (name.to_owned(), connected)));
    }

    /// Whoever is connected is a member, and whoever was told to be connected is.
    pub fn check(&self) {
        let told = self.members.iter().filter(|(_, connected)| **connected);
        let told: BTreeSet<&String> = told.map(|(name, _)| name).collect();
        assert_eq!(told, self.connected.values().collect());
    }

    /// Who is connected: host ids, of 0.4.0 hosts urls.
    pub fn connected(&self) -> BTreeSet<&String> {
        self.connected.values().collect()
    }

    /// The members that are lost and neither back nor gone.
    pub fn lost(&self) -> Vec<&String> {
        let lost = self.members.iter().filter(|(_, connected)| !**connected);
        lost.map(|(name, _)| name).collect()
    }

    /// The program is a new one.
    pub fn clear(&mut self) {
        *self = View::default();
    }
}
