//! Hosts that advertise the same url: by mistake, or because it means another machine on every machine, as `0.0.0.0` does. The first one
//! has it. Any other one goes by the url by which it was dialled, or else by its id, as a host that nobody can dial.

use std::time::Duration;

use bytestring::ByteString;

use crate::event::{Event, Output};
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{self, Doubt, Waiter};
use crate::mesh::pending::Asked;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::wire::greeting::Hello;
use crate::wire::member::Member;
use crate::words::{LinkId, Raw, Time};

/// So long has a host to let us hear of it, or whoever says hello with its url has taken its place.
const PROVED_WITHIN: Duration = Duration::from_secs(1);

/// The program is told of so many urls at most.
const MOST_TOLD: usize = 64;

impl Mesh {
    /// A host says hello. Looks whether its url is its own to have. Gives whether that is not clear yet, and the greeting is put off.
    pub(super) fn puts_off(&mut self, link: LinkId, id: &Option<Raw>, hello: &Hello) -> bool {
        let Some(l) = self
            .network
            .hosts
            .get(link)
            .filter(|l| l.state == State::Stranger)
        else {
            return false;
        };
        let (Some(url), Some(host)) = (l.url.clone(), l.host.clone()) else {
            return false;
        };
        if self.url.as_ref() == Some(&url) && host != self.id {
            self.network.take_url(link, None);
            self.tell_taken(url);
            return false;
        }
        let Some(other) = self.network.other_at(&url, &host) else {
            return false;
        };
        let relayed = is_relayed(other);
        if relayed && is_relayed(link) {
            // A relay tells when it has lost somebody.
            self.network.take_url(link, None);
            return false;
        }
        if self.network.doubts.iter().all(|d| d.link != link) {
            self.network.doubts.push(Doubt {
                link,
                id: id.clone(),
                hello: hello.clone(),
                other,
                since: self.now,
                until: self.now + PROVED_WITHIN,
                looked: relayed,
            });
            if relayed {
                // The driver knows no relayed links: its host itself is asked. No answer in time is one as well.
                self.ask(other, "ping", None, Asked::Proof, PROVED_WITHIN);
            } else {
                self.out.push(Output::Ping { link: other });
            }
        }
        true
    }

    /// Several hosts advertise that url. The program is told once.
    pub(super) fn tell_taken(&mut self, url: ByteString) {
        if self.network.taken.len() < MOST_TOLD && self.network.taken.insert(url.clone()) {
            let ours = self.url.as_ref() == Some(&url);
            self.event(Event::UrlTaken { url, ours });
        }
    }

    /// The host that we have dialled has answered. If somebody else has the url that it advertises, it goes by the one that we have dialled.
    pub(super) fn check_url(&mut self, link: LinkId) {
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        let (Some(url), Some(host)) = (l.url.clone(), l.host.clone()) else {
            return;
        };
        let ours = self.url.as_ref() == Some(&url);
        let dialled = l.dialled.clone().filter(|_| !is_relayed(link));
        let others = dialled.as_ref() != Some(&url) && self.network.other_at(&url, &host).is_some();
        if host != self.id && (ours || others) {
            self.network.take_url(link, dialled);
            if ours {
                self.tell_taken(url);
            }
        }
    }

    pub(in crate::mesh) fn look_at_doubtful(&mut self) {
        let now = self.now;
        let mut over = Vec::new();
        for doubt in self.network.doubts.iter_mut().filter(|d| d.until <= now) {
            if doubt.looked {
                over.push(doubt.other);
            } else {
                (doubt.looked, doubt.until) = (true, now + PROVED_WITHIN);
                self.out.push(Output::Probe { link: doubt.other });
            }
        }
        for other in over {
            self.end_doubts(other, Time::ZERO);
        }
    }

    /// Something has last come over that link at that time.
    pub(in crate::mesh) fn end_doubts(&mut self, other: LinkId, heard: Time) {
        let ended = |d: &mut Doubt| d.other == other && d.looked;
        for doubt in self
            .network
            .doubts
            .extract_if(.., ended)
            .collect::<Vec<Doubt>>()
        {
            let l = self.network.hosts.get(doubt.link);
            let Some((url, host)) = l.and_then(|l| Some((l.url.clone()?, l.host.clone()?))) else {
                continue;
            };
            // Unless somebody else has just got that url.
            let sure = self.network.other_at(&url, &host) == Some(other);
            if sure && heard > doubt.since {
                self.network.take_url(doubt.link, None);
                self.tell_taken(url);
            }
            self.greeting(doubt.link, doubt.id, doubt.hello, sure);
        }
    }

    /// That link is gone. Whoever was in doubt because of it is dealt with when everything else is.
    pub(super) fn forget_doubts(&mut self, link: LinkId) {
        self.network.forget_doubt(link);
        for doubt in self.network.doubts.iter_mut().filter(|d| d.other == link) {
            (doubt.looked, doubt.until) = (true, self.now);
        }
    }

    /// Where we were told that a member is, somebody else is: perhaps it can be reached over whoever has told us of it.
    pub(super) fn look_for_missed(&mut self, told: Option<ByteString>, waiters: &[Waiter]) {
        let round = waiters.iter().find_map(|w| match w {
            Waiter::Member { round, .. } => *round,
            _ => None,
        });
        if let Some(by) = waiters::teller(waiters)
            && let Some(host) = told.filter(|host| !self.network.relays.known(host).is_empty())
        {
            self.join_member(Member::relayed(host), round, by.clone());
        }
    }

    /// So it is where that link leads, over which we do not expect it any more.
    pub(super) fn look_for_told(&mut self, link: LinkId, waiters: &[Waiter]) {
        let Some(l) = self.network.hosts.get_mut(link) else {
            return;
        };
        let told = l.told.take().filter(|told| l.host.as_ref() != Some(told));
        l.hint.take_if(|hint| Some(&*hint) == told.as_ref());
        self.look_for_missed(told, waiters);
    }

    /// The name of a member under which it is to be joined: its id, if somebody else has its url.
    pub(super) fn name_of_member(
        &self,
        url: ByteString,
        host: Option<&ByteString>,
        waiter: &Waiter,
    ) -> ByteString {
        let Some(host) =
            host.filter(|host| **host != url && matches!(waiter, Waiter::Member { .. }))
        else {
            return url;
        };
        let taken = self.url.as_ref() == Some(&url) || self.network.other_at(&url, host).is_some();
        if taken && *host != self.id && !self.network.relays.known(host).is_empty() {
            return host.clone();
        }
        url
    }
}

impl Network {
    /// The link with another host of this version that has that url.
    fn other_at(&self, url: &str, host: &ByteString) -> Option<LinkId> {
        let other = self.hosts.holder(url)?;
        let there = self.hosts.get(other)?.host.as_ref()?;
        (there != host).then_some(other)
    }

    /// The host behind that link does not go by the url that it advertises.
    fn take_url(&mut self, link: LinkId, instead: Option<ByteString>) {
        if let Some(l) = self.hosts.get_mut(link) {
            (l.url, l.taken) = (instead, true);
        }
    }

    /// Whoever has said hello over that link leaves again.
    pub(super) fn forget_doubt(&mut self, link: LinkId) {
        self.doubts.retain(|d| d.link != link);
    }
}
