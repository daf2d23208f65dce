//! Dialling a host and saying hello, and what if that comes to no good end.

use std::time::Duration;

use bytestring::ByteString;

use super::joining::EXPECTED_WITHIN;
use super::members::MEMBERS_WITHIN;
use crate::error::CallError;
use crate::event::Output;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{self, Expected, Seeking, Waiter};
use crate::mesh::pending::Asked;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::wire::greeting::Hello;
use crate::words::{CloseReason, LinkId, Nearness};

/// A relayed greeting is not waited for longer than this: the host between may not have noticed that the other one is gone.
const RELAYED_WITHIN: Duration = Duration::from_secs(10);

impl Mesh {
    pub(in crate::mesh) fn join(&mut self, url: ByteString, waiter: Waiter) {
        self.join_host(url, None, waiter);
    }

    /// Joins a host of which we know the url, and perhaps who is there.
    pub(super) fn join_host(&mut self, url: ByteString, host: Option<ByteString>, waiter: Waiter) {
        let Some((url, waiter)) = self.unmet(url, host.as_ref(), waiter) else {
            return;
        };
        if waiter.by().is_some() {
            return self.join_in_turn(url, host, waiter);
        }
        let mut waiters = vec![waiter];
        waiters.extend(
            self.network
                .hearsay
                .take(&url)
                .into_iter()
                .flat_map(|e| e.waiters),
        );
        self.dial_for(url, host, waiters);
    }

    /// Gives who waits for a host, and under which name it is to be dialled; unless it is connected, or about to be.
    pub(super) fn unmet(
        &mut self,
        url: ByteString,
        host: Option<&ByteString>,
        waiter: Waiter,
    ) -> Option<(ByteString, Waiter)> {
        if self.closing.is_some() {
            self.fail(waiter, CallError::Closed);
            return None;
        }
        let url = self.name_of_member(url, host, &waiter);
        let ourselves = host == Some(&self.id) || self.url.as_ref() == Some(&url);
        let connected = |h: &ByteString| self.network.hosts.route_to_host(h).is_some();
        let known = host.is_some_and(connected) || self.network.occupant(&url, host).is_some();
        if url.is_empty() || ourselves || known {
            if !ourselves && matches!(waiter, Waiter::Call(_)) {
                self.try_at(&url);
            }
            self.joined(vec![waiter]);
            return None;
        }
        let dialling = self.network.hosts.connecting(&url, host.map(|h| &**h));
        if let (Some(link), Waiter::Redial(Seeking { key, host, .. })) = (dialling, &waiter) {
            self.network.expect_instead(link, key, host.as_ref());
        }
        if let Some(link) = dialling {
            self.network.note_told(link, &url, host);
        }
        let waiters = match dialling.and_then(|link| self.network.hosts.get_mut(link)) {
            Some(link) => Some(&mut link.waiters),
            None => self
                .network
                .expected
                .iter_mut()
                .find(|e| e.url == url)
                .map(|e| &mut e.waiters),
        };
        let Some(waiters) = waiters else {
            return Some((url, waiter));
        };
        // The program waits for the connection that is being made. Another host must not: two hosts that wait for each other's
        // joins would wait for ever.
        match waiter {
            Waiter::Request { .. } | Waiter::Hint { .. } => self.joined(vec![waiter]),
            waiter => waiters.push(waiter),
        }
        None
    }

    /// Dials a host for those who wait for it.
    pub(super) fn dial_for(
        &mut self,
        url: ByteString,
        host: Option<ByteString>,
        waiters: Vec<Waiter>,
    ) -> LinkId {
        // Who told us of somebody else there may be behind the times. If not, the answer to our greeting says so.
        let redial = waiters.iter().find_map(|w| match w {
            Waiter::Redial(Seeking { host, .. }) => Some(host.clone()),
            _ => None,
        });
        let hint = redial.unwrap_or_else(|| self.network.hosts.lost_behind(&url).or(host.clone()));
        let link = self.dial(url.clone(), hint, waiters);
        self.network.note_told(link, &url, host.as_ref());
        link
    }

    pub(super) fn dial(
        &mut self,
        url: ByteString,
        hint: Option<ByteString>,
        waiters: Vec<Waiter>,
    ) -> LinkId {
        let reach = waiters::reach(&waiters);
        self.dial_within(reach, url, hint, waiters)
    }

    /// The same, to no nearer address than that.
    pub(super) fn dial_within(
        &mut self,
        reach: Nearness,
        url: ByteString,
        hint: Option<ByteString>,
        waiters: Vec<Waiter>,
    ) -> LinkId {
        let link = match hint {
            // It has no url: its id stands for it.
            Some(host) if host == url => self.dial_relayed(reach, url, host, waiters),
            hint => {
                let link = self.network.hosts.next_link();
                let hosts = &mut self.network.hosts;
                hosts.dial(link, url.clone(), hint, waiters, reach);
                self.begin_dial(link, url, reach);
                link
            }
        };
        if let Some(l) = self.network.hosts.get_mut(link) {
            l.mark = self.network.gossip.mark();
        }
        link
    }

    /// The dial succeeded: say hello.
    pub(in crate::mesh) fn greet(&mut self, link: LinkId) {
        let Some(l) = self.network.hosts.get_mut(link) else {
            return;
        };
        if l.state != State::Dialling {
            return;
        }
        if self.closing.is_some() {
            return self.take_leave(link);
        }
        let (hint, url, told) = (l.hint.clone(), l.dialled.clone(), l.told.clone());
        let occupant = |url| self.network.occupant(url, told.as_ref());
        let other = hint
            .as_ref()
            .and_then(|h| self.network.hosts.route_to_host(h));
        // Perhaps it is not who we expected there.
        let other = other.or_else(|| occupant(url.as_ref()?));
        if let Some(other) = other.filter(|other| !self.is_better(link, *other)) {
            // It has dialled us meanwhile.
            let waiters = self.network.hosts.take_waiters(link);
            self.look_for_told(link, &waiters);
            self.leave_quietly(link);
            return self.announce(other, Vec::new(), false, waiters);
        }
        let number = self.network.hosts.number();
        let ours = self.features();
        let Some(l) = self.network.hosts.get_mut(link) else {
            return;
        };
        l.state = State::Greeting;
        l.hello = number;
        l.lists(ours);
        // Who joins the network by this host wants to know all others. Who was told of this host has been told of the others, too.
        l.asks = l.waiters.iter().any(|w| matches!(w, Waiter::Call(_)));
        let waits = |w: &Waiter| matches!(w, Waiter::Call(_) | Waiter::Request { .. });
        let waited_for = l.waiters.iter().any(waits);
        // Since we dialled, somebody else may have come there, and been lost or be relayed.
        let lost = url
            .as_ref()
            .filter(|_| !is_relayed(link))
            .and_then(|url| self.network.hosts.lost_behind(url));
        let hint = lost
            .or(hint)
            .filter(|h| self.traffic.sessions.get(h).is_some());
        let there = |url| {
            let link = self.network.occupant(url, told.as_ref())?;
            self.network.hosts.get(link)?.host.clone()
        };
        let hint = hint.or_else(|| there(url.as_ref()?));
        let hello = self.hello(link, hint.as_ref()).written();
        let most = if is_relayed(link) {
            RELAYED_WITHIN
        } else if waited_for {
            Duration::MAX
        } else {
            MEMBERS_WITHIN // Nobody would be told of a frozen host before, and it is tried again.
        };
        let within = self.config.request_timeout.min(most);
        self.ask(link, "greeting", Some(&hello), Asked::Greeting, within);
    }

    /// What we say of ourselves to a host that we have dialled, where we expect that one.
    fn hello(&mut self, link: LinkId, expected: Option<&ByteString>) -> Hello {
        let (features, quiet) = self.list_features(link);
        let session = self.offer(link, expected);
        let l = self.network.hosts.get(link);
        Hello {
            url: self.url.clone(),
            network: self.network_id.clone(),
            id: Some(self.id.clone()),
            number: l.map(|l| l.hello),
            replace: l.is_some_and(|l| l.replace),
            asks: l.is_some_and(|l| l.asks),
            features,
            quiet,
            limits: self.limits(),
            relayed: (!is_relayed(link)).then(|| self.network.relayed_digest().into()),
            session: Some(session),
        }
    }

    /// A link that we dialled did not come to a good end.
    pub(in crate::mesh) fn not_joined(&mut self, link: LinkId, error: CallError) {
        let Some(l) = self.network.hosts.remove(link) else {
            return;
        };
        let reason = CloseReason::Done;
        self.out.push(Output::Close { link, reason });
        if let Some(other) = l
            .dialled
            .as_ref()
            .and_then(|url| self.network.occupant(url, l.told.as_ref()))
        {
            // It has connected to us meanwhile, or another incarnation.
            self.look_for_missed(l.told, &l.waiters);
            return self.announce(other, Vec::new(), false, l.waiters);
        }
        let spare = l
            .dialled
            .as_ref()
            .and_then(|url| self.network.hosts.spare(url));
        if let Some(spare) = spare.filter(|_| self.closing.is_none()) {
            if let Some(host) = self.network.hosts.get(spare).and_then(|l| l.host.clone()) {
                // It was told to wait for our connection, and dials again when that does not come.
                let (url, waiters) = (l.dialled.unwrap_or_default(), l.waiters);
                let until = self.now + 2 * EXPECTED_WITHIN;
                self.network.expected.push(Expected {
                    host,
                    url,
                    until,
                    waiters,
                });
                return;
            }
            // Its host has dialled us meanwhile: that connection serves as well.
            let key = l.dialled.unwrap_or_default();
            let mut waiters = l.waiters;
            waiters.extend(self.register(spare, key));
            return self.announce(spare, Vec::new(), false, waiters);
        }
        let Some(l) = self.detour(link, l, &error) else {
            return;
        };
        let error = self.network.cause(link, error);
        self.retry_member(&l, &error);
        if matches!(error, CallError::Lost { .. } | CallError::Timeout)
            && let (Some(url), Some(host)) = (&l.dialled, &l.hint)
        {
            self.take_over(url.clone(), host, l.told_from);
        }
        for waiter in l.waiters {
            self.fail(waiter, error.clone());
        }
    }

    /// Insists on connections that others were to make and have not made.
    pub(in crate::mesh) fn insist_on_overdue(&mut self) {
        let now = self.now;
        let overdue = self.network.expected.extract_if(.., |e| e.until <= now);
        for expected in overdue.collect::<Vec<Expected>>() {
            match self.waits_for_room(&expected) {
                true => self.insist_later(expected),
                false => self.insist(expected),
            }
        }
    }

    /// The host that was to connect to us did not: dial again and ask it to take this connection instead of the one that it
    /// still believes in.
    fn insist(&mut self, expected: Expected) {
        let Some(first) = expected.waiters.first() else {
            return;
        };
        let by = first.by().cloned();
        let link = self.dial(expected.url, Some(expected.host), expected.waiters);
        if let Some(by) = by {
            let line = self.network.line_of(&by);
            self.network.hearsay.begin(link, line, self.now);
        }
        if let Some(l) = self.network.hosts.get_mut(link) {
            l.told = l.hint.clone();
            l.replace = true;
        }
    }
}

impl Network {
    /// The link with whoever is known to be at that url. Where others tell of somebody there, whoever else was once dialled there may have
    /// gone elsewhere.
    fn occupant(&self, url: &str, told: Option<&ByteString>) -> Option<LinkId> {
        match told {
            Some(_) => self.hosts.holder(url),
            None => self.hosts.route(url),
        }
    }

    /// We were told of that host where we are just connecting.
    pub(super) fn note_told(&mut self, link: LinkId, url: &ByteString, host: Option<&ByteString>) {
        if let Some(l) = self.hosts.get_mut(link)
            && host.is_some()
            && l.dialled.as_ref() == Some(url)
        {
            l.told = host.cloned();
        }
    }

    /// Whoever was looked for there before has come back since we began to dial, or another one came in its place; and was lost again.
    fn expect_instead(&mut self, link: LinkId, key: &ByteString, host: Option<&ByteString>) {
        if let Some(l) = self.hosts.get_mut(link) {
            l.waiters
                .retain(|w| !matches!(w, Waiter::Redial(Seeking { key: k, .. }) if k == key));
            if l.state == State::Dialling && !is_relayed(link) {
                l.hint = host.cloned();
            }
        }
    }
}
