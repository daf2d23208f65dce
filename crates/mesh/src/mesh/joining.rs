//! Joining: dialling a host, and announcing it to the others.

use bytestring::ByteString;

use super::session::{VERSIONS, read_offer};
use super::{Asked, Expected, Mesh, RoundEnd, Waiter};
use crate::error::CallError;
use crate::event::{Answer, Event, LinkId, Output, Raw};
use crate::hosts::State;
use crate::wire::json;
use crate::wire::v1;
use std::time::Duration;

/// How long to wait for the other host's own connection before we insist on ours.
const EXPECTED_WITHIN: Duration = Duration::from_secs(1);

/// The most urls that one host may make us dial at a time.
const MAX_URLS: usize = 1024;

impl Mesh {
    pub(super) fn join(&mut self, url: ByteString, waiter: Waiter) {
        if self.closing.is_some() {
            return self.fail(waiter, CallError::Closed);
        }
        if url.is_empty() || self.url.as_ref() == Some(&url) || self.hosts.route(&url).is_some() {
            return self.joined(vec![waiter]);
        }
        let dialling = self.hosts.dialling(&url);
        let waiters = match dialling.and_then(|link| self.hosts.get_mut(link)) {
            Some(link) => Some(&mut link.waiters),
            None => self
                .expected
                .iter_mut()
                .find(|e| e.url == url)
                .map(|e| &mut e.waiters),
        };
        if let Some(waiters) = waiters {
            // The program waits for the connection that is being made. Another host must not: two hosts that wait for each other's
            // joins would wait for ever.
            match waiter {
                Waiter::Request { .. } | Waiter::Hint => self.joined(vec![waiter]),
                waiter => waiters.push(waiter),
            }
            return;
        }
        let hint = match &waiter {
            Waiter::Redial { host, .. } => host.clone(),
            _ => self.hosts.lost_behind(&url),
        };
        let link = self.hosts.dial(url.clone(), hint, false, waiter);
        self.out.push(Output::Dial { link, url });
    }

    /// The dial succeeded: say hello.
    pub(super) fn greet(&mut self, link: LinkId) {
        let Some(l) = self.hosts.get_mut(link) else {
            return;
        };
        if l.state != State::Dialling {
            return;
        }
        l.state = State::Greeting;
        let (replace, hint) = (l.replace, l.hint.clone());
        let mut host = String::from("{");
        json::push_member(&mut host, "id", Some(&json::quote(&self.id)));
        json::push_member(&mut host, "replace", replace.then_some("true"));
        json::push_member(&mut host, "versions", Some(VERSIONS));
        json::push_member(&mut host, "features", Some("[]"));
        let session = self.offer(hint.as_ref());
        json::push_member(&mut host, "session", Some(&session));
        host.push('}');
        let mut params = String::from("{");
        json::push_member(
            &mut params,
            "url",
            self.url.as_deref().map(json::quote).as_deref(),
        );
        json::push_member(&mut params, "networkId", self.network.as_deref());
        json::push_member(&mut params, "host", Some(&host));
        params.push('}');
        self.ask(
            link,
            "greeting",
            Some(&params),
            Asked::Greeting,
            self.config.request_timeout,
        );
    }

    /// The greeting was answered.
    pub(super) fn greeted(&mut self, link: LinkId, message: Option<Raw>) {
        let Some(l) = self.hosts.get_mut(link) else {
            return;
        };
        let Some(dialled) = l.dialled.clone() else {
            return;
        };
        let mut waiters = std::mem::take(&mut l.waiters);
        let mut duplicate = false;
        if let Some([network, host]) = message
            .as_ref()
            .and_then(|m| json::members(m, ["networkId", "host"]))
        {
            if let Some([id, url, dup, session]) = host
                .as_ref()
                .and_then(|h| json::members(h, ["id", "url", "duplicate", "session"]))
            {
                l.offer = session.as_ref().and_then(read_offer);
                l.host = id.as_ref().and_then(json::string);
                l.url = url.as_ref().and_then(json::string);
                duplicate = dup.as_ref().is_some_and(json::truthy);
            }
            if self.network != network {
                self.network = network.clone();
                self.event(Event::NetworkId { id: network });
            }
        }
        let l = self.hosts.get(link);
        let host = l.and_then(|l| l.host.clone());
        if let Some(before) = l.and_then(|l| l.hint.clone())
            && host.as_ref() != Some(&before)
        {
            // Another incarnation than before: that one will not come back.
            self.end_lost_session(&before);
        }
        if host.as_ref() == Some(&self.id) {
            // That is ourselves, behind another name.
            self.leave_quietly(link);
            return self.joined(waiters);
        }
        if let Some(host) = host {
            if let Some(other) = self.hosts.route_to_host(&host) {
                // A host behind two urls, or one that joined us at the same moment: one connection will do.
                if let Some(key) = self.hosts.get(other).and_then(|l| l.key.clone()) {
                    self.hosts.alias(dialled, key);
                }
                self.leave_quietly(link);
                return self.announce(other, waiters);
            }
            if duplicate {
                self.leave_quietly(link);
                let until = self.now + EXPECTED_WITHIN;
                self.expected.push(Expected {
                    host,
                    url: dialled,
                    until,
                    waiters,
                });
                return;
            }
        }
        waiters.extend(self.register(link, dialled));
        if let Some(host) = self.go_on(link) {
            self.session_ready(&host);
        }
        self.announce(link, waiters);
    }

    /// Ends a link that is not needed and was not registered.
    pub(super) fn leave_quietly(&mut self, link: LinkId) {
        self.close_link(link);
        self.hosts.remove(link);
    }

    /// Registers the link and gives who expected that host.
    pub(super) fn register(&mut self, link: LinkId, key: ByteString) -> Vec<Waiter> {
        if let Some(old) = self.hosts.route(&key).filter(|old| *old != link) {
            self.displace(old, link);
        }
        self.hosts.register(link, key.clone());
        let Some(l) = self.hosts.get(link) else {
            return Vec::new();
        };
        let (url, host) = (l.url.clone(), l.host.clone());
        let mut back = vec![key.clone()];
        back.extend(host.iter().flat_map(|h| self.hosts.lost_host(h)));
        for key in back {
            if let Some(lost) = self.hosts.found(&key) {
                self.event(Event::TimerStopped { key });
                if let Some(before) = lost.host.filter(|before| Some(before) != host.as_ref()) {
                    self.end_lost_session(&before);
                }
            }
        }
        // We may just be dialling the one that was there before.
        for before in self.hosts.hints(&key) {
            if host.as_ref() != Some(&before) {
                self.end_lost_session(&before);
            }
        }
        let listed = url.or_else(|| key.starts_with("ws").then(|| key.clone()));
        self.event(Event::Connected { key, url: listed });
        let came: Vec<Expected> = self
            .expected
            .extract_if(.., |e| Some(&e.host) == host.as_ref())
            .collect();
        for expected in &came {
            if let Some(key) = self.hosts.get(link).and_then(|l| l.key.clone()) {
                self.hosts.alias(expected.url.clone(), key);
            }
        }
        came.into_iter().flat_map(|e| e.waiters).collect()
    }

    /// Takes a link out of service because the newer one of that host takes its place. A session can go on over that one, if it is
    /// the same incarnation.
    pub(super) fn displace(&mut self, link: LinkId, newer: LinkId) {
        let host = self.hosts.get(newer).and_then(|l| l.host.clone());
        if let Some(ours) = self
            .session_of(link)
            .filter(|ours| Some(ours) == host.as_ref())
            && let Some(session) = self.sessions.get_mut(&ours)
        {
            session.detach(link);
        }
        if let Some(key) = self.hosts.unregister(link, State::Leaving) {
            self.event(Event::Disconnected { key });
        }
        self.drop_link(link);
    }

    /// Tells all others to join the host that we joined; then the join is done. A reconnect is not announced.
    fn announce(&mut self, link: LinkId, waiters: Vec<Waiter>) {
        if waiters.iter().all(|w| matches!(w, Waiter::Redial { .. })) {
            return;
        }
        let url = self
            .hosts
            .get(link)
            .and_then(|l| l.url.clone().or_else(|| l.dialled.clone()));
        let others = if url.is_some() {
            self.joined_links(Some(link))
        } else {
            Vec::new()
        };
        // The others have refused to join us if we had no network id before this join, so we look for them ourselves.
        let complete = waiters.iter().any(|w| matches!(w, Waiter::Call(_)));
        let end = RoundEnd::Joined(waiters);
        if others.is_empty() && !complete {
            return self.end_round(end);
        }
        let round = self.open_round(others.len() + usize::from(complete), end);
        let within = self.config.request_timeout;
        let params = join_params(url.as_deref());
        for other in others {
            self.ask(other, "join", Some(&params), Asked::Join { round }, within);
        }
        if complete {
            self.ask(link, "hosts", None, Asked::Hosts { round }, within);
        }
    }

    /// The host that we joined has told which hosts it knows: join those that we do not know yet.
    pub(super) fn hosts_answer(&mut self, round: u64, message: Option<Raw>) {
        for url in urls(message.as_ref()) {
            if let Some(joining) = self.rounds.get_mut(&round) {
                joining.left += 1;
                self.join(url, Waiter::Round { round });
            }
        }
        self.round_answer(round, None);
    }

    pub(super) fn joined(&mut self, waiters: Vec<Waiter>) {
        for waiter in waiters {
            match waiter {
                Waiter::Call(call) => self.done(call, Ok(Answer::Done)),
                Waiter::Request { link, id } => self.owe(link, Some(id), super::Due::Message(None)),
                Waiter::Round { round } => self.round_answer(round, None),
                Waiter::Hint | Waiter::Redial { .. } => {}
            }
        }
    }

    /// A link that we dialled did not come to a good end.
    pub(super) fn not_joined(&mut self, link: LinkId, error: CallError) {
        let Some(l) = self.hosts.remove(link) else {
            return;
        };
        self.out.push(Output::Close { link });
        if let Some(spare) = l.dialled.as_ref().and_then(|url| self.hosts.spare(url)) {
            if self.closing.is_none()
                && let Some(host) = self.hosts.get(spare).and_then(|l| l.host.clone())
            {
                // It was told to wait for our connection, and dials again when that does not come.
                let (url, waiters) = (l.dialled.unwrap_or_default(), l.waiters);
                let until = self.now + 2 * EXPECTED_WITHIN;
                self.expected.push(Expected {
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
            return self.announce(spare, waiters);
        }
        if matches!(error, CallError::Lost { .. } | CallError::Timeout)
            && let (Some(url), Some(host)) = (l.dialled, l.hint)
        {
            self.take_over(url, &host);
        }
        for waiter in l.waiters {
            self.fail(waiter, error.clone());
        }
    }

    pub(super) fn fail(&mut self, waiter: Waiter, error: CallError) {
        match waiter {
            Waiter::Call(call) => self.done(call, Err(error)),
            Waiter::Request { link, id } => {
                self.transmit(link, v1::failure(&id, &json::quote(&error.to_string())));
            }
            Waiter::Round { round } => self.round_answer(round, None),
            Waiter::Hint => {}
            Waiter::Redial {
                key,
                host,
                since,
                delay,
            } => self.redial_later(key, host, since, delay),
        }
    }

    /// The host that was to connect to us did not: dial again and ask it to take this connection instead of the one that it
    /// still believes in.
    pub(super) fn insist(&mut self, expected: Expected) {
        let mut waiters = expected.waiters.into_iter();
        let Some(first) = waiters.next() else { return };
        let (url, host) = (expected.url.clone(), expected.host);
        let link = self.hosts.dial(url, Some(host), true, first);
        if let Some(l) = self.hosts.get_mut(link) {
            l.waiters.extend(waiters);
        }
        self.out.push(Output::Dial {
            link,
            url: expected.url,
        });
    }
}

/// The urls in a JSON array, as far as it is one.
pub(super) fn urls(array: Option<&Raw>) -> Vec<ByteString> {
    let urls: Vec<String> = array
        .and_then(|array| serde_json::from_str(array).ok())
        .unwrap_or_default();
    urls.into_iter()
        .take(MAX_URLS)
        .map(ByteString::from)
        .collect()
}

pub(super) fn join_params(url: Option<&str>) -> String {
    let mut params = String::from("{");
    json::push_member(&mut params, "url", url.map(json::quote).as_deref());
    params.push('}');
    params
}
