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
use crate::mesh::network::Network;
use crate::mesh::network::waiters::Waiter;
use crate::mesh::pending::Asked;
use crate::mesh::{GOODBYE_TIMEOUT, Mesh};
use crate::parts::hosts::{Link, State};
use crate::parts::relays::is_relayed;
use crate::wire::routed::{self, Content, Header};
use crate::words::{LinkId, Nearness};

impl Mesh {
    /// Whether so much waits for the program that has come over that link, or over a relayed one that it carries, that it is better not to
    /// read it for now.
    pub fn is_crowded(&self, link: LinkId) -> bool {
        let relayed = || self.network.relays.over(link, None).into_iter();
        self.holds_too_much(link) || relayed().any(|link| self.holds_too_much(link))
    }

    /// Whether a link shall take the place of another one with the same host: a direct one that of a relayed one.
    pub(super) fn is_better(&self, link: LinkId, than: LinkId) -> bool {
        !is_relayed(link) && is_relayed(than)
    }

    /// A relayed link is not used any more, because that direct one is there. What was asked over it is still answered there; the
    /// goodbye of whoever dialled the direct one, and so knows that both have it, comes after that.
    pub(super) fn supersede(&mut self, link: LinkId, direct: LinkId) {
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
                let bytes = frame.len();
                self.out.push(Output::Owed { link, bytes });
                if routed::opens(frame, at) {
                    self.vouch(from, &header.destination);
                }
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
        let owed = bytes.len();
        self.out.push(Output::TransmitBinary { link, bytes });
        self.out.push(Output::Owed { link, bytes: owed });
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
                    // Who is behind it is anywhere, unless the host between vouches for it.
                    Some(link) => self.network.hosts.accept(link, Nearness::Elsewhere),
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
    pub(super) fn lose_relayed(&mut self, link: LinkId, key: ByteString, host: Option<ByteString>) {
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        let ours = l.dialled.is_some();
        let url = l.dialled.clone().or_else(|| l.url.clone());
        let over_another = host.as_ref().is_some_and(|h| self.has_way_to(h));
        // Whatever its url is, it has not answered there.
        let by = Some(self.network.teller(link));
        let reach = l.reach();
        self.lose(key.clone(), url.or_else(|| host.clone()), host, by, reach);
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
    pub(super) fn carrier_lost(&mut self, carrier: LinkId, host: Option<ByteString>, state: State) {
        self.network.relays.set_backlog(carrier, 0);
        if is_relayed(carrier) || !self.network.relays.in_use() {
            return;
        }
        // Perhaps the other side did not know yet that the direct link was there to take over. What was being made meanwhile would
        // be as old; unless a stranger has dialled us, and heard that it was a duplicate of that.
        let begun = host.as_ref().filter(|_| state != State::Stranger);
        let superseded = |l: &Link<Waiter>| {
            (l.state == State::Leaving && l.host == host)
                || (l.state == State::Greeting && begun.is_some() && l.hint.as_ref() == begun)
        };
        let superseded = self
            .network
            .hosts
            .links()
            .filter(|(id, l)| is_relayed(*id) && superseded(l));
        for link in superseded.map(|(id, _)| id).collect::<Vec<LinkId>>() {
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
                Output::Owed { link, bytes } if is_relayed(link) => {
                    let relayed = self.network.relays.get(link);
                    let owed = |link| Output::Owed { link, bytes };
                    done.extend(relayed.and_then(|relayed| relayed.carrier).map(owed));
                }
                Output::Close { link, .. } if is_relayed(link) => {
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
    /// Somebody says goodbye over that link. Gives whether it is only that link which has been given up for a direct one, of which
    /// nothing is known here any more: then it is lost, not the host.
    pub(in crate::mesh) fn is_given_up(&self, link: LinkId, direct: bool) -> bool {
        let joined = self
            .hosts
            .get(link)
            .is_some_and(|l| l.state == State::Joined);
        is_relayed(link) && joined && direct
    }
}

fn is_about_relayed(output: &Output) -> bool {
    match output {
        Output::Dial { link, .. }
        | Output::Transmit { link, .. }
        | Output::TransmitBinary { link, .. }
        | Output::Owed { link, .. }
        | Output::Close { link, .. } => is_relayed(*link),
        Output::Beat { .. }
        | Output::Ping { .. }
        | Output::Probe { .. }
        | Output::Greeted { .. }
        | Output::Event(_) => false,
    }
}
