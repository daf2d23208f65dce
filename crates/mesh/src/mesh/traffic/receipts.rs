//! What comes through sessions: each message once, and acknowledged when the program has applied it.

use bytestring::ByteString;

use crate::event::Event;
use crate::mesh::Mesh;
use crate::mesh::traffic::Told;
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::wire::v2::{Code, Exception};
use crate::words::{CloseReason, Outcome, Raw, Reply};

impl Mesh {
    pub(in crate::mesh) fn take_in_note(
        &mut self,
        host: &ByteString,
        first: u64,
        head: Option<Raw>,
        payload: Payload,
    ) -> Option<()> {
        if let Some(payload) = self.take_in(host, first, payload)? {
            let host = host.clone();
            self.event(Event::Note {
                host,
                head,
                payload,
            });
        }
        Some(())
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
        let count = payload.count();
        if let Some(payload) = self.take_in(host, first, payload)? {
            self.event(Event::Request {
                host: host.clone(),
                number: number + u64::from(count - payload.count()),
                to,
                from,
                payload,
            });
        }
        Some(())
    }

    pub(in crate::mesh) fn take_in_reply(
        &mut self,
        host: &ByteString,
        first: u64,
        number: u64,
        outcome: Outcome,
        payload: Payload,
    ) -> Option<()> {
        let count = payload.count();
        if let Some(payload) = self.take_in(host, first, payload)? {
            self.event(Event::Reply {
                number: number + u64::from(count - payload.count()),
                outcome,
                payload,
            });
        }
        Some(())
    }

    pub(in crate::mesh) fn take_in_gap(
        &mut self,
        host: &ByteString,
        first: u64,
        count: u64,
    ) -> Option<()> {
        let new = self.take_in(host, first, Payload::Undefined { count: 1 })?;
        if new.is_some() {
            let (key, count) = (self.traffic.key_of(host), Some(count));
            self.event(Event::Gap { key, count });
        }
        Some(())
    }

    /// Gives those of the messages that have not arrived before, and expects them to be told as the next event.
    pub(in crate::mesh) fn take_in(
        &mut self,
        host: &ByteString,
        first: u64,
        mut payload: Payload,
    ) -> Option<Option<Payload>> {
        let session = self.traffic.sessions.get_mut(host)?;
        let count = payload.count();
        let known = session.incoming.receive(first, count)?;
        if known == count {
            return Some(None);
        }
        if known > 0 {
            payload = payload.split_off(known);
        }
        if sabotage::is(Sabotage::EarlyAck) {
            session.incoming.applied(first + u64::from(count) - 1, []);
            self.traffic.acknowledge(host);
            return Some(Some(payload));
        }
        self.traffic.told.push_back(Told {
            event: self.answers.next(),
            host: host.clone(),
            session: session.id.clone(),
            first: first + u64::from(known),
            count: count - known,
            done: 0,
        });
        Some(Some(payload))
    }

    /// The program has applied what came over sessions, up to that message of that event.
    pub(in crate::mesh) fn applied(&mut self, upto: u64, part: u32, replies: &[(u64, u32, Reply)]) {
        let mut replies = replies.iter().peekable();
        let mut touched: Vec<ByteString> = Vec::new();
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
                if touched.last() != Some(&told.host) {
                    touched.push(told.host.clone());
                }
            }
            if done < told.count {
                told.done = done;
                break;
            }
            self.traffic.told.pop_front();
        }
        for host in touched {
            self.traffic.acknowledge(&host);
            if self
                .traffic
                .sessions
                .get(&host)
                .is_some_and(|s| s.incoming.is_swamped())
            {
                self.give_up_session(&host, CloseReason::Policy);
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
        match self.traffic.sessions.get(host).and_then(|s| s.link()) {
            Some(link) => self.break_off(link, reason),
            None => self.break_session(host),
        }
    }
}
