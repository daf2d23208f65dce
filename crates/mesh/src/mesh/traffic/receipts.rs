//! What comes through sessions: each message once, and acknowledged when the program has applied it.

use bytestring::ByteString;

use crate::event::Event;
use crate::mesh::Mesh;
use crate::mesh::traffic::Told;
use crate::parts::sessions::WINDOW;
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::wire::v2::{Code, Exception};
use crate::words::{CloseReason, LinkId, Outcome, Raw, Reply};

/// While no more than this waits for the program, all hosts are read.
const MUCH: usize = 8 * 1024 * 1024;

/// No host is read of which more than this waits: more than what the window lets a host say, by weight.
const MOST: usize = 3 * WINDOW;

/// Nor one of which more waits than is left of this when all is counted that waits: so whoever says little has always room.
const MOST_OF_ALL: usize = 64 * 1024 * 1024;

impl Mesh {
    pub(in crate::mesh) fn take_in_note(
        &mut self,
        host: &ByteString,
        first: u64,
        head: Option<Raw>,
        payload: Payload,
    ) -> Option<()> {
        let from = host.clone();
        self.take_in(host, first, payload, |payload, _| Event::Note {
            host: from,
            head,
            payload,
        })
    }

    pub(in crate::mesh) fn take_in_request(
        &mut self,
        host: &ByteString,
        first: u64,
        to: Option<Raw>,
        from: Option<Raw>,
        number: u64,
        payload: Payload,
    ) -> Option<()> {
        let asker = host.clone();
        self.take_in(host, first, payload, |payload, known| Event::Request {
            host: asker,
            number: number + u64::from(known),
            to,
            from,
            payload,
        })
    }

    pub(in crate::mesh) fn take_in_reply(
        &mut self,
        host: &ByteString,
        first: u64,
        number: u64,
        outcome: Outcome,
        payload: Payload,
    ) -> Option<()> {
        self.take_in(host, first, payload, |payload, known| Event::Reply {
            number: number + u64::from(known),
            outcome,
            payload,
        })
    }

    pub(in crate::mesh) fn take_in_gap(
        &mut self,
        host: &ByteString,
        first: u64,
        count: u64,
    ) -> Option<()> {
        let (key, count) = (self.traffic.key_of(host), Some(count));
        let one = Payload::Undefined { count: 1 };
        self.take_in(host, first, one, |_, _| Event::Gap { key, count })
    }

    /// Takes in what is new of the messages, and has the program told of it when that is its turn. `event` makes an event of it, and knows
    /// how many messages were left out.
    pub(in crate::mesh) fn take_in(
        &mut self,
        host: &ByteString,
        first: u64,
        mut payload: Payload,
        event: impl FnOnce(Payload, u32) -> Event,
    ) -> Option<()> {
        let session = self.traffic.sessions.get_mut(host)?;
        let count = payload.count();
        let known = session.incoming.receive(first, count)?;
        if known == count {
            return Some(());
        }
        if known > 0 {
            payload = payload.split_off(known);
        }
        if sabotage::is(Sabotage::EarlyAck) {
            session.incoming.applied(first + u64::from(count) - 1, []);
            self.traffic.acknowledge(host);
            self.event(event(payload, known));
            return Some(());
        }
        let first = first + u64::from(known);
        let id = session.id.clone();
        let before = session.arrivals.weight();
        let event = session
            .arrivals
            .arrive(first, event(payload, known), self.now);
        self.traffic.held += session.arrivals.weight() - before;
        match event {
            Some(event) => self.tell_messages(host, id, first, event),
            None => self.tell_arrivals(host, false),
        }
        Some(())
    }

    /// Tells the program of messages, and expects to hear that they are applied.
    fn tell_messages(&mut self, host: &ByteString, session: ByteString, first: u64, event: Event) {
        self.traffic.told.push_back(Told {
            event: self.answers.next(),
            host: host.clone(),
            session,
            first,
            count: event.messages(),
            done: 0,
            weight: event.weight(),
        });
        self.event(event);
    }

    /// Tells the program of what has come from that host, as far as it is its turn. `all`: of everything, because something is to be told
    /// that comes after it.
    pub(in crate::mesh) fn tell_arrivals(&mut self, host: &ByteString, all: bool) {
        while let Some(session) = self.traffic.sessions.get_mut(host) {
            let before = session.arrivals.weight();
            let Some((first, event)) = session.arrivals.next(all) else {
                return;
            };
            self.traffic.held = self.traffic.held + session.arrivals.weight() - before;
            let id = session.id.clone();
            self.tell_messages(host, id, first, event);
        }
    }

    /// The same for whoever uses that link, of whose end the program is to be told.
    pub(in crate::mesh) fn tell_what_came(&mut self, link: LinkId) {
        if let Some(host) = self.session_of(link) {
            self.tell_arrivals(&host, true);
        }
    }

    /// The program is told no more of what has come from a host that does not keep to the protocol.
    pub(in crate::mesh) fn forget_arrivals(&mut self, host: &ByteString) {
        if let Some(session) = self.traffic.sessions.get_mut(host) {
            let before = session.arrivals.weight();
            session.arrivals.forget();
            self.traffic.held -= before - session.arrivals.weight();
        }
    }

    /// How much has come over sessions that the program has not applied. When it becomes less, links that were
    /// [crowded](Mesh::is_crowded) may have room again.
    pub fn held(&self) -> usize {
        self.traffic.held
    }

    /// Whether so much waits for the program that has come over that link, if a session uses it, that it is better not to read it for now.
    pub(in crate::mesh) fn holds_too_much(&self, link: LinkId) -> bool {
        let held = self.traffic.held;
        let most = MOST.min(MOST_OF_ALL.saturating_sub(held));
        held > MUCH
            && self
                .session_of(link)
                .and_then(|host| self.traffic.sessions.get(&host))
                .is_some_and(|session| session.arrivals.weight() > most)
    }

    /// The program has applied what came over sessions, up to that message of that event.
    pub(in crate::mesh) fn applied(&mut self, upto: u64, part: u32, replies: &[(u64, u32, Reply)]) {
        let mut replies = replies.iter().peekable();
        let mut touched: Vec<(ByteString, usize)> = Vec::new();
        while let Some(told) = self.traffic.told.front_mut() {
            let done = match told.event {
                event if event < upto => told.count,
                event if event == upto => part.min(told.count),
                _ => 0,
            };
            if done <= told.done {
                break;
            }
            while replies.next_if(|(event, ..)| *event < told.event).is_some() {}
            let mut exceptions = Vec::new();
            while let Some((_, index, reply)) = replies.next_if(|(event, ..)| *event == told.event)
            {
                let code = match reply {
                    Reply::NoSuchPeer => Code::NoSuchPeer,
                    Reply::Overloaded => Code::Overloaded,
                    Reply::Threw(text) if text.starts_with("\"Peer not found") => {
                        Code::ThrewNotFound
                    }
                    Reply::Threw(_) => Code::Threw,
                    _ => continue,
                };
                let first = told.first + u64::from(*index);
                exceptions.push(Exception {
                    first,
                    count: 1,
                    code,
                });
            }
            if let Some(session) = self.traffic.sessions.get_mut(&told.host)
                && session.id == told.session
            {
                session
                    .incoming
                    .applied(told.first + u64::from(done) - 1, exceptions);
                let weight = if done == told.count { told.weight } else { 0 };
                match touched.last_mut() {
                    Some((host, before)) if *host == told.host => *before += weight,
                    _ => touched.push((told.host.clone(), weight)),
                }
            }
            if done < told.count {
                told.done = done;
                break;
            }
            self.traffic.told.pop_front();
        }
        for (host, weight) in touched {
            if let Some(session) = self.traffic.sessions.get_mut(&host) {
                // The session may have begun anew since, under the same id.
                let before = session.arrivals.weight();
                session.arrivals.applied(weight, self.now);
                self.traffic.held -= before - session.arrivals.weight();
            }
            self.traffic.acknowledge(&host);
            if self
                .traffic
                .sessions
                .get(&host)
                .is_some_and(|s| s.incoming.is_swamped())
            {
                self.give_up_session(&host, CloseReason::Policy);
            } else {
                self.tell_arrivals(&host, false);
            }
        }
    }

    /// The messages of an event were not JSON: whoever sent them does not keep to the protocol.
    pub(in crate::mesh) fn invalid(&mut self, event: u64) {
        let Some(told) = self.traffic.told.iter().find(|t| t.event == event) else {
            return;
        };
        let host = told.host.clone();
        self.give_up_session(&host, CloseReason::Fault);
    }

    /// The other side does not keep to the protocol, and would not over another link.
    fn give_up_session(&mut self, host: &ByteString, reason: CloseReason) {
        self.forget_arrivals(host);
        match self.traffic.sessions.get(host).and_then(|s| s.link()) {
            Some(link) => self.break_off(link, reason),
            None => self.break_session(host),
        }
    }
}
