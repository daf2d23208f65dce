//! Messages to peers and channels on other hosts, and the search for a peer's host.

use bytestring::ByteString;

use super::cargo::Cargo;
use super::seeking::SOUGHT_WITHIN;
use crate::error::{CallError, SendError};
use crate::event::{Event, Output};
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::pending::Asked;
use crate::mesh::traffic::proxied::numbers_before;
use crate::mesh::traffic::{Traffic, Whereabouts};
use crate::parts::peers::{Home, Landed, Parcel, Place};
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::wire::v1;
use crate::words::{Answer, Call, LinkId, Raw, Time};

impl Mesh {
    pub(in crate::mesh) fn send(&mut self, mut parcel: Parcel) {
        parcel.since = self.now;
        let sought = self.traffic.peers.lookup(&parcel.key).is_some();
        let known = self.traffic.peers.address(&parcel.key).is_some();
        // A peer whose host is lost is sought among the others, and what waits for that host does so in its place.
        if sought && !(known && parcel.patient) {
            self.await_search(parcel);
        } else if known {
            self.forward(parcel);
        } else {
            self.search_for(parcel);
        }
    }

    /// Has a message wait for the search for its peer, which begins now if there is none.
    fn search_for(&mut self, parcel: Parcel) {
        let key = parcel.key.clone();
        if self.traffic.peers.lookup(&key).is_none() {
            self.look_up(&key, parcel.to.clone());
        }
        self.await_search(parcel);
        self.settle_lookup(&key);
    }

    /// Sends messages to the host where their peer is known to live.
    pub(super) fn forward(&mut self, mut parcel: Parcel) {
        let Some(address) = self.traffic.peers.address(&parcel.key) else {
            return self.search_for(parcel); // The one before it has found that its host is gone.
        };
        let link = match self.whereabouts(&address.home) {
            Whereabouts::There(link) => link,
            Whereabouts::Lost => return self.send_to_lost(parcel),
            Whereabouts::Gone if sabotage::is(Sabotage::Stranded) => {
                return self.unreachable(&parcel);
            }
            Whereabouts::Gone => {
                self.forget(&parcel.key);
                return self.search_for(parcel);
            }
        };
        self.traffic.peers.took_off(&mut parcel);
        match self.session_of(link) {
            Some(host) => self.load(&host, Cargo::Parcel(parcel)),
            None if parcel.asks => {
                for seq in parcel.numbers() {
                    let id = parcel.to.clone();
                    self.failed(seq, SendError::NotSupported { id });
                }
                self.landed(&parcel, parcel.payload.count());
            }
            None => self.forward_singly(link, parcel),
        }
    }

    /// A 0.4.0 host gets a request for each message.
    fn forward_singly(&mut self, link: LinkId, parcel: Parcel) {
        let Some(parcel) = self.admit_to_v1(link, parcel) else {
            return;
        };
        let numbers = parcel.numbers();
        let deadline = self.now + self.config.request_timeout;
        let singles = parcel.payload.clone().into_singles();
        for (seq, payload) in numbers.zip(singles) {
            let message = payload.clone().into_json().pop().flatten();
            let single = Parcel {
                seq,
                payload,
                ..parcel.clone()
            };
            let number = self.questions.open(link, deadline, Asked::Send(single));
            self.out.push(Output::Transmit {
                link,
                text: v1::send(number, &parcel.from, &parcel.to, &message),
            });
        }
    }

    pub(in crate::mesh) fn send_answer(&mut self, mut parcel: Parcel, error: Option<Raw>) {
        let Some(error) = error else {
            self.delivered(parcel.seq, 1);
            return self.arrived(&parcel, parcel.seq, 1);
        };
        let text = json::display(&Some(error));
        if text.starts_with("Error: Peer not found") {
            return self.not_there(parcel);
        }
        let id = parcel.to.take();
        let listener = text.starts_with("Peer not found");
        let error = if listener {
            SendError::ThrewNotFound { id }
        } else {
            SendError::Threw
        };
        self.failed(parcel.seq, error);
        self.arrived(&parcel, parcel.seq, 1);
    }

    pub(super) fn not_found(&mut self, parcel: &Parcel) {
        for seq in parcel.numbers() {
            let id = parcel.to.clone();
            self.failed(seq, SendError::NotFound { id });
        }
    }

    /// The peer does not live any more where we believed: look for it once more.
    pub(super) fn not_there(&mut self, mut parcel: Parcel) {
        let (key, flight) = (parcel.key.clone(), parcel.flight);
        let landed = self
            .traffic
            .peers
            .landed(&key, flight, parcel.payload.count());
        if self
            .traffic
            .peers
            .address(&key)
            .is_some_and(|a| a.number == flight)
        {
            self.forget(&key);
        }
        // It must not come after what has perhaps arrived where the peer was found since.
        if parcel.returned || landed == Landed::Adrift {
            self.not_found(&parcel);
        } else {
            if self.traffic.peers.lookup(&key).is_none() {
                self.look_up(&key, parcel.to.clone());
            }
            parcel.returned = true;
            self.await_search(parcel);
        }
        self.settle_lookup(&key);
    }

    /// Message `seq` to that peer and those that were called with it, `count` in all, have arrived, or are given up: whatever was
    /// called before them and waits must not arrive any more.
    pub(in crate::mesh) fn arrived(&mut self, parcel: &Parcel, seq: u64, count: u32) {
        if count > 0 {
            let before = numbers_before(seq);
            for overtaken in self.traffic.peers.overtaken(&parcel.key, &before) {
                self.not_found(&overtaken);
            }
            self.landed(parcel, count);
        }
    }

    /// So many messages of that parcel are not in flight any more.
    pub(super) fn landed(&mut self, parcel: &Parcel, count: u32) {
        self.landed_at(&parcel.key, parcel.flight, count);
    }

    /// So many messages to that peer that had left by that address are not in flight any more.
    pub(super) fn landed_at(&mut self, key: &ByteString, flight: u64, count: u32) {
        if count > 0 && self.traffic.peers.landed(key, flight, count) == Landed::Awaited {
            self.settle_lookup(key);
        }
    }

    pub(in crate::mesh) fn forget(&mut self, key: &ByteString) {
        if let Some(id) = self.traffic.peers.forget(key).and_then(|a| a.id) {
            self.event(Event::Forgotten { id });
        }
    }

    pub(in crate::mesh) fn find(&mut self, call: Call, id: Option<Raw>) {
        let key = json::id_key(&id);
        let known = self
            .traffic
            .peers
            .address(&key)
            .map(|a| self.whereabouts(&a.home));
        let sought = match known {
            Some(Whereabouts::There(_)) => false,
            Some(Whereabouts::Lost) => self.seek(&key, &id),
            Some(Whereabouts::Gone) => {
                self.forget(&key);
                true
            }
            None => true,
        };
        if !sought {
            self.traffic.peers.touch(&key);
            return self.done(call, Ok(Answer::Url(self.traffic.known_url(&key))));
        }
        if self.traffic.peers.lookup(&key).is_none() {
            self.look_up(&key, id);
        }
        if let Some(lookup) = self.traffic.peers.lookup(&key) {
            lookup.finds.push(call);
        }
        self.look_again(&key);
        self.settle_lookup(&key);
    }

    /// Asks for a peer: whom the directory names, and those who do not take part in it; or everybody.
    pub(super) fn look_up(&mut self, key: &ByteString, id: Option<Raw>) {
        let search = self
            .traffic
            .peers
            .begin_lookup(key.clone(), id.clone())
            .number;
        self.ask_for(key, id, search);
    }

    /// Goes on with the search for that peer if it is asleep.
    pub(super) fn look_again(&mut self, key: &ByteString) {
        if let Some((search, id)) = self.traffic.peers.wake(key) {
            self.ask_for(key, id, search);
            self.settle_lookup(key);
        }
    }

    /// Goes on with all searches that are asleep, because a lost host is back or will not come back; or, with a time, with those that
    /// end then.
    pub(in crate::mesh) fn wake_searches(&mut self, due: Option<Time>) {
        for key in self.traffic.peers.sleeping(due) {
            self.look_again(&key);
        }
    }

    fn ask_for(&mut self, key: &ByteString, id: Option<Raw>, search: u64) {
        let narrow = self.ask_directory(key, &id, search);
        self.ask_all(key, &id, search, |takes_part| !(narrow && takes_part));
        if let Some(lookup) = self.traffic.peers.lookup(key) {
            lookup.asked += usize::from(narrow);
            lookup.narrow = narrow;
        }
    }

    /// Asks those hosts for a peer of which `wanted` says yes; it is told whether they take part in the directory.
    fn ask_all(
        &mut self,
        key: &ByteString,
        id: &Option<Raw>,
        search: u64,
        wanted: impl Fn(bool) -> bool,
    ) {
        let mut links: Vec<LinkId> = self.network.joined().map(|(_, link)| link).collect();
        links.retain(|link| {
            let host = self.network.link(*link).and_then(|l| l.host.as_ref());
            wanted(host.is_some_and(|h| self.traffic.directory.takes_part(h)))
        });
        if let Some(lookup) = self.traffic.peers.lookup(key) {
            lookup.asked += links.len();
        }
        let mut params = String::from("{");
        json::push_member(&mut params, "id", id.as_deref());
        params.push('}');
        let mut within = self.config.request_timeout;
        if self.traffic.peers.address(key).is_some() {
            within = within.min(SOUGHT_WITHIN);
        }
        for link in links {
            let asked = Asked::Find {
                key: key.clone(),
                search,
            };
            self.ask(link, "find", Some(&params), asked, within);
        }
    }

    /// A host has said whether a peer lives there: by its url, or, where it has none, by its id.
    pub(in crate::mesh) fn find_answer(
        &mut self,
        link: LinkId,
        key: ByteString,
        search: u64,
        is_there: bool,
        url: Option<ByteString>,
    ) {
        // Who has said goodbye has no peers any more.
        let found = is_there.then(|| self.found_behind(link, url)).flatten();
        if let Some(found) = &found {
            if let Home::Key(key) = &found.home {
                self.network.alias(found.place.url.clone(), key.clone());
            }
            self.rename(&found.home, &found.place);
        }
        let Some(lookup) = self
            .traffic
            .peers
            .lookup(&key)
            .filter(|l| l.number == search)
        else {
            return;
        };
        lookup.asked = lookup.asked.saturating_sub(1);
        if lookup.found.is_none() {
            lookup.found = found;
        }
        self.settle_lookup(&key);
    }

    /// Ends a search if it has come to an end.
    pub(super) fn settle_lookup(&mut self, key: &ByteString) {
        let Some(lookup) = self.traffic.peers.lookup(key).filter(|l| l.is_over()) else {
            return;
        };
        if lookup.found.is_none() && std::mem::take(&mut lookup.narrow) {
            // The directory may be wrong.
            let (id, search) = (lookup.id.clone(), lookup.number);
            self.ask_all(key, &id, search, |takes_part| takes_part);
            return self.settle_lookup(key);
        }
        let (most, any_lost) = (
            self.config.request_timeout,
            self.traffic.sessions.any_lost(),
        );
        let waits = lookup.found.is_none() && lookup.can_wait(self.now.checked_sub(most));
        let until = if any_lost { Time::MAX } else { lookup.grace };
        let known = self.traffic.peers.address(key).is_some();
        if waits && !known && self.closing.is_none() && self.now < until {
            let id = self.traffic.peers.lookup(key).and_then(|l| l.id.clone());
            let (sends, finds) = self.traffic.peers.sleep(key, self.now, most, until);
            return self.nowhere(id, sends, finds);
        }
        let Some(mut lookup) = self.traffic.peers.end_lookup(key) else {
            return;
        };
        let found = lookup.found.take();
        let id = lookup.id.clone();
        let (mut sends, finds) = lookup.into_waiting();
        let Some(found) = found else {
            return match known {
                true => self.still_lost(key, sends, finds),
                false => self.nowhere(id, sends, finds),
            };
        };
        if known {
            sends.extend(self.recall(key));
            sends.sort_by_key(|parcel| parcel.seq);
        }
        let Place { url, listed } = found.place.clone();
        self.traffic.peers.locate(key, id.clone(), found);
        if let Some(id) = id {
            self.event(Event::Located {
                id,
                url: url.clone(),
            });
        }
        for call in finds {
            self.done(call, Ok(Answer::Url(listed.then(|| url.clone()))));
        }
        for parcel in sends {
            self.forward(parcel);
        }
        let most = self.config.max_addresses.max(1);
        for id in self.traffic.peers.limit(most).into_iter().flatten() {
            self.event(Event::Forgotten { id });
        }
    }

    /// Nobody has that peer.
    fn nowhere(&mut self, id: Option<Raw>, sends: Vec<Parcel>, finds: Vec<Call>) {
        for call in finds {
            self.done(call, Err(CallError::NotFound { id: id.clone() }));
        }
        for parcel in sends {
            self.not_found(&parcel);
        }
    }

    pub(in crate::mesh) fn publish(&mut self, channel: Option<Raw>, payload: Payload) {
        self.stats.published += u64::from(payload.count());
        self.load_publish(&channel, &payload);
        self.publish_to_v1(channel, payload);
    }
}

impl Traffic {
    /// The url of the host where that peer is known to live.
    pub(super) fn known_url(&self, key: &str) -> Option<ByteString> {
        let place = self.peers.place(&self.peers.address(key)?.home)?;
        place.listed.then(|| place.url.clone())
    }
}
