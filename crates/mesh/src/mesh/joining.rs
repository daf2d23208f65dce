//! Joining: dialling a host, and announcing it to the others.

use bytestring::ByteString;

use super::interest::read_features;
use super::members::{MEMBERS_WITHIN, read_members};
use super::session::{VERSIONS, read_offer};
use super::{Asked, Expected, Mesh, RoundEnd, Waiter};
use crate::error::CallError;
use crate::event::{Answer, Event, LinkId, Output, Raw};
use crate::hosts::{Link, State};
use crate::limits::Limits;
use crate::members::Member;
use crate::relays::is_relayed;
use crate::wire::json;
use crate::wire::v1;
use std::time::Duration;

/// How long to wait for the other host's own connection before we insist on ours.
const EXPECTED_WITHIN: Duration = Duration::from_secs(1);

/// A relayed greeting is not waited for longer than this: the host between may not have noticed that the other one is gone.
const RELAYED_WITHIN: Duration = Duration::from_secs(10);

/// The most urls that one host may make us dial at a time.
const MAX_URLS: usize = 1024;

impl Mesh {
    pub(super) fn join(&mut self, url: ByteString, waiter: Waiter) {
        self.join_host(url, None, waiter);
    }

    /// Joins a host of which we know the url, and perhaps who is there.
    pub(super) fn join_host(&mut self, url: ByteString, host: Option<ByteString>, waiter: Waiter) {
        if self.closing.is_some() {
            return self.fail(waiter, CallError::Closed);
        }
        let ourselves = host.as_ref() == Some(&self.id) || self.url.as_ref() == Some(&url);
        let connected = |h: &ByteString| self.hosts.route_to_host(h).is_some();
        let known = host.as_ref().is_some_and(connected) || self.hosts.route(&url).is_some();
        if url.is_empty() || ourselves || known {
            return self.joined(vec![waiter]);
        }
        let dialling = self.hosts.connecting(&url, host.as_deref());
        if let (Some(link), Waiter::Redial { key, host, .. }) = (dialling, &waiter) {
            self.expect_instead(link, key, host.as_ref());
        }
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
        // Who told us of somebody else there may be behind the times. If not, the answer to our greeting says so.
        let hint = match &waiter {
            Waiter::Redial { host, .. } => host.clone(),
            _ => self.hosts.lost_behind(&url).or(host),
        };
        self.dial(url, hint, waiter);
    }

    /// Whoever was looked for there before has come back since we began to dial, or another one came in its place; and was lost again.
    fn expect_instead(&mut self, link: LinkId, key: &ByteString, host: Option<&ByteString>) {
        if let Some(l) = self.hosts.get_mut(link) {
            l.waiters
                .retain(|w| !matches!(w, Waiter::Redial { key: k, .. } if k == key));
            if l.state == State::Dialling && !is_relayed(link) {
                l.hint = host.cloned();
            }
        }
    }

    pub(super) fn dial(
        &mut self,
        url: ByteString,
        hint: Option<ByteString>,
        waiter: Waiter,
    ) -> LinkId {
        let link = match hint {
            // It has no url: its id stands for it.
            Some(host) if host == url => self.dial_relayed(url, host, waiter),
            hint => {
                let link = self.hosts.next_link();
                self.hosts.dial(link, url.clone(), hint, waiter);
                self.out.push(Output::Dial { link, url });
                link
            }
        };
        if let Some(l) = self.hosts.get_mut(link) {
            l.mark = self.members.mark();
        }
        link
    }

    /// The dial succeeded: say hello.
    pub(super) fn greet(&mut self, link: LinkId) {
        let Some(l) = self.hosts.get_mut(link) else {
            return;
        };
        if l.state != State::Dialling {
            return;
        }
        let (hint, url) = (l.hint.clone(), l.dialled.clone());
        let other = hint.as_ref().and_then(|h| self.hosts.route_to_host(h));
        // Perhaps it is not who we expected there.
        let other = other.or_else(|| self.hosts.route(url.as_ref()?));
        if let Some(other) = other.filter(|other| !self.is_better(link, *other)) {
            // It has dialled us meanwhile.
            let l = self.hosts.get_mut(link);
            let waiters = l
                .map(|l| std::mem::take(&mut l.waiters))
                .unwrap_or_default();
            self.leave_quietly(link);
            return self.announce(other, Vec::new(), false, waiters);
        }
        let Some(l) = self.hosts.get_mut(link) else {
            return;
        };
        l.state = State::Greeting;
        l.interest.lists = self.config.interests;
        l.directory.ours = self.config.directory;
        l.relay.ours = true;
        // Who joins the network by this host wants to know all others. Who was told of this host has been told of the others, too.
        l.asks = l.waiters.iter().any(|w| matches!(w, Waiter::Call(_)));
        let waits = |w: &Waiter| matches!(w, Waiter::Call(_) | Waiter::Request { .. });
        let waited_for = l.waiters.iter().any(waits);
        let (replace, asks) = (l.replace, l.asks);
        let mut host = String::from("{");
        json::push_member(&mut host, "id", Some(&json::quote(&self.id)));
        let number = self.hosts.number().to_string();
        json::push_member(&mut host, "number", Some(&number));
        json::push_member(&mut host, "replace", replace.then_some("true"));
        json::push_member(&mut host, "members", asks.then_some("true"));
        json::push_member(&mut host, "versions", Some(VERSIONS));
        self.push_features(link, &mut host);
        if !is_relayed(link) {
            let known = json::quote(&self.relayed_digest());
            json::push_member(&mut host, "relayed", Some(&known));
        }
        // Since we dialled, somebody else may have come there, and been lost or be relayed.
        let lost = url.as_ref().and_then(|url| self.hosts.lost_behind(url));
        let hint = lost.or(hint).filter(|h| self.sessions.get(h).is_some());
        let there = |url| self.hosts.get(self.hosts.route(url)?)?.host.clone();
        let hint = hint.or_else(|| there(url.as_ref()?));
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
        let most = if is_relayed(link) {
            RELAYED_WITHIN
        } else if waited_for {
            Duration::MAX
        } else {
            MEMBERS_WITHIN // Nobody would be told of a frozen host before, and it is tried again.
        };
        let within = self.config.request_timeout.min(most);
        self.ask(link, "greeting", Some(&params), Asked::Greeting, within);
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
        let asked = l.asks;
        let mut duplicate = false;
        let mut members = Vec::new();
        let mut number = None;
        if let Some([network, host]) = message
            .as_ref()
            .and_then(|m| json::members(m, ["networkId", "host"]))
        {
            let names = [
                "id",
                "url",
                "duplicate",
                "session",
                "members",
                "features",
                "quiet",
                "number",
            ];
            if let Some([id, url, dup, session, list, features, quiet, said]) =
                host.as_ref().and_then(|h| json::members(h, names))
            {
                members = read_members(list.as_ref());
                number = said;
                (l.interest.theirs, l.directory.theirs, l.relay.theirs) =
                    read_features(features.as_ref());
                l.interest.quiet = quiet.as_ref().is_some_and(json::truthy);
                l.limits = Limits::read(host.as_ref());
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
        let asked = asked && host.is_some();
        if host.as_ref() == Some(&self.id) {
            // That is ourselves, behind another name.
            self.leave_quietly(link);
            return self.joined(waiters);
        }
        if is_relayed(link) && host != self.hosts.get(link).and_then(|l| l.hint.clone()) {
            self.leave_quietly(link);
            for waiter in waiters {
                let url = dialled.clone();
                self.fail(waiter, CallError::Lost { url });
            }
            return;
        }
        self.learn_ways(link, &members);
        self.is_stale(link, number.as_ref());
        if let Some(host) = host {
            let other = self.hosts.route_to_host(&host);
            if let Some(other) = other.filter(|other| self.is_better(link, *other)) {
                if !duplicate {
                    self.displace(other, link);
                }
            } else if let Some(other) = other {
                // A host behind two urls, or one that joined us at the same moment: one connection will do.
                if let Some(key) = self.hosts.get(other).and_then(|l| l.key.clone()) {
                    self.hosts.alias(dialled, key);
                }
                if self.is_better(other, link) && !duplicate {
                    self.drain(link, other);
                } else {
                    self.leave_quietly(link);
                }
                return self.announce(other, members, asked, waiters);
            }
            if duplicate {
                self.leave_quietly(link);
                let until = self.now + EXPECTED_WITHIN;
                self.expected.push(Expected {
                    host: host.clone(),
                    url: dialled.clone(),
                    until,
                    waiters,
                });
                if asked {
                    let (url, host) = (dialled, Some(host));
                    let round = self.open_round(1, RoundEnd::Joined(Vec::new()));
                    self.introduce(
                        link,
                        &[&members[..], &[Member { url, host }]].concat(),
                        round,
                    );
                    self.round_answer(round, None);
                }
                for member in members {
                    self.join_member(member, None);
                }
                return;
            }
        }
        waiters.extend(self.register(link, dialled));
        if let Some(host) = self.go_on(link) {
            self.session_ready(&host);
        }
        self.announce(link, members, asked, waiters);
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
                self.stats.reconnects += 1;
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
        self.members.change(self.now);
        self.try_later(link);
        self.watch_link(link);
        if let Some(host) = host.as_ref().filter(|_| !is_relayed(link)) {
            self.relays.forget(host);
        }
        self.event(Event::Connected {
            key: key.clone(),
            url: listed.clone(),
            host: host.clone(),
        });
        self.member_is_here(host.as_ref(), &key, listed);
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
            self.event(Event::Disconnected { key: key.clone() });
            if self.hosts.get(link).and_then(|l| l.host.clone()) != host {
                self.member_is_gone(link, &key);
            }
        }
        let same =
            host.is_some() && self.hosts.get(link).and_then(|l| l.host.as_ref()) == host.as_ref();
        if same && self.is_better(newer, link) {
            self.drain(link, newer);
        } else {
            self.drop_link(link);
        }
    }

    /// We are connected with a host that we dialled: join the members that it told us of, and tell the others of it as far as they
    /// do not know. Then the join is done. `asked`: these are all members that it knows.
    fn announce(&mut self, link: LinkId, members: Vec<Member>, asked: bool, waiters: Vec<Waiter>) {
        let Some(l) = self.hosts.get(link) else {
            return self.joined(waiters);
        };
        let (host, mark) = (l.host.clone(), l.mark);
        let url = l.url.clone().or_else(|| l.dialled.clone());
        let call = waiters.iter().any(|w| matches!(w, Waiter::Call(_)));
        let round = self.open_round(1, RoundEnd::Joined(waiters));
        let mut list = members;
        if host.is_some() {
            self.limit_round(round);
        }
        if host.is_some() && !asked {
            let told = |m: &Member| m.host == host || list.iter().any(|l| l.host == m.host);
            let news = self.members.learnt_since(mark).filter(|m| !told(m));
            let news: Vec<Member> = news.cloned().collect();
            if !news.is_empty() {
                self.tell_members(link, &news, round);
            }
        } else if let (true, Some(url)) = (call || asked, url) {
            list.push(Member { url, host });
            self.introduce(link, &list, round);
            list.pop();
        }
        for member in list {
            self.join_member(member, Some(round));
        }
        if call && !asked {
            if let Some(round) = self.rounds.get_mut(&round) {
                round.left += 1;
            }
            let within = self.config.request_timeout;
            self.ask(link, "hosts", None, Asked::Hosts { link, round }, within);
        }
        self.round_answer(round, None);
    }

    /// The host that we joined has told which hosts it knows: join those that we do not know yet, and have the others join them.
    pub(super) fn hosts_answer(&mut self, link: LinkId, round: u64, message: Option<Raw>) {
        let member = |url| Member { url, host: None };
        let list: Vec<Member> = urls(message.as_ref()).into_iter().map(member).collect();
        if self.rounds.contains_key(&round) {
            self.introduce(link, &list, round);
            for member in list {
                self.join_member(member, Some(round));
            }
        }
        self.round_answer(round, None);
    }

    /// What was waited for has come, by the other side's doing. The members that we are just joining are waited for as well.
    pub(super) fn joined_with_members(&mut self, waiters: Vec<Waiter>) {
        let member = |w: &Waiter| matches!(w, Waiter::Member { .. });
        let joining = |l: &Link<Waiter>| l.is_connecting() && l.waiters.iter().any(member);
        if waiters.is_empty() {
            return;
        }
        let links = self.hosts.links().filter(|(_, l)| joining(l));
        let links: Vec<LinkId> = links.map(|(link, _)| link).collect();
        let round = self.open_round(links.len() + 1, RoundEnd::Joined(waiters));
        self.limit_round(round);
        for link in links {
            if let Some(l) = self.hosts.get_mut(link) {
                l.waiters.push(Waiter::Member { round: Some(round) });
            }
        }
        self.round_answer(round, None);
    }

    pub(super) fn joined(&mut self, waiters: Vec<Waiter>) {
        for waiter in waiters {
            match waiter {
                Waiter::Call(call) => self.done(call, Ok(Answer::Done)),
                Waiter::Request { link, id } => self.owe(link, Some(id), super::Due::Message(None)),
                Waiter::Member { round: Some(round) } => self.round_answer(round, None),
                Waiter::Redial { key, host, .. } => {
                    self.member_was_looked_for(host.as_ref(), &key);
                }
                Waiter::Member { round: None } | Waiter::Hint => {}
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
            return self.announce(spare, Vec::new(), false, waiters);
        }
        let Some(l) = self.detour(link, l, &error) else {
            return;
        };
        let error = self.cause(link, error);
        self.retry_member(&l, &error);
        if matches!(error, CallError::Lost { .. } | CallError::Timeout)
            && let (Some(url), Some(host)) = (&l.dialled, &l.hint)
        {
            self.take_over(url.clone(), host);
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
            Waiter::Member { round: Some(round) } => self.round_answer(round, None),
            Waiter::Member { round: None } | Waiter::Hint => {}
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
        let link = self.dial(expected.url, Some(expected.host), first);
        if let Some(l) = self.hosts.get_mut(link) {
            l.replace = true;
            l.waiters.extend(waiters);
        }
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
