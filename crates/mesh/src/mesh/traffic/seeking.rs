//! Where hosts are at which peers are known to live, and what becomes of messages to those that are lost: their peers are sought among
//! the hosts that are connected, since a worker that has died is often started again elsewhere.

use std::time::Duration;

use bytestring::ByteString;

use super::cargo::Cargo;
use crate::error::SendError;
use crate::event::Event;
use crate::mesh::Mesh;
use crate::mesh::traffic::{Traffic, Whereabouts};
use crate::parts::peers::{Found, Home, Parcel, Place};
use crate::sabotage::{self, Sabotage};
use crate::words::{Answer, Call, LinkId, Raw, Time};

/// Whoever does not say within this time that a lost host's peer lives there is not waited for.
pub(super) const SOUGHT_WITHIN: Duration = Duration::from_secs(2);

/// So long are peers looked for for which messages have waited when their host has gone: its successor may make them only now.
const GRACE: Duration = Duration::from_secs(5);

impl Mesh {
    /// Where the host is at which peers are known to live. One with which a session is kept may come back.
    pub(super) fn whereabouts(&self, home: &Home) -> Whereabouts {
        let (host, url) = match home {
            Home::Host(host) => (Some(host), None),
            Home::Key(_) => (None, self.traffic.peers.place(home).map(|p| &p.url)),
        };
        match self.network.whereabouts(home, url) {
            Whereabouts::Gone if host.is_some_and(|h| self.traffic.lost_session(h)) => {
                Whereabouts::Lost
            }
            whereabouts => whereabouts,
        }
    }

    /// The host behind that link, if it is connected; it says that it has that url.
    pub(super) fn found_behind(&self, link: LinkId, url: Option<ByteString>) -> Option<Found> {
        let l = self.network.link(link)?;
        let url = if l.taken { l.url.clone() } else { url };
        let home = match &l.host {
            Some(host) => {
                self.network.route_to_host(host)?;
                Home::Host(host.clone())
            }
            None => Home::Key(l.key.clone()?),
        };
        let name = l.host.clone().or_else(|| l.key.clone())?;
        let listed = url.is_some();
        let url = url.unwrap_or(name);
        let place = Place { url, listed };
        Some(Found { home, place })
    }

    /// Programs are to see that host's peers there from now on.
    pub(super) fn rename(&mut self, home: &Home, place: &Place) {
        for id in self.traffic.peers.rename(home, place) {
            let url = place.url.clone();
            self.event(Event::Located { id, url });
        }
    }

    /// A host is connected: whatever was said to its peers while it was lost has failed, and others may have what nobody had.
    pub(in crate::mesh) fn host_is_here(&mut self, link: LinkId) {
        self.traffic.peers.polls.come(self.now);
        let Some(l) = self.network.link(link) else {
            return;
        };
        let home = match (&l.host, &l.key) {
            (Some(host), _) => Home::Host(host.clone()),
            (None, Some(key)) => Home::Key(key.clone()),
            (None, None) => return,
        };
        if l.host.is_some()
            && let Some(found) = self.found_behind(link, l.url.clone())
        {
            self.rename(&home, &found.place);
        }
        for key in self.traffic.peers.sought(&home) {
            if let Some(lookup) = self.traffic.peers.end_lookup(&key) {
                let (sends, finds) = lookup.into_waiting();
                self.still_lost(&key, sends, finds);
            }
        }
    }

    /// Messages to a peer whose host is lost.
    pub(super) fn send_to_lost(&mut self, mut parcel: Parcel) {
        let (key, id) = (parcel.key.clone(), parcel.to.clone());
        let home = self.traffic.peers.address(&key).map(|a| a.home.clone());
        if let Some(Home::Host(host)) = home
            && parcel.patient
            && self.traffic.lost_session(&host)
        {
            self.traffic.peers.took_off(&mut parcel);
            self.load(&host, Cargo::Parcel(parcel));
            self.traffic.peers.polls.add(&key, self.now);
            self.seek(&key, &id);
            return self.settle_lookup(&key);
        }
        if self.seek(&key, &id) {
            self.await_search(parcel);
            self.settle_lookup(&key);
        } else {
            self.unreachable(&parcel);
        }
    }

    /// Looks for a peer of a lost host among the others, unless that has just been in vain. Gives whether it is looked for.
    pub(super) fn seek(&mut self, key: &ByteString, id: &Option<Raw>) -> bool {
        if self.traffic.peers.lookup(key).is_some() {
            return true;
        }
        if sabotage::is(Sabotage::NoSeeking) {
            return false;
        }
        let allowed = self.traffic.peers.polls.allow(key, self.now, false);
        if allowed {
            self.look_up(key, id.clone());
        }
        allowed
    }

    /// No other host has that peer.
    pub(super) fn still_lost(&mut self, key: &ByteString, sends: Vec<Parcel>, finds: Vec<Call>) {
        for call in finds {
            self.done(call, Ok(Answer::Url(self.traffic.known_url(key))));
        }
        for parcel in sends {
            self.unreachable(&parcel);
        }
    }

    pub(super) fn unreachable(&mut self, parcel: &Parcel) {
        let home = self.traffic.peers.address(&parcel.key).map(|a| &a.home);
        let place = home.and_then(|home| self.traffic.peers.place(home));
        let Some(url) = place.map(|place| place.url.clone()) else {
            return self.not_found(parcel);
        };
        for seq in parcel.numbers() {
            let (id, url) = (parcel.to.clone(), url.clone());
            self.failed(seq, SendError::Unreachable { id, url });
        }
    }

    /// Takes back the messages to that peer that wait for its lost host.
    pub(super) fn recall(&mut self, key: &ByteString) -> Vec<Parcel> {
        let home = self.traffic.peers.address(key).map(|a| a.home.clone());
        let Some(Home::Host(host)) = home else {
            return Vec::new();
        };
        self.traffic.recall_from(&host, |parcel| parcel.key == *key)
    }

    /// That lost host is given up, and what waits for it was never sent.
    pub(in crate::mesh) fn give_up_waiting(&mut self, host: &ByteString) {
        if self.traffic.lost_session(host) {
            for parcel in self.traffic.recall_from(host, |_| true) {
                self.unreachable(&parcel);
                self.landed(&parcel, parcel.payload.count());
            }
        }
    }

    /// The session with that host has ended. Messages that were to wait for it and were never sent are for whoever has their peers now.
    pub(super) fn look_anew(&mut self, host: &ByteString, parcels: Vec<Parcel>) {
        for mut parcel in parcels {
            let key = parcel.key.clone();
            self.landed(&parcel, parcel.payload.count());
            parcel.flight = 0;
            match self.traffic.peers.address(&key).map(|a| &a.home) {
                Some(Home::Host(h)) if h == host => self.forget(&key),
                Some(_) => {
                    self.forward(parcel);
                    continue;
                }
                None => {}
            }
            if self.traffic.peers.lookup(&key).is_none() {
                self.look_up(&key, parcel.to.clone());
            }
            if let Some(lookup) = self.traffic.peers.lookup(&key) {
                lookup.grace = self.now.saturating_add(GRACE);
            }
            self.traffic.peers.wait(&key, parcel);
            self.settle_lookup(&key);
        }
    }

    /// Looks again for peers for which messages wait: for those whose turn it is.
    pub(in crate::mesh) fn poll(&mut self, due: Option<Time>) {
        for key in self.traffic.peers.polls.due(due) {
            let address = self.traffic.peers.address(&key).filter(|a| a.flying > 0);
            let id = address.and_then(|a| a.id.clone());
            let lost = address.is_some_and(|a| self.whereabouts(&a.home) == Whereabouts::Lost);
            let is_sought = self.traffic.peers.lookup(&key).is_some();
            if !lost && !is_sought {
                self.traffic.peers.polls.remove(&key);
                continue;
            }
            self.traffic.peers.polls.keep(&key, self.now);
            if is_sought && !self.traffic.peers.is_asleep(&key) {
                continue;
            }
            if self.traffic.peers.polls.allow(&key, self.now, true) {
                if !is_sought {
                    self.look_up(&key, id);
                }
                self.look_again(&key);
                self.settle_lookup(&key);
            }
        }
    }
}

impl Traffic {
    /// Whether there is a session with that host, which has no link.
    fn lost_session(&self, host: &ByteString) -> bool {
        let session = self.sessions.get(host);
        session.is_some_and(|s| s.link().is_none())
    }

    fn recall_from(&mut self, host: &ByteString, wanted: impl Fn(&Parcel) -> bool) -> Vec<Parcel> {
        let Some(session) = self.sessions.get_mut(host) else {
            return Vec::new();
        };
        let recalled = session.recall(|cargo| matches!(cargo, Cargo::Parcel(p) if wanted(p)));
        let parcel = |cargo| match cargo {
            Cargo::Parcel(parcel) => Some(parcel),
            _ => None,
        };
        recalled.into_iter().filter_map(parcel).collect()
    }
}
