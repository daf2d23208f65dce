//! Messages to peers and channels on other hosts, and the search for a peer's host.

use bytestring::ByteString;

use super::cargo::Cargo;
use super::{Asked, Mesh};
use crate::error::{CallError, SendError};
use crate::event::{Answer, Call, Event, LinkId, Output, Raw, Time};
use crate::payload::Payload;
use crate::peers::{Address, Parcel};
use crate::wire::{json, v1};

impl Mesh {
    pub(super) fn send(&mut self, parcel: Parcel) {
        if self.peers.lookup(&parcel.key).is_some() {
            self.await_search(parcel);
        } else if self.peers.address(&parcel.key).is_some() {
            self.forward(parcel);
        } else {
            let key = parcel.key.clone();
            self.look_up(&key, parcel.to.clone());
            self.await_search(parcel);
            self.settle_lookup(&key);
        }
    }

    /// Sends messages to the host where their peer is known to live.
    fn forward(&mut self, parcel: Parcel) {
        let Some(address) = self.peers.address(&parcel.key) else {
            return self.not_found(&parcel);
        };
        let Some(link) = self.hosts.route(&address.url) else {
            let url = address.url.clone();
            if parcel.patient
                && let Some(host) = self.lost_session(&url)
            {
                self.peers.took_off(&parcel.key, parcel.payload.count());
                return self.load(&host, Cargo::Parcel(parcel));
            }
            for seq in parcel.numbers() {
                let (id, url) = (parcel.to.clone(), url.clone());
                self.failed(seq, SendError::Unreachable { id, url });
            }
            return;
        };
        self.peers.took_off(&parcel.key, parcel.payload.count());
        match self.session_of(link) {
            Some(host) => self.load(&host, Cargo::Parcel(parcel)),
            None if parcel.asks => {
                for seq in parcel.numbers() {
                    let id = parcel.to.clone();
                    self.failed(seq, SendError::NotSupported { id });
                }
                self.landed(&parcel.key, parcel.payload.count());
            }
            None => self.forward_singly(link, parcel),
        }
    }

    /// An original host gets a request for each message.
    fn forward_singly(&mut self, link: LinkId, parcel: Parcel) {
        let Some(parcel) = self.admit_plain(link, parcel) else {
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
            let number = self.requests.open(link, deadline, Asked::Send(single));
            self.out.push(Output::Transmit {
                link,
                text: v1::send(number, &parcel.from, &parcel.to, &message),
            });
        }
    }

    pub(super) fn send_answer(&mut self, mut parcel: Parcel, error: Option<Raw>) {
        let Some(error) = error else {
            self.event(Event::Settled {
                seq: parcel.seq,
                count: 1,
            });
            return self.arrived(&parcel.key, parcel.seq, 1);
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
        self.arrived(&parcel.key, parcel.seq, 1);
    }

    fn not_found(&mut self, parcel: &Parcel) {
        for seq in parcel.numbers() {
            let id = parcel.to.clone();
            self.failed(seq, SendError::NotFound { id });
        }
    }

    /// The peer does not live any more where we believed: look for it once more.
    pub(super) fn not_there(&mut self, mut parcel: Parcel) {
        let key = parcel.key.clone();
        self.peers.landed(&key, parcel.payload.count());
        self.forget(&key);
        if parcel.returned {
            self.not_found(&parcel);
        } else {
            if self.peers.lookup(&key).is_none() {
                self.look_up(&key, parcel.to.clone());
            }
            parcel.returned = true;
            self.await_search(parcel);
        }
        self.settle_lookup(&key);
    }

    /// Message `seq` to that peer and those that were called with it, `count` in all, have arrived, or are given up: whatever was
    /// called before them and waits must not arrive any more.
    pub(super) fn arrived(&mut self, key: &ByteString, seq: u64, count: u32) {
        if count > 0 {
            for parcel in self.peers.overtaken(key, seq) {
                self.not_found(&parcel);
            }
            self.landed(key, count);
        }
    }

    /// Messages to that peer are not under way any more.
    pub(super) fn landed(&mut self, key: &ByteString, count: u32) {
        if count > 0 && self.peers.landed(key, count) {
            self.settle_lookup(key);
        }
    }

    fn forget(&mut self, key: &ByteString) {
        if let Some(id) = self.peers.forget(key).and_then(|a| a.id) {
            self.event(Event::Forgotten { id });
        }
    }

    pub(super) fn find(&mut self, call: Call, id: Option<Raw>) {
        let key = json::id_key(&id);
        if let Some(address) = self.peers.address(&key) {
            let url = address.listed.then(|| address.url.clone());
            self.peers.touch(&key);
            return self.done(call, Ok(Answer::Url(url)));
        }
        if self.peers.lookup(&key).is_none() {
            self.look_up(&key, id);
        }
        if let Some(lookup) = self.peers.lookup(&key) {
            lookup.finds.push(call);
        }
        self.look_again(&key);
        self.settle_lookup(&key);
    }

    /// Asks for a peer: whom the directory names, and those who do not take part in it; or everybody.
    fn look_up(&mut self, key: &ByteString, id: Option<Raw>) {
        let search = self.peers.begin_lookup(key.clone(), id.clone()).number;
        self.ask_for(key, id, search);
    }

    /// Goes on with the search for that peer if it is asleep.
    pub(super) fn look_again(&mut self, key: &ByteString) {
        if let Some((search, id)) = self.peers.wake(key) {
            self.ask_for(key, id, search);
            self.settle_lookup(key);
        }
    }

    /// Goes on with all searches that are asleep, because a lost host is back or will not come back; or, with a time, with those that
    /// end then.
    pub(super) fn wake_searches(&mut self, due: Option<Time>) {
        for key in self.peers.sleeping(due) {
            self.look_again(&key);
        }
    }

    fn ask_for(&mut self, key: &ByteString, id: Option<Raw>, search: u64) {
        let narrow = self.ask_directory(key, &id, search);
        self.ask_all(key, &id, search, |takes_part| !(narrow && takes_part));
        if let Some(lookup) = self.peers.lookup(key) {
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
        let mut links = self.joined_links(None);
        links.retain(|link| {
            let host = self.hosts.get(*link).and_then(|l| l.host.as_ref());
            wanted(host.is_some_and(|h| self.directory.takes_part(h)))
        });
        if let Some(lookup) = self.peers.lookup(key) {
            lookup.asked += links.len();
        }
        let mut params = String::from("{");
        json::push_member(&mut params, "id", id.as_deref());
        params.push('}');
        for link in links {
            let asked = Asked::Find {
                key: key.clone(),
                search,
            };
            let within = self.config.request_timeout;
            self.ask(link, "find", Some(&params), asked, within);
        }
    }

    /// A host has said whether a peer lives there: by its url, or, where it has none, by its id.
    pub(super) fn find_answer(
        &mut self,
        link: LinkId,
        key: ByteString,
        search: u64,
        message: Option<Raw>,
        host: Option<Raw>,
    ) {
        let mut url = message
            .as_ref()
            .and_then(json::string)
            .filter(|url| !url.is_empty());
        let mut unlisted = host.as_ref().and_then(json::string);
        if let (true, Some(l)) = (url.is_some(), self.hosts.get(link).filter(|l| l.taken)) {
            (url, unlisted) = (l.url.clone(), l.host.clone());
        }
        if let (Some(url), Some(name)) = (&url, self.hosts.get(link).and_then(|l| l.key.clone())) {
            self.hosts.alias(url.clone(), name);
        }
        let Some(lookup) = self.peers.lookup(&key).filter(|l| l.number == search) else {
            return;
        };
        lookup.asked = lookup.asked.saturating_sub(1);
        let listed = url.is_some();
        if let Some(url) = url.or(unlisted)
            && lookup.found.is_none()
        {
            lookup.found = Some(Address {
                id: lookup.id.clone(),
                url,
                listed,
                flying: 0,
                used: 0,
            });
        }
        self.settle_lookup(&key);
    }

    /// Ends a search if it has come to an end.
    fn settle_lookup(&mut self, key: &ByteString) {
        let Some(lookup) = self.peers.lookup(key).filter(|l| l.is_over()) else {
            return;
        };
        if lookup.found.is_none() && std::mem::take(&mut lookup.narrow) {
            // The directory may be wrong.
            let (id, search) = (lookup.id.clone(), lookup.number);
            self.ask_all(key, &id, search, |takes_part| takes_part);
            return self.settle_lookup(key);
        }
        let waits = lookup.found.is_none() && lookup.can_wait(self.now);
        if waits && self.closing.is_none() && self.sessions.any_lost() {
            let until = self.now.saturating_add(self.config.request_timeout);
            let id = lookup.id.clone();
            let (sends, finds) = self.peers.sleep(key, until);
            return self.nowhere(id, sends, finds);
        }
        let Some(mut lookup) = self.peers.end_lookup(key) else {
            return;
        };
        let found = lookup.found.take();
        let id = lookup.id.clone();
        let (sends, finds) = lookup.into_waiting();
        if let Some(address) = found {
            let (url, listed) = (address.url.clone(), address.listed);
            self.peers.locate(key.clone(), address);
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
            for id in self.peers.limit(most).into_iter().flatten() {
                self.event(Event::Forgotten { id });
            }
        } else {
            self.nowhere(id, sends, finds);
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

    pub(super) fn publish(&mut self, channel: Option<Raw>, payload: Payload) {
        self.stats.published += u64::from(payload.count());
        self.load_publish(&channel, &payload);
        self.publish_plain(channel, payload);
    }
}
