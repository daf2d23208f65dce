//! What goes through sessions: runs of messages to our own hosts and from them.

use bytes::Bytes;
use bytestring::ByteString;

use super::cargo::{Cargo, nobody};
use crate::event::{Event, Output};
use crate::mesh::Mesh;
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::wire::routed::is_routed;
use crate::wire::v2::{self, Code, Exception, Place, Record};
use crate::words::{LinkId, Raw, Reply};

/// A frame leaves when it holds that many messages, or that many bytes; at the end of the program's turn at the latest.
const FRAME_MESSAGES: u32 = 256;
const FRAME_BYTES: usize = 64 * 1024;

/// Messages of a session that the program has been told about and has not applied yet.
#[derive(Debug)]
pub(in crate::mesh) struct Told {
    event: u64,
    host: ByteString,
    session: ByteString,
    first: u64,
    count: u32,
    done: u32,
}

impl Mesh {
    /// The other host of a link, if a session uses that link.
    pub(in crate::mesh) fn session_of(&self, link: LinkId) -> Option<ByteString> {
        let host = self.hosts.get(link)?.host.as_ref()?;
        let session = self.sessions.get(host)?;
        (session.link() == Some(link)).then(|| host.clone())
    }

    /// Whether our own protocol may be spoken over that link.
    pub(in crate::mesh) fn is_ready(&self, link: LinkId) -> bool {
        let host = self.session_of(link);
        let session = host.and_then(|host| self.sessions.get(&host));
        session.is_some_and(|session| session.is_ready())
    }

    /// Says what may be said. `all`: also beyond the other host's window, because we are leaving.
    pub(in crate::mesh) fn pump(&mut self, host: &ByteString, all: bool) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        let Some(link) = session.link() else {
            return;
        };
        let frame = self.frames.entry(link).or_default();
        let limits = session.limits;
        // Nobody knows any more where peers are when we have begun to close.
        let knows = self.closing.is_none();
        while let Some((first, cargo, again)) = session.say(all) {
            if !frame.is_empty() && frame.len() + cargo.record() > limits.payload {
                let bytes = frame.take();
                self.out.push(Output::TransmitBinary { link, bytes });
            }
            match cargo {
                Cargo::Parcel(p) if again && knows && self.peers.is_adrift(&p.key, p.flight) => {
                    // It must not come after what has arrived elsewhere.
                    frame.send(
                        first,
                        &nobody(&mut self.random, &limits),
                        &p.from,
                        &p.payload,
                    );
                }
                Cargo::Parcel(p) if p.asks => {
                    frame.request(first, &p.to, &p.from, p.seq, &p.payload);
                }
                Cargo::Parcel(p) => frame.send(first, &p.to, &p.from, &p.payload),
                Cargo::Publish { channel, payload } => frame.publish(first, channel, payload),
                Cargo::Note(note) => frame.note(first, &note.head, &note.payload),
                Cargo::Reply {
                    number,
                    outcome,
                    payload,
                } => frame.reply(first, *number, *outcome, payload),
                Cargo::Gap(count) => frame.gap(first, *count),
            }
            if frame.messages() >= FRAME_MESSAGES || frame.len() >= FRAME_BYTES {
                let bytes = frame.take();
                self.out.push(Output::TransmitBinary { link, bytes });
            }
        }
        if session.is_held_up() {
            self.held_up.insert(link);
        } else {
            self.held_up.remove(&link);
        }
    }

    /// Acknowledges what has been applied.
    fn acknowledge(&mut self, host: &ByteString) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        if let (Some(link), Some(ack)) = (session.link(), session.ack()) {
            self.frames.entry(link).or_default().ack(&ack);
        }
    }

    /// The other host knows the session: what waited can be said.
    pub(in crate::mesh) fn session_ready(&mut self, host: &ByteString) {
        if let Some(session) = self.sessions.get_mut(host) {
            session.ready();
        }
        self.tell_channels(host);
        self.place_joins(host);
        self.acknowledge(host);
        self.pump(host, false);
        self.relieve(host);
        self.weigh(host);
        self.wake_searches(None);
    }

    /// Closes the frame that is being made for a link, so that what is transmitted next comes after it.
    pub(in crate::mesh) fn close_frame(&mut self, link: LinkId) {
        if let Some(frame) = self.frames.get_mut(&link)
            && !frame.is_empty()
        {
            let bytes = frame.take();
            self.out.push(Output::TransmitBinary { link, bytes });
        }
    }

    /// Closes all frames: nothing more will be added to them now.
    pub(in crate::mesh) fn close_frames(&mut self) {
        for (link, frame) in &mut self.frames {
            if !frame.is_empty() {
                let (link, bytes) = (*link, frame.take());
                self.out.push(Output::TransmitBinary { link, bytes });
            }
        }
    }

    pub(in crate::mesh) fn received_binary(&mut self, link: LinkId, bytes: &Bytes) {
        if self.hosts.get(link).is_none() {
            return;
        }
        // Whoever has not shaken hands has nothing to say in our protocol; the original dies of binary frames.
        let Some(host) = self.session_of(link) else {
            return;
        };
        if is_routed(bytes) {
            if self.routed(link, &host, bytes).is_none() {
                self.drop_link(link);
            }
            return;
        }
        let done = match v2::decode(bytes) {
            Ok(records) => records.into_iter().try_for_each(|r| self.record(&host, r)),
            Err(_) => None,
        };
        if done.is_none() {
            self.drop_link(link);
        }
    }

    /// `None` when the other side does not keep to the protocol.
    fn record(&mut self, host: &ByteString, record: Record) -> Option<()> {
        match record {
            Record::Send {
                first,
                to,
                from,
                payload,
            } => {
                self.check_ids(host, [&to, &from])?;
                let payload = self.take_in(host, first, payload)?;
                if let Some(payload) = payload {
                    self.event(Event::Deliver { to, from, payload });
                }
            }
            Record::Publish {
                first,
                channel,
                payload,
            } => {
                self.check_ids(host, [&channel, &None])?;
                let payload = self.take_in(host, first, payload)?;
                if let Some(payload) = payload {
                    let original = false;
                    self.event(Event::Publish {
                        channel,
                        payload,
                        original,
                    });
                }
            }
            Record::Note {
                first,
                head,
                payload,
            } => {
                if let Some(payload) = self.take_in(host, first, payload)? {
                    let host = host.clone();
                    self.event(Event::Note {
                        host,
                        head,
                        payload,
                    });
                }
            }
            Record::Request {
                first,
                to,
                from,
                number,
                payload,
            } => {
                self.check_ids(host, [&to, &from])?;
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
            }
            Record::Reply {
                first,
                number,
                outcome,
                payload,
            } => {
                let count = payload.count();
                if let Some(payload) = self.take_in(host, first, payload)? {
                    self.event(Event::Reply {
                        number: number + u64::from(count - payload.count()),
                        outcome,
                        payload,
                    });
                }
            }
            Record::Gap { first, count } => {
                let new = self.take_in(host, first, Payload::Undefined { count: 1 })?;
                if new.is_some() {
                    let (key, count) = (self.key_of(host), Some(count));
                    self.event(Event::Gap { key, count });
                }
            }
            Record::Ack(ack) => self.acknowledged(host, &ack)?,
            Record::Interest(interest) => self.interest(host, interest),
            Record::Sync(number) => {
                let link = self.sessions.get(host)?.link()?;
                self.frames.entry(link).or_default().synced(number);
            }
            Record::Synced(number) => self.synced(host, number),
            Record::Place(place) => match place {
                Place::Add { whole, hashes } => {
                    if whole {
                        self.directory.forget(host);
                    }
                    self.directory.register(host, hashes);
                }
                Place::Remove(hashes) => self.directory.unregister(host, hashes),
                Place::Drop(shard) => self.directory.forget_shard(host, shard),
            },
            Record::Look { number, id } => self.look(host, number, id),
            Record::Ask { number, asker, id } => self.ask_here(&asker, number, id),
            Record::Found { number, url } => self.found(host, number, url),
            Record::Beat { interval, stalled } => self.beaten(host, interval, stalled),
            Record::Seen(upto) => self.sessions.get_mut(host)?.incoming.seen_upto(upto),
        }
        Some(())
    }

    /// Whoever uses ids that are longer than we have said does not keep to the protocol: `None`.
    fn check_ids(&mut self, host: &ByteString, ids: [&Option<Raw>; 2]) -> Option<()> {
        if ids.into_iter().all(|id| self.allows(id)) {
            return Some(());
        }
        // It would say them again after each reconnect.
        self.break_session(host);
        None
    }

    /// Gives those of the messages that have not arrived before, and expects them to be told as the next event.
    fn take_in(
        &mut self,
        host: &ByteString,
        first: u64,
        mut payload: Payload,
    ) -> Option<Option<Payload>> {
        let session = self.sessions.get_mut(host)?;
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
            self.acknowledge(host);
            return Some(Some(payload));
        }
        self.told.push_back(Told {
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
        while let Some(told) = self.told.front_mut() {
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
            if let Some(session) = self.sessions.get_mut(&told.host)
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
            self.told.pop_front();
        }
        for host in touched {
            self.acknowledge(&host);
            if self
                .sessions
                .get(&host)
                .is_some_and(|s| s.incoming.is_swamped())
            {
                self.give_up_session(&host);
            }
        }
    }

    /// The messages of an event were not JSON: whoever sent them does not keep to the protocol.
    pub(in crate::mesh) fn invalid(&mut self, event: u64) {
        let Some(told) = self.told.iter().find(|t| t.event == event) else {
            return;
        };
        let host = told.host.clone();
        self.give_up_session(&host);
    }

    /// The other side does not keep to the protocol, and would not over another link.
    fn give_up_session(&mut self, host: &ByteString) {
        if let Some(link) = self.sessions.get(host).and_then(|s| s.link()) {
            self.drop_link(link);
        }
        self.break_session(host);
    }
}
