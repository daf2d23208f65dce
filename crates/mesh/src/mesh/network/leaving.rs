//! Goodbyes of others. Our own is in [`closing`](super::closing).

use bytestring::ByteString;

use crate::error::CallError;
use crate::event::Event;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{Seeking, Waiter};
use crate::mesh::pending::{Asked, Due};
use crate::mesh::{GOODBYE_TIMEOUT, Mesh};
use crate::parts::hosts::State;
use crate::parts::peers::Home;
use crate::sabotage::{self, Sabotage};
use crate::words::{LinkId, Raw};

impl Mesh {
    /// A host, the one with that id if it says so, says goodbye: forget it, say goodbye as well, and close when that is answered.
    pub(in crate::mesh) fn goodbye(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        host: Option<ByteString>,
    ) {
        self.tell_what_came(link);
        let greeting = self.network.hosts.get(link).map(|l| l.state) == Some(State::Greeting);
        let key = self.network.hosts.unregister(link, State::Leaving);
        if let Some(key) = &key {
            self.has_left(link, key);
        } else if let Some(twin) = self.network.twin(link) {
            if let Some(key) = self.network.hosts.unregister(twin, State::Leaving) {
                self.has_left(twin, &key);
            }
            self.say_goodbye(twin);
        } else if let Some(l) = self.network.hosts.get_mut(link) {
            // A stranger's goodbye is answered, and it may stay.
            l.state = if l.dialled.is_some() {
                State::Leaving
            } else {
                State::Stranger
            };
            if greeting {
                self.not_to_be_joined(link, host.as_ref());
            }
        }
        if let Some(host) = host {
            self.has_left_for_good(link, &host);
        }
        self.network.forget_doubt(link);
        let back = key.is_some();
        if id.is_some() {
            self.owe(link, id, Due::Goodbye { back });
        } else if back {
            self.say_goodbye(link);
        }
    }

    /// The host behind that link, which was registered under that key, has said goodbye.
    pub(super) fn has_left(&mut self, link: LinkId, key: &ByteString) {
        self.forget_host(key, link);
        self.event(Event::Disconnected { key: key.clone() });
        self.member_is_gone(link, key);
        self.network.gossip.change(self.now);
    }

    /// The host that we have greeted says goodbye instead of an answer, or before it: it is leaving.
    fn not_to_be_joined(&mut self, link: LinkId, host: Option<&ByteString>) {
        self.questions.take_all(link);
        let Some(l) = self.network.hosts.get_mut(link) else {
            return;
        };
        let waiters = std::mem::take(&mut l.waiters);
        let url = l.dialled.clone().unwrap_or_default();
        for waiter in waiters {
            match waiter {
                // Nobody looks for it any more; for another incarnation one does.
                Waiter::Redial(Seeking { key, host: h, .. })
                    if h.is_none() || h.as_ref() == host =>
                {
                    self.forget_lost(&key, h);
                    self.event(Event::Pulse);
                }
                waiter => self.fail(waiter, CallError::Lost { url: url.clone() }),
            }
        }
    }

    /// The host with that id leaves the network, and has said so over that link. We may know it by another one, which is lost, or is
    /// about to be.
    fn has_left_for_good(&mut self, link: LinkId, host: &ByteString) {
        let behind = self.network.hosts.get(link).and_then(|l| l.host.as_ref());
        if *host == self.id || behind.is_some_and(|behind| behind != host) {
            return;
        }
        for key in self.network.hosts.lost_host(host) {
            self.give_up(key);
        }
        let dialled = self.network.hosts.loose().filter_map(|(_, l)| {
            let redial = |w: &Waiter| matches!(w, Waiter::Redial(Seeking { host: h, .. }) if h.as_ref() == Some(host));
            let key = l.dialled.clone().filter(|_| l.is_connecting());
            key.filter(|_| l.waiters.iter().any(redial))
        });
        for key in dialled.collect::<Vec<ByteString>>() {
            self.give_up(key);
        }
        if self.network.hearsay.names(host) {
            let waits = self.network.hearsay.iter();
            let waits = waits.filter(|(_, e)| e.host.as_ref() == Some(host));
            for key in waits
                .map(|(url, _)| url.clone())
                .collect::<Vec<ByteString>>()
            {
                self.give_up_told(&key);
            }
        }
        // It has perhaps answered what we have said to it over another link, and that answer is longer on its way.
        let greeted = self.network.hosts.loose();
        let greeted = greeted.filter(|(_, l)| l.is_connecting() && l.hint.as_ref() == Some(host));
        for greeted in greeted.map(|(link, _)| link).collect::<Vec<LinkId>>() {
            if let Some(l) = self.network.hosts.get_mut(greeted) {
                l.left = Some(host.clone());
            }
        }
        match self.network.hosts.route_to_host(host) {
            Some(other) => {
                if let Some(l) = self.network.hosts.get_mut(other) {
                    l.left = Some(host.clone());
                }
            }
            None => self.end_lost_session(host),
        }
    }

    pub(in crate::mesh) fn say_goodbye(&mut self, link: LinkId) {
        let within = GOODBYE_TIMEOUT.min(self.config.request_timeout);
        self.ask(link, "goodbye", None, Asked::Goodbye, within);
    }

    /// Forgets all peers of the host behind that link, and its other names.
    pub(super) fn forget_host(&mut self, key: &ByteString, link: LinkId) {
        let host = self.network.hosts.get(link).and_then(|l| l.host.clone());
        self.forget_peers(host.as_ref(), Some(key));
        self.network.hosts.forget_aliases(key);
    }

    /// Forgets all peers of that host, and those of one without id that had its key.
    pub(super) fn forget_peers(&mut self, host: Option<&ByteString>, key: Option<&ByteString>) {
        if sabotage::is(Sabotage::Stranded) {
            return;
        }
        let mut homes: Vec<Home> = host.cloned().map(Home::Host).into_iter().collect();
        if let Some(key) = key {
            homes.push(Home::Key(key.clone()));
            if host.is_none() {
                let hosts = &self.network.hosts;
                let shown = self
                    .traffic
                    .peers
                    .shown_as(|url| hosts.is_name_of(url, key));
                homes.extend(shown);
            }
        }
        let mut ids = self.traffic.peers.forget_all(&homes);
        ids.sort_unstable();
        for id in ids.into_iter().flatten() {
            self.event(Event::Forgotten { id });
        }
    }

    /// The goodbye is over: close the link, but not before everything that is owed to the other host has been said. It may
    /// have said goodbye as well, and would wait for the answer.
    pub(in crate::mesh) fn end_link(&mut self, link: LinkId) {
        self.owe(link, Some(Raw::new()), Due::End);
    }
}

impl Network {
    /// The registered link of the 0.4.0 host that has another link here, which it may think is the one: both have dialled each other.
    pub(super) fn twin(&self, link: LinkId) -> Option<LinkId> {
        let v1 = |link: LinkId| self.hosts.get(link).filter(|l| l.host.is_none());
        let url = v1(link)?.url.as_ref()?;
        let twin = self.hosts.route(url).filter(|twin| *twin != link)?;
        v1(twin).map(|_| twin)
    }
}
