//! Which hosts can be reached over which: ways to those that we cannot dial, and of whom we can tell others that we lead to them.

use bytestring::ByteString;

use crate::error::CallError;
use crate::event::Output;
use crate::limits::Limits;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{self, Waiter};
use crate::parts::gossip::digest;
use crate::parts::hosts::{Link, State};
use crate::parts::relays::is_relayed;
use crate::wire::member::Member;
use crate::wire::routed;
use crate::words::{LinkId, Nearness, Reach};

/// How many hosts are asked, one after the other, whether they can relay to another one.
const MOST_TRIED: usize = 4;

impl Mesh {
    /// Whether that direct link can carry relayed ones: both sides do that, and binary frames may be sent.
    pub(super) fn carries(&self, link: LinkId) -> bool {
        let Some(l) = self.network.hosts.get(link) else {
            return false;
        };
        self.is_ready(link) && l.relay.both() && l.state == State::Joined && !is_relayed(link)
    }

    /// The direct link over which that host could be reached next: its relays as far as we know them, then some others.
    pub(super) fn way_to(
        &self,
        host: &ByteString,
        tried: &[ByteString],
    ) -> Option<(LinkId, ByteString)> {
        if tried.len() >= MOST_TRIED {
            return None;
        }
        let fits =
            |by: &ByteString, link: LinkId| by != host && !tried.contains(by) && self.carries(link);
        let known = self.network.relays.known(host).iter();
        let known =
            known.filter_map(|by| Some((self.network.hosts.route_to_host(by)?, by.clone())));
        let others = self.network.hosts.joined().filter_map(|(_, link)| {
            let by = self.network.hosts.get(link)?.host.clone()?;
            Some((link, by))
        });
        known.chain(others).find(|(link, by)| fits(by, *link))
    }

    pub(super) fn has_way_to(&self, host: &ByteString) -> bool {
        self.way_to(host, &[]).is_some()
    }

    /// Begins a relayed link to that host, which has that url, or its id in place of one. It is opened when the input has been dealt
    /// with.
    pub(super) fn dial_relayed(
        &mut self,
        told: Nearness,
        url: ByteString,
        host: ByteString,
        waiters: Vec<Waiter>,
    ) -> LinkId {
        let number = self.network.hosts.next_link();
        let link = self.network.relays.dial(number, host.clone());
        let hosts = &mut self.network.hosts;
        hosts.dial(link, url.clone(), Some(host), waiters, told);
        let namesake = false;
        let reach = Reach { told, namesake };
        self.out.push(Output::Dial { link, url, reach });
        link
    }

    /// A link to a host was not made: tries another way, if there is one: to the host that was there before, or else to the one that is
    /// there now, as we were told. Gives back the link if there is none.
    pub(super) fn detour(
        &mut self,
        link: LinkId,
        mut l: Link<Waiter>,
        error: &CallError,
    ) -> Option<Link<Waiter>> {
        let Some(url) = l.dialled.clone() else {
            return Some(l);
        };
        let (mut tried, cause) = match (self.network.relays.get(link), error) {
            (_, CallError::Refused { .. } | CallError::Timeout | CallError::Closed) => {
                return Some(l);
            }
            (Some(relayed), _) => (relayed.tried.clone(), relayed.cause.clone()),
            // A host that others can dial, but not we.
            (None, CallError::Dial(_)) => (Vec::new(), Some(error.clone())),
            (None, _) => return Some(l),
        };
        if self.closing.is_some() || l.waiters.is_empty() {
            return Some(l);
        }
        let relays = |host: &ByteString| !self.network.relays.known(host).is_empty();
        let fits = |host: &ByteString, tried: &[ByteString]| {
            self.network.hosts.route_to_host(host).is_none() && self.way_to(host, tried).is_some()
        };
        let hint = l.hint.clone();
        let again = hint.filter(|h| (is_relayed(link) || relays(h)) && fits(h, &tried));
        let told = l.told.clone().filter(|h| l.hint.as_ref() != Some(h));
        let told = told.filter(|h| again.is_none() && relays(h) && fits(h, &[]));
        if told.is_some() {
            (tried, l.replace) = (Vec::new(), false);
            self.look_for_former(link, &mut l, error);
        }
        let Some(host) = again.or(told) else {
            return Some(l);
        };
        if !is_relayed(link) {
            // No join is held up longer than by the dial.
            for waiter in &mut l.waiters {
                if let Waiter::Member { round, .. } = waiter
                    && let Some(round) = round.take()
                {
                    self.round_answer(round, None);
                }
            }
        }
        let waiters = std::mem::take(&mut l.waiters);
        let next = self.dial_relayed(l.told_from, url, host, waiters);
        self.network.hearsay.go_on(link, next);
        self.network.relays.has_tried(next, tried, cause);
        if let Some(n) = self.network.hosts.get_mut(next) {
            (n.replace, n.mark, n.told) = (l.replace, l.mark, l.told);
        }
        None
    }

    /// It is another host than before that we try to reach now. The former one is looked for on its own.
    fn look_for_former(&mut self, link: LinkId, l: &mut Link<Waiter>, error: &CallError) {
        let by = waiters::teller(&l.waiters).cloned();
        let by = by.unwrap_or_else(|| self.network.teller(link));
        let redial = |w: &mut Waiter| matches!(w, Waiter::Redial(_));
        for waiter in l.waiters.extract_if(.., redial).collect::<Vec<Waiter>>() {
            self.fail(waiter, error.clone());
        }
        if l.waiters.is_empty() {
            l.waiters.push(Waiter::Member { round: None, by });
        }
    }
}

impl Network {
    /// Why a host was not reached: if it was tried directly first, that is what counts.
    pub(super) fn cause(&self, link: LinkId, error: CallError) -> CallError {
        let relayed = self.relays.get(link);
        relayed.and_then(|r| r.cause.clone()).unwrap_or(error)
    }

    /// Members that the host behind that link has told us of, to which it relays if need be.
    pub(super) fn learn_ways(&mut self, link: LinkId, members: &[Member]) {
        let Some(by) = self.hosts.get(link).and_then(|l| l.host.clone()) else {
            return;
        };
        for host in members.iter().filter_map(|m| m.host.as_ref()) {
            let direct = |link: &LinkId| !is_relayed(*link);
            if self.hosts.route_to_host(host).filter(direct).is_none() {
                self.relays.learn(host, &by);
            }
        }
    }

    /// The hosts that nobody can dial and to which we can relay: not for the one behind that link, and not that one.
    pub(super) fn relayed_members(&self, except: LinkId) -> Vec<Member> {
        if is_relayed(except) || !self.hosts.get(except).is_some_and(|l| l.relay.both()) {
            return Vec::new();
        }
        let hosts = self.hosts.unlisted().filter_map(|(link, l)| {
            let host = l.host.as_ref()?;
            let relays = link != except && l.relay.both() && !is_relayed(link);
            relays.then(|| Member::relayed(host.clone()))
        });
        hosts.collect()
    }

    /// In short, which hosts that nobody can dial we know: who has the same ones does not need to tell.
    pub(super) fn relayed_digest(&self) -> String {
        let here = self.hosts.unlisted().filter_map(|(_, l)| l.host.as_deref());
        let coming = self.hosts.loose().filter_map(|(_, l)| match l.state {
            State::Dialling | State::Greeting if l.dialled == l.hint => l.hint.as_deref(),
            _ => None,
        });
        let unlisted: std::collections::BTreeSet<&str> = here.chain(coming).collect();
        digest(unlisted.into_iter())
    }

    /// What is taken over that link: of a relayed one, what the host between takes as well.
    pub(super) fn limits_over(&self, link: LinkId) -> Limits {
        let limits = |link| self.hosts.get(link).map(|l| l.limits).unwrap_or_default();
        let carrier = self.relays.get(link).and_then(|r| r.carrier);
        match carrier {
            None => limits(link),
            Some(carrier) => Limits {
                payload: limits(link)
                    .payload
                    .min(limits(carrier).payload)
                    .saturating_sub(routed::MAX_HEADER),
                ..limits(link)
            },
        }
    }
}
