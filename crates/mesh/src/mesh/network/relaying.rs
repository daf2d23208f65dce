//! Relayed links: to hosts that neither can dial the other, over a host that is connected with both; and relaying for others.
//!
//! A relayed link is a link like any other: it is dialled, greets, and carries a session. Only what is said over it goes, wrapped,
//! over the direct link with the host between, in the order in which it is said. So nothing outside of this file and of the choice
//! between two links has to know which links are relayed.

use std::collections::VecDeque;

use bytes::Bytes;
use bytestring::ByteString;

use crate::error::{CallError, DialError};
use crate::event::Output;
use crate::json;
use crate::limits::Limits;
use crate::mesh::network::Network;
use crate::mesh::network::waiting::Waiter;
use crate::mesh::pending::Asked;
use crate::mesh::{GOODBYE_TIMEOUT, Mesh};
use crate::parts::gossip::digest;
use crate::parts::hosts::{Link, State};
use crate::parts::relays::is_relayed;
use crate::wire::member::Member;
use crate::wire::routed::{self, Content, Header};
use crate::wire::v1::Body;
use crate::words::LinkId;

/// How many hosts are asked, one after the other, whether they can relay to another one.
const MOST_TRIED: usize = 4;

impl Mesh {
    /// Whether that direct link can carry relayed ones: both sides do that, and binary frames may be sent.
    fn carries(&self, link: LinkId) -> bool {
        let Some(l) = self.network.hosts.get(link) else {
            return false;
        };
        self.is_ready(link) && l.relay.both() && l.state == State::Joined && !is_relayed(link)
    }

    /// The direct link over which that host could be reached next: its relays as far as we know them, then some others.
    fn way_to(&self, host: &ByteString, tried: &[ByteString]) -> Option<(LinkId, ByteString)> {
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

    fn has_way_to(&self, host: &ByteString) -> bool {
        self.way_to(host, &[]).is_some()
    }

    /// Begins a relayed link to that host, which has that url, or its id in place of one. It is opened when the input has been dealt
    /// with.
    pub(in crate::mesh) fn dial_relayed(
        &mut self,
        url: ByteString,
        host: ByteString,
        waiter: Waiter,
    ) -> LinkId {
        let number = self.network.hosts.next_link();
        let link = self.network.relays.dial(number, host.clone());
        self.network
            .hosts
            .dial(link, url.clone(), Some(host), waiter);
        self.out.push(Output::Dial { link, url });
        link
    }

    /// A link to a host was not made: tries another way, if there is one. Gives back the link if there is none.
    pub(in crate::mesh) fn detour(
        &mut self,
        link: LinkId,
        mut l: Link<Waiter>,
        error: &CallError,
    ) -> Option<Link<Waiter>> {
        let (Some(url), Some(host)) = (l.dialled.clone(), l.hint.clone()) else {
            return Some(l);
        };
        let (tried, cause) = match (self.network.relays.get(link), error) {
            (_, CallError::Refused { .. } | CallError::Timeout | CallError::Closed) => {
                return Some(l);
            }
            (Some(relayed), _) => (relayed.tried.clone(), relayed.cause.clone()),
            // A host that others can dial, but not we.
            (None, CallError::Dial(_)) if !self.network.relays.known(&host).is_empty() => {
                (Vec::new(), Some(error.clone()))
            }
            (None, _) => return Some(l),
        };
        if self.closing.is_some()
            || l.waiters.is_empty()
            || self.network.hosts.route_to_host(&host).is_some()
            || self.way_to(&host, &tried).is_none()
        {
            return Some(l);
        }
        if !is_relayed(link) {
            // No join is held up longer than by the dial.
            for waiter in &mut l.waiters {
                if let Waiter::Member { round } = waiter
                    && let Some(round) = round.take()
                {
                    self.round_answer(round, None);
                }
            }
        }
        let first = l.waiters.remove(0);
        let next = self.dial_relayed(url, host, first);
        self.network.relays.has_tried(next, tried, cause);
        if let Some(n) = self.network.hosts.get_mut(next) {
            n.waiters.append(&mut l.waiters);
            (n.replace, n.mark) = (l.replace, l.mark);
        }
        None
    }

    /// Whether a link shall take the place of another one with the same host: a direct one that of a relayed one.
    pub(in crate::mesh) fn is_better(&self, link: LinkId, than: LinkId) -> bool {
        !is_relayed(link) && is_relayed(than)
    }

    /// A relayed link is not used any more, because that direct one is there. What was asked over it is still answered there; the
    /// goodbye of whoever dialled the direct one, and so knows that both have it, comes after that.
    pub(in crate::mesh) fn drain(&mut self, link: LinkId, direct: LinkId) {
        self.network.hosts.unregister(link, State::Leaving);
        self.traffic.forget_link(link);
        if self
            .network
            .hosts
            .get(direct)
            .is_some_and(|l| l.dialled.is_some())
        {
            let within = GOODBYE_TIMEOUT.min(self.config.request_timeout);
            let params = Some("{\"direct\":true}");
            self.ask(link, "goodbye", params, Asked::Goodbye, within);
        }
    }

    /// A relayed frame has come over that direct link. Forwards it, or gives what it carries and the relayed link over which that has come.
    /// `None` when the other side does not keep to the protocol.
    pub(in crate::mesh) fn unwrap_routed(
        &mut self,
        link: LinkId,
        from: &ByteString,
        frame: &Bytes,
    ) -> Option<Option<(LinkId, Content)>> {
        if is_relayed(link) {
            return None; // One hop, no more.
        }
        if !self.network.hosts.get(link)?.relay.both() {
            return Some(None);
        }
        let (header, at) = routed::header(frame).ok()?;
        if header.destination == self.id {
            if header.origin == self.id || header.origin == *from {
                return None;
            }
            return Some(self.routed_here(link, header, at, frame));
        }
        if header.origin != *from || header.destination == *from {
            return None;
        }
        let target = self.network.hosts.route_to_host(&header.destination);
        match target.filter(|target| self.closing.is_none() && self.carries(*target)) {
            Some(target) if target != link && self.is_choked(target, frame) => {
                if !routed::ends(frame, at) {
                    self.send_back(link, header.clone());
                }
                if !routed::opens(frame, at) {
                    let (link, bytes) = (target, routed::write(&header, &Content::End));
                    self.out.push(Output::TransmitBinary { link, bytes });
                }
            }
            Some(target) if target != link => {
                if routed::opens(frame, at) {
                    self.network.relays.pair(link, target);
                }
                let (link, bytes) = (target, frame.clone());
                self.out.push(Output::TransmitBinary { link, bytes });
            }
            _ if routed::ends(frame, at) => {}
            _ => self.send_back(link, header),
        }
        Some(None)
    }

    /// Whether too much waits to be written to that link already. Then the relayed link ends on both sides: what it carried is kept by
    /// whoever said it, and bounded there.
    fn is_choked(&self, target: LinkId, frame: &Bytes) -> bool {
        let backlog = self.network.relays.backlog(target);
        backlog > 0 && backlog + frame.len() > self.config.max_queue_bytes
    }

    /// Says that the relayed link to which that frame belongs leads nowhere.
    fn send_back(&mut self, link: LinkId, header: Header) {
        let back = Header {
            origin: header.destination,
            destination: header.origin,
            number: header.number,
            theirs: !header.theirs,
        };
        let bytes = routed::write(&back, &Content::End);
        self.out.push(Output::TransmitBinary { link, bytes });
    }

    fn routed_here(
        &mut self,
        carrier: LinkId,
        header: Header,
        at: usize,
        frame: &Bytes,
    ) -> Option<(LinkId, Content)> {
        let Header {
            origin,
            number,
            theirs,
            ..
        } = &header;
        let known = self.network.relays.find(carrier, origin, *number, *theirs);
        match (routed::content(frame, at), known) {
            (Ok(Content::End), _) if *number == 0 => {
                for link in self.network.relays.over(carrier, Some(origin)) {
                    self.end_relayed(link);
                }
            }
            (Ok(Content::End), Some(link)) => self.end_relayed(link),
            (Ok(Content::End), None) => {}
            (Ok(Content::Open), None) if !theirs && self.closing.is_none() => {
                let unused = self.network.hosts.next_link();
                match self.network.relays.accept(unused, carrier, origin, *number) {
                    Some(link) => self.network.hosts.accept(link),
                    None => self.send_back(carrier, header),
                }
            }
            (Ok(Content::Open) | Err(_), Some(link)) => self.drop_link(link),
            (Ok(content), Some(link)) => return Some((link, content)),
            (_, None) => self.send_back(carrier, header),
        }
        None
    }

    /// A relayed link has ended without a goodbye. Both sides try to make a new one, since none knows for sure what the other one
    /// believes: what the host between tells can be older than what it has still to forward.
    pub(in crate::mesh) fn lose_relayed(
        &mut self,
        link: LinkId,
        key: ByteString,
        host: Option<ByteString>,
    ) {
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        let ours = l.dialled.is_some();
        let url = l.dialled.clone().or_else(|| l.url.clone());
        let over_another = host.as_ref().is_some_and(|h| self.has_way_to(h));
        self.lose(key.clone(), url.or_else(|| host.clone()), host);
        if ours && over_another {
            self.network.hosts.redial_at(&key, self.now);
        } else if !ours {
            let later = self.now.saturating_add(2 * self.config.reconnect_delay);
            self.network.hosts.redial_at(&key, later);
        }
    }

    /// The other side, or the host between, has ended a relayed link.
    fn end_relayed(&mut self, link: LinkId) {
        self.network.relays.cut(link);
        self.closed(link);
        self.network.relays.remove(link);
        self.say_last_goodbyes();
    }

    /// That direct link is gone, and so is what was relayed over it.
    pub(in crate::mesh) fn carrier_lost(&mut self, carrier: LinkId, host: Option<ByteString>) {
        self.network.relays.set_backlog(carrier, 0);
        if is_relayed(carrier) || !self.network.relays.in_use() {
            return;
        }
        // Perhaps the other side did not know yet that the direct link was there to take over. What was being made meanwhile would
        // be as old.
        let drained = |l: &Link<Waiter>| {
            (l.state == State::Leaving && l.host == host)
                || (l.state == State::Greeting && host.is_some() && l.hint == host)
        };
        let drained = self
            .network
            .hosts
            .links()
            .filter(|(id, l)| is_relayed(*id) && drained(l));
        for link in drained.map(|(id, _)| id).collect::<Vec<LinkId>>() {
            self.drop_link(link);
        }
        for link in self.network.relays.over(carrier, None) {
            self.end_relayed(link);
        }
        for link in self.network.relays.part(carrier) {
            let destination = self.network.hosts.get(link).and_then(|l| l.host.clone());
            if let (Some(origin), Some(destination), true) =
                (host.clone(), destination, self.carries(link))
            {
                let header = Header {
                    origin,
                    destination,
                    number: 0,
                    theirs: false,
                };
                let bytes = routed::write(&header, &Content::End);
                self.out.push(Output::TransmitBinary { link, bytes });
            }
        }
    }

    /// Performs what was put out about relayed links since `from`: the driver does not know them.
    pub(in crate::mesh) fn perform_relayed(&mut self, from: usize) {
        if !self.network.relays.used() || !self.out[from..].iter().any(is_about_relayed) {
            return;
        }
        let mut done = std::mem::take(&mut self.out);
        let mut todo: VecDeque<Output> = done.split_off(from).into();
        while let Some(output) = todo.pop_front() {
            match output {
                Output::Dial { link, .. } if is_relayed(link) => {
                    done.extend(self.open_relayed(link));
                }
                Output::Transmit { link, text } if is_relayed(link) => {
                    done.extend(self.wrap(link, &Content::Text(text)));
                }
                Output::TransmitBinary { link, bytes } if is_relayed(link) => {
                    done.extend(self.wrap(link, &Content::Records(bytes)));
                }
                Output::Close { link } if is_relayed(link) => {
                    done.extend(self.wrap(link, &Content::End));
                    self.network.relays.remove(link);
                    self.closed(link);
                    self.say_last_goodbyes();
                }
                output => done.push(output),
            }
            todo.extend(self.out.drain(..));
        }
        self.out = done;
    }

    fn open_relayed(&mut self, link: LinkId) -> Option<Output> {
        let relayed = self.network.relays.get(link)?;
        let Some((carrier, by)) = self.way_to(&relayed.host, &relayed.tried) else {
            let error = DialError {
                code: "EHOSTUNREACH".into(),
                message: "connect EHOSTUNREACH".into(),
                syscall: Some("connect".into()),
                ..DialError::default()
            };
            self.not_joined(link, CallError::Dial(error));
            return None;
        };
        self.network.relays.open(link, carrier, by);
        let open = self.wrap(link, &Content::Open);
        self.greet(link);
        open
    }

    /// What is said over a relayed link, as it is said over the direct one.
    fn wrap(&self, link: LinkId, content: &Content) -> Option<Output> {
        let relayed = self.network.relays.get(link)?;
        let header = Header {
            origin: self.id.clone(),
            destination: relayed.host.clone(),
            number: relayed.number,
            theirs: !relayed.ours,
        };
        let bytes = routed::write(&header, content);
        let link = relayed.carrier?;
        Some(Output::TransmitBinary { link, bytes })
    }
}

impl Network {
    /// Why a host was not reached: if it was tried directly first, that is what counts.
    pub(in crate::mesh) fn cause(&self, link: LinkId, error: CallError) -> CallError {
        let relayed = self.relays.get(link);
        relayed.and_then(|r| r.cause.clone()).unwrap_or(error)
    }

    /// Somebody says goodbye over that link. Gives whether it is only that link which has been given up for a direct one, of which
    /// nothing is known here any more: then it is lost, not the host.
    pub(in crate::mesh) fn is_given_up(&self, link: LinkId, body: &Body) -> bool {
        let [direct] = body.params(["direct"]);
        let joined = self
            .hosts
            .get(link)
            .is_some_and(|l| l.state == State::Joined);
        is_relayed(link) && joined && direct.as_ref().is_some_and(json::truthy)
    }

    /// Takes the number in the greeting, or the answer, of the host behind that link. Gives whether it was said before something that has
    /// arrived earlier, over another link.
    pub(in crate::mesh) fn is_stale(&mut self, link: LinkId, number: Option<u64>) -> bool {
        let host = self.hosts.get(link).and_then(|l| l.host.clone());
        match (host, number) {
            (Some(host), Some(number)) => self.relays.is_stale(&host, number),
            _ => false,
        }
    }

    /// That host is gone: its numbers are of no use, as soon as nothing can come any more that it has said before.
    pub(in crate::mesh) fn forget_number(&mut self, host: &ByteString) {
        self.relays.forget_newest(host, !self.hosts.is_greeting());
    }

    pub(in crate::mesh) fn forget_numbers(&mut self) {
        if self.relays.has_gone() && !self.hosts.is_greeting() {
            self.relays.forget_gone();
        }
    }

    /// Members that the host behind that link has told us of, to which it relays if need be.
    pub(in crate::mesh) fn learn_ways(&mut self, link: LinkId, members: &[Member]) {
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
    pub(in crate::mesh) fn relayed_members(&self, except: LinkId) -> Vec<Member> {
        if is_relayed(except) || !self.hosts.get(except).is_some_and(|l| l.relay.both()) {
            return Vec::new();
        }
        let hosts = self.hosts.joined().filter_map(|(_, link)| {
            let l = self.hosts.get(link)?;
            let host = l.host.as_ref().filter(|_| l.url.is_none())?;
            let relays = link != except && l.relay.both() && !is_relayed(link);
            relays.then(|| Member::relayed(host.clone()))
        });
        hosts.collect()
    }

    /// In short, which hosts that nobody can dial we know: who has the same ones does not need to tell.
    pub(in crate::mesh) fn relayed_digest(&self) -> String {
        let unlisted = self.hosts.links().filter_map(|(_, l)| {
            let host = match l.state {
                State::Joined if l.url.is_none() => l.host.as_deref()?,
                State::Dialling | State::Greeting if l.dialled == l.hint => l.hint.as_deref()?,
                _ => return None,
            };
            Some(host)
        });
        let unlisted: std::collections::BTreeSet<&str> = unlisted.collect();
        digest(unlisted.into_iter())
    }

    /// What is taken over that link: of a relayed one, what the host between takes as well.
    pub(in crate::mesh) fn limits_over(&self, link: LinkId) -> Limits {
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

fn is_about_relayed(output: &Output) -> bool {
    match output {
        Output::Dial { link, .. }
        | Output::Transmit { link, .. }
        | Output::TransmitBinary { link, .. }
        | Output::Close { link } => is_relayed(*link),
        Output::Beat { .. } | Output::Ping { .. } | Output::Probe { .. } | Output::Event(_) => {
            false
        }
    }
}
