//! A direct link is better than a relayed one: who is relayed to a host with a url dials it now and then, and who begins to listen says so.

use bytestring::ByteString;

use super::joining::join_params;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::wire::v1;
use crate::words::{LinkId, Nearness};

impl Mesh {
    /// This host advertises that url from now on, or none any more.
    pub(in crate::mesh) fn set_url(&mut self, url: Option<ByteString>) {
        self.url = url;
        if self.url.is_none() || self.closing.is_some() || !self.network.relays.used() {
            return;
        }
        let greeted = |state| matches!(state, State::Greeting | State::Joined);
        let links = self.network.hosts.links();
        let links = links.filter(|(link, l)| is_relayed(*link) && greeted(l.state));
        let links: Vec<LinkId> = links.map(|(link, _)| link).collect();
        let note = v1::notification("join", &join_params(self.url.as_deref()));
        for link in links {
            self.transmit(link, note.clone());
        }
    }

    /// The host behind that relayed link has begun to listen at that url.
    pub(in crate::mesh) fn begins_to_listen(&mut self, link: LinkId, url: ByteString) {
        if !url.is_empty() {
            self.network.relays.offer(link, url);
            self.try_later(link);
            self.try_directly(link);
        }
    }

    /// A relayed link has been registered. If its host has a url, it is tried now and then: a direct link is better, and what relays
    /// have is relayed once only.
    pub(super) fn try_later(&mut self, link: LinkId) {
        if self.network.url_behind(link).is_some() {
            self.network.relays.try_directly(link, self.now);
        }
    }

    pub(in crate::mesh) fn try_all_due(&mut self) {
        for link in self.network.relays.due(self.now) {
            self.try_directly(link);
        }
    }

    /// A host to which we have a relayed link has a url: perhaps we can dial it.
    pub(super) fn try_directly(&mut self, link: LinkId) {
        let l = self.network.hosts.get(link);
        if let (Some(url), Some(host)) = (
            self.network.url_behind(link),
            l.and_then(|l| l.host.clone()),
        ) && self.may_try(link, &url)
        {
            self.try_in_turn(link, url, host);
        }
    }

    /// The program joins a host by that url: if we have a relayed link to it, perhaps it can be dialled there now.
    pub(super) fn try_at(&mut self, url: &ByteString) {
        let link = self.network.hosts.route(url).filter(|l| is_relayed(*l));
        let Some(host) = link.and_then(|link| self.network.hosts.get(link)?.host.clone()) else {
            return;
        };
        if *url != host && self.network.hosts.dialling(url).is_none() {
            self.dial_within(Nearness::Program, url.clone(), Some(host), Vec::new());
        }
    }

    /// Whether the host behind that relayed link may be dialled at that url.
    pub(super) fn may_try(&self, link: LinkId, url: &ByteString) -> bool {
        // Here that url may mean somebody else, whom we know by it.
        let other = self.network.hosts.route(url).filter(|other| *other != link);
        let means_another = other.is_some() || self.url.as_ref() == Some(url);
        let l = self.network.hosts.get(link);
        self.closing.is_none()
            && l.is_some_and(|l| l.state == State::Joined)
            && self.network.hosts.connecting(url, None).is_none()
            && !means_another
    }
}

impl Network {
    /// The url by which the host at the other end of a relayed link may be dialled: the one that it told last.
    fn url_behind(&self, link: LinkId) -> Option<ByteString> {
        let l = self.hosts.get(link)?;
        let offered = self.relays.get(link)?.offered.clone();
        let dialled = || l.dialled.clone().filter(|_| l.dialled != l.hint);
        offered.or_else(|| l.url.clone()).or_else(dialled)
    }
}
