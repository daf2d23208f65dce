//! Keeping the directory, and asking it.

use bytestring::ByteString;

use crate::event::Output;
use crate::hash;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::pending::{Asked, Due};
use crate::mesh::traffic::Traffic;
use crate::parts::directory::shard_of;
use crate::parts::directory::{Hint, Move};
use crate::wire::v2::Place;
use crate::words::{LinkId, Raw, Reply};
use std::time::Duration;

/// The directory must be quick, or everybody is asked.
const FOUND_WITHIN: Duration = Duration::from_secs(2);

/// A record holds so many hashes at most.
const RECORD_HASHES: usize = 4096;

impl Mesh {
    /// A session with that host can be used.
    pub(super) fn place_joins(&mut self, host: &ByteString) {
        let link = self.traffic.sessions.get(host).and_then(|s| s.link());
        let takes_part = |l: LinkId| self.network.link(l).is_some_and(|l| l.directory.both());
        if link.is_some_and(takes_part) {
            self.traffic.directory.join(host.clone(), self.now);
        }
    }

    /// The link with that host is gone.
    pub(in crate::mesh) fn place_leaves(&mut self, host: &ByteString) {
        self.traffic.directory.leave(host, self.now);
    }

    pub(in crate::mesh) fn rearrange(&mut self) {
        for Move {
            host,
            whole,
            add,
            drop,
        } in self.traffic.directory.rearrange(self.now)
        {
            for shard in drop {
                self.tell_place(&host, &Place::Drop(shard));
            }
            if whole || !add.is_empty() {
                let mut whole = whole;
                let mut rest = &add[..];
                while whole || !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(RECORD_HASHES));
                    let hashes = now.to_vec();
                    self.tell_place(&host, &Place::Add { whole, hashes });
                    (rest, whole) = (later, false);
                }
            }
        }
    }

    fn tell_place(&mut self, host: &ByteString, place: &Place) {
        let Some(session) = self.traffic.sessions.get(host).filter(|s| s.is_ready()) else {
            return;
        };
        if let Some(link) = session.link() {
            let frame = self.traffic.frames.of(link);
            frame.place(place);
            if frame.len() >= 8 * RECORD_HASHES {
                let bytes = frame.take();
                self.out.push(Output::TransmitBinary { link, bytes });
            }
        }
    }

    /// Peers have come to live here, or do not any more.
    pub(in crate::mesh) fn change_peers(&mut self, ids: Vec<Option<Raw>>, here: bool) {
        let mut tell: std::collections::BTreeMap<ByteString, Vec<u64>> = Default::default();
        let mut hashes: Vec<u64> = ids.iter().map(|id| hash::of(&json::id_key(id))).collect();
        // Who is to be told is the same for a whole shard.
        hashes.sort_unstable();
        for same in hashes.chunk_by(|a, b| shard_of(*a) == shard_of(*b)) {
            let shard = shard_of(same[0]);
            let changed = same.iter().copied().filter(|hash| {
                if here {
                    self.traffic.directory.created(*hash);
                }
                here || self.traffic.directory.removed(*hash)
            });
            let changed: Vec<u64> = changed.collect();
            for host in self.traffic.directory.told_of(shard) {
                tell.entry(host).or_default().extend(&changed);
            }
        }
        for (host, hashes) in tell {
            for hashes in hashes.chunks(RECORD_HASHES) {
                let hashes = hashes.to_vec();
                let whole = false;
                self.tell_place(
                    &host,
                    &if here {
                        Place::Add { whole, hashes }
                    } else {
                        Place::Remove(hashes)
                    },
                );
            }
        }
    }

    /// Asks who knows best for a peer, if anybody does: gives whether that is so. Whoever is asked answers once.
    pub(super) fn ask_directory(
        &mut self,
        key: &ByteString,
        id: &Option<Raw>,
        search: u64,
    ) -> bool {
        let hash = hash::of(key);
        let (host, asks) = match self.traffic.directory.hint(hash) {
            Hint::None => return false,
            Hint::Owner(host) => (host, false),
            Hint::Ask(host) => (host, true),
        };
        let ready = self.traffic.sessions.get(&host).filter(|s| s.is_ready());
        let Some(link) = ready.and_then(|s| s.link()) else {
            return false;
        };
        let within = FOUND_WITHIN.min(self.config.request_timeout);
        let asked = Asked::Find {
            key: key.clone(),
            search,
        };
        let number = self.questions.open(link, self.now + within, asked);
        let frame = self.traffic.frames.of(link);
        if asks {
            frame.look(number, id);
        } else {
            frame.ask(number, &self.id, id);
        }
        true
    }

    /// Another host asks for a peer, because its hash is in a shard of ours.
    pub(in crate::mesh) fn look(&mut self, host: &ByteString, number: u64, id: Option<Raw>) {
        let owner = self
            .traffic
            .directory
            .owner(hash::of(&json::id_key(&id)))
            .cloned();
        match owner {
            Some(owner) if owner == self.id => self.ask_here(host, number, id),
            Some(owner) if owner != *host && self.traffic.directory.takes_part(&owner) => {
                if let Some(link) = self.traffic.sessions.get(&owner).and_then(|s| s.link()) {
                    self.traffic.frames.of(link).ask(number, host, &id);
                }
            }
            _ => self.traffic.not_here(host, number),
        }
    }

    /// Somebody wants to know whether a peer lives here.
    pub(in crate::mesh) fn ask_here(&mut self, asker: &ByteString, number: u64, id: Option<Raw>) {
        let Some(link) = self.traffic.sessions.get(asker).and_then(|s| s.link()) else {
            return; // It will ask everybody soon.
        };
        self.event(crate::event::Event::Lookup { id });
        self.owe(link, Some(number.to_string().into()), Due::Found { number });
    }

    pub(in crate::mesh) fn give_found(&mut self, link: LinkId, number: u64, reply: Option<Reply>) {
        if self.session_of(link).is_some() {
            let url = self.url.clone().unwrap_or_default();
            let here = self.is_here(reply).then_some(url);
            self.traffic.frames.of(link).found(number, here.as_ref());
        }
    }

    /// The answer to what was asked of the directory, from whoever knows.
    pub(in crate::mesh) fn found(
        &mut self,
        host: &ByteString,
        number: u64,
        url: Option<ByteString>,
    ) {
        let is_find = |asked: &Asked| matches!(asked, Asked::Find { .. });
        let Some(Asked::Find { key, search }) = self.questions.take_from_any(number, is_find)
        else {
            return;
        };
        let Some(link) = self.traffic.sessions.get(host).and_then(|s| s.link()) else {
            return;
        };
        let is_there = url.is_some();
        let url = url.filter(|url| !url.is_empty());
        self.find_answer(link, key, search, is_there, url);
    }
}

impl Traffic {
    /// Answers that host that the peer it asks for is not known here.
    pub(in crate::mesh) fn not_here(&mut self, host: &ByteString, number: u64) {
        if let Some(link) = self.sessions.get(host).and_then(|s| s.link()) {
            self.frames.of(link).found(number, None);
        }
    }

    /// Peers of that host are to be registered here, or not any more.
    pub(in crate::mesh) fn place(&mut self, host: &ByteString, place: Place) {
        match place {
            Place::Add { whole, hashes } => {
                if whole {
                    self.directory.forget(host);
                }
                self.directory.register(host, hashes);
            }
            Place::Remove(hashes) => self.directory.unregister(host, hashes),
            Place::Drop(shard) => self.directory.forget_shard(host, shard),
        }
    }
}
