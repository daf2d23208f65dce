//! Joining: a host that was dialled has answered, and is registered and announced to the others.

use std::time::Duration;

use bytestring::ByteString;

use crate::error::CallError;
use crate::event::Event;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{Expected, RoundEnd, Waiter};
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::wire::greeting::Welcome;
use crate::wire::member::Member;
use crate::words::{LinkId, Time};

/// How long to wait for the other host's own connection before we insist on ours.
pub(super) const EXPECTED_WITHIN: Duration = Duration::from_secs(1);

/// A host that has answered our greeting, and what that means.
struct Answered {
    dialled: ByteString,
    welcome: Welcome,
    /// It was said before something that has arrived earlier.
    stale: bool,
    /// The members that it tells of are all that it knows: we have asked for them.
    asked: bool,
    waiters: Vec<Waiter>,
}

impl Mesh {
    /// The greeting was answered.
    pub(in crate::mesh) fn greeted(&mut self, link: LinkId, welcome: Option<Welcome>) {
        let adopted = welcome.as_ref().map(|w| w.network.clone());
        let welcome = welcome.unwrap_or_default();
        let Some(dialled) = self.network.note_welcome(link, &welcome) else {
            return;
        };
        // A duplicate is nothing new: it tells of a connection that may have been on its way before.
        let stale = !welcome.duplicate && self.network.is_stale(link, welcome.number, self.now);
        if self.is_too_late(link, stale) {
            return self.not_joined(link, CallError::Lost { url: dialled });
        }
        if let Some(network) = adopted.filter(|network| self.network_id != *network) {
            self.network_id = network.clone();
            self.event(Event::NetworkId { id: network });
        }
        let Some(l) = self.network.hosts.get_mut(link) else {
            return;
        };
        let answered = Answered {
            dialled,
            stale,
            asked: l.asks && l.host.is_some(),
            waiters: std::mem::take(&mut l.waiters),
            welcome,
        };
        let host = l.host.clone();
        if let Some(before) = l.hint.clone().filter(|h| host.as_ref() != Some(h)) {
            // Another incarnation than before: that one will not come back.
            self.end_lost_session(&before);
        }
        self.check_url(link);
        if let (true, Some(url)) = (answered.welcome.taken, self.url.clone()) {
            self.tell_taken(url);
        }
        self.meet_answered(link, host, answered);
    }

    /// Looks who it is that has answered.
    fn meet_answered(&mut self, link: LinkId, host: Option<ByteString>, answered: Answered) {
        if host.as_ref() == Some(&self.id) {
            // That is ourselves, behind another name.
            self.look_for_told(link, &answered.waiters);
            self.leave_quietly(link);
            return self.joined(answered.waiters);
        }
        if is_relayed(link) && host != self.network.hosts.get(link).and_then(|l| l.hint.clone()) {
            self.leave_quietly(link);
            for waiter in answered.waiters {
                let url = answered.dialled.clone();
                self.fail(waiter, CallError::Lost { url });
            }
            return;
        }
        self.network.learn_ways(link, &answered.welcome.members);
        self.look_for_told(link, &answered.waiters);
        match host {
            Some(host) => self.choose_link(link, host, answered),
            None => self.settle(link, answered),
        }
    }

    /// A host has answered with which we may be connected already, or about to be.
    fn choose_link(&mut self, link: LinkId, host: ByteString, answered: Answered) {
        let duplicate = answered.welcome.duplicate;
        let other = self.network.hosts.route_to_host(&host);
        if let Some(other) =
            other.filter(|other| self.takes_over(link, *other, duplicate || answered.stale))
        {
            if !duplicate {
                self.displace(other, link);
            }
        } else if let Some(other) = other {
            // A host behind two urls, or one that joined us at the same moment: one connection will do.
            if let Some(key) = self.network.hosts.get(other).and_then(|l| l.key.clone()) {
                self.network.hosts.alias(answered.dialled, key);
            }
            if self.is_better(other, link) && !duplicate {
                self.supersede(link, other);
            } else {
                self.leave_quietly(link);
            }
            let Answered { asked, waiters, .. } = answered;
            return self.announce(other, answered.welcome.members, asked, waiters);
        }
        if duplicate {
            self.expect_theirs(link, host, answered);
        } else {
            self.settle(link, answered);
        }
    }

    /// The host that has answered will use its own connection to us, not this one.
    fn expect_theirs(&mut self, link: LinkId, host: ByteString, answered: Answered) {
        let by = self.network.teller(link);
        self.leave_quietly(link);
        let Welcome { members, again, .. } = answered.welcome;
        let wait = if again { Time::ZERO } else { EXPECTED_WITHIN };
        self.network.expected.push(Expected {
            host: host.clone(),
            url: answered.dialled.clone(),
            until: self.now + wait,
            waiters: answered.waiters,
        });
        if answered.asked {
            let (url, host) = (answered.dialled, Some(host));
            let round = self.open_round(1, RoundEnd::Joined(Vec::new()));
            let list = [&members[..], &[Member { url, host }]].concat();
            self.introduce(link, &list, round);
            self.round_answer(round, None);
        }
        for member in members {
            self.join_member(member, None, by.clone());
        }
    }

    /// The link is the one that is used from now on.
    fn settle(&mut self, link: LinkId, answered: Answered) {
        let Answered {
            dialled,
            welcome,
            asked,
            mut waiters,
            ..
        } = answered;
        waiters.extend(self.register(link, dialled));
        if let Some(host) = self.go_on(link) {
            self.session_ready(&host);
        }
        self.announce(link, welcome.members, asked, waiters);
    }

    /// Whether the link that we have dialled, and that was answered, takes the place of the registered one. If the other side has not
    /// called it a duplicate, it has registered it. So both sides have to choose the same one if they have dialled each other at the same moment:
    /// the one that the host with the smaller id dialled. A link that was there before our greeting is not there any more on the other side.
    /// `unused`: a duplicate, or nothing that the other side means any more.
    fn takes_over(&self, link: LinkId, other: LinkId, unused: bool) -> bool {
        let (Some(l), Some(o)) = (self.network.hosts.get(link), self.network.hosts.get(other))
        else {
            return false;
        };
        let crossed = o.registered > l.hello;
        let ours = Some(&self.id) < l.host.as_ref();
        self.is_better(link, other)
            || (!unused && !self.is_better(other, link) && (ours || !crossed))
    }

    /// Whether the answer to our greeting was in flight for so long that it is not meant any more: its host has said something newer
    /// since, over a connection that is gone as well, or another incarnation has been there.
    fn is_too_late(&self, link: LinkId, stale: bool) -> bool {
        let Some(l) = self.network.hosts.get(link) else {
            return true;
        };
        let host = l.host.as_ref();
        if host == Some(&self.id)
            || host.is_some_and(|h| self.network.hosts.route_to_host(h).is_some())
        {
            return false;
        }
        let other = l.since_hello.as_ref();
        stale || other.is_some_and(|other| host != Some(other))
    }

    /// Ends a link that is not needed and was not registered.
    pub(super) fn leave_quietly(&mut self, link: LinkId) {
        self.close_link(link);
        self.network.hosts.remove(link);
    }

    /// Registers the link and gives who expected that host.
    pub(in crate::mesh) fn register(&mut self, link: LinkId, key: ByteString) -> Vec<Waiter> {
        let host = self.network.hosts.get(link).and_then(|l| l.host.as_ref());
        let old = self.network.namesake(&key, host);
        if let Some(old) = old.filter(|old| *old != link) {
            self.displace(old, link);
        }
        self.network.hosts.register(link, key.clone());
        let Some(l) = self.network.hosts.get(link) else {
            return Vec::new();
        };
        let (listed, host) = (l.listed(), l.host.clone());
        let mut back = vec![key.clone()];
        back.extend(host.iter().flat_map(|h| self.network.hosts.lost_host(h)));
        for key in back {
            if let Some(lost) = self.network.hosts.found(&key) {
                self.event(Event::TimerStopped { key });
                if let Some(before) = lost.host.filter(|before| Some(before) != host.as_ref()) {
                    self.end_lost_session(&before);
                }
            }
        }
        // We may just be dialling the one that was there before.
        for before in self.network.hosts.hints(&key) {
            if host.as_ref() != Some(&before) {
                self.end_lost_session(&before);
            }
        }
        self.network.gossip.change(self.now);
        self.try_later(link);
        self.watch_link(link);
        if let Some(host) = host.as_ref().filter(|_| !is_relayed(link)) {
            self.network.relays.forget(host);
        }
        if let Some(host) = &host {
            self.network.hosts.overtake(&key, host);
        }
        self.event(Event::Connected {
            key: key.clone(),
            url: listed.clone(),
            host: host.clone(),
        });
        self.member_is_here(host.as_ref(), &key, listed);
        self.host_is_here(link);
        let came: Vec<Expected> = self
            .network
            .expected
            .extract_if(.., |e| Some(&e.host) == host.as_ref())
            .collect();
        for expected in &came {
            if let Some(key) = self.network.hosts.get(link).and_then(|l| l.key.clone()) {
                self.network.hosts.alias(expected.url.clone(), key);
            }
        }
        self.network.hearsay.end(link, true);
        let url = self.network.hosts.get(link).and_then(|l| l.url.clone());
        for name in [Some(&key), url.as_ref(), host.as_ref()]
            .into_iter()
            .flatten()
        {
            self.meet_told(name, host.as_ref());
        }
        came.into_iter().flat_map(|e| e.waiters).collect()
    }

    /// Takes a link out of service because the newer one of that host takes its place. A session can go on over that one, if it is
    /// the same incarnation.
    pub(super) fn displace(&mut self, link: LinkId, newer: LinkId) {
        self.tell_what_came(link);
        let host = self.network.hosts.get(newer).and_then(|l| l.host.clone());
        if let Some(ours) = self
            .session_of(link)
            .filter(|ours| Some(ours) == host.as_ref())
        {
            self.traffic.sessions.detach(&ours, link);
        }
        if let Some(key) = self.network.hosts.unregister(link, State::Leaving) {
            self.event(Event::Disconnected { key: key.clone() });
            if self.network.hosts.get(link).and_then(|l| l.host.clone()) != host {
                self.forget_host(&key, link);
                self.member_is_gone(link, &key);
                // It has not said goodbye, and may live on elsewhere: what it says until it comes back is missing here.
                if let Some(other) = self.session_of(link) {
                    self.break_session(&other);
                    self.network.forget_number(&other);
                }
            }
        }
        let same = host.is_some()
            && self.network.hosts.get(link).and_then(|l| l.host.as_ref()) == host.as_ref();
        if same && self.is_better(newer, link) {
            self.supersede(link, newer);
        } else {
            self.drop_link(link);
        }
    }
}

impl Network {
    /// The registered link that gives way to that host where it takes that name. Who was merely dialled by it once and is another host
    /// goes by another name: that one lives on.
    pub(super) fn namesake(&self, name: &str, host: Option<&ByteString>) -> Option<LinkId> {
        let link = self.hosts.route(name)?;
        let there = self.hosts.get(link)?.host.as_ref();
        if host.is_some() && there.is_some() && host != there {
            return self.hosts.holder(name);
        }
        Some(link)
    }

    /// Notes what the host that we have greeted says of itself. Gives the url that we have dialled.
    fn note_welcome(&mut self, link: LinkId, welcome: &Welcome) -> Option<ByteString> {
        let l = self.hosts.get_mut(link)?;
        let dialled = l.dialled.clone()?;
        l.met = true;
        l.listed_there(welcome.features, welcome.quiet);
        l.limits = welcome.limits;
        l.offer = welcome.session.clone();
        l.host = welcome.id.clone();
        l.url = welcome.url.clone();
        Some(dialled)
    }
}

pub(super) fn join_params(url: Option<&str>) -> String {
    let mut params = String::from("{");
    json::push_member(&mut params, "url", url.map(json::quote).as_deref());
    params.push('}');
    params
}
