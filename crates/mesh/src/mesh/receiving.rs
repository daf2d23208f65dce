//! The one door for what other hosts say. Every frame comes in here, a text or a binary one, also one that comes out of a relayed
//! frame. What is in it is [checked](checks) here, once: ids, channels, patterns, heads of notes, urls, lists and counts. What is called
//! from here relies on that.
//!
//! Two checks stand elsewhere. How a frame is cut, and how long a list may be, belongs to reading it ([`wire`](crate::wire)). Whether a
//! number continues a session, and whether an acknowledgement is of something that was sent, only
//! [the session](crate::parts::sessions) knows. The id of a question in version 1 is whatever the asker likes: the answer repeats it.

mod answers;
mod checks;

use bytes::Bytes;
use bytestring::ByteString;

use crate::event::Event;
use crate::json;
use crate::limits::MAX_URL;
use crate::mesh::Mesh;
use crate::mesh::pending::Due;
use crate::parts::relays::is_relayed;
use crate::wire::routed::{Content, is_routed};
use crate::wire::v1::{self, Body, Frame, Question};
use crate::wire::v2::{self, Record};
use crate::words::{CloseReason, LinkId, Raw};
use checks::Checks;

impl Mesh {
    fn checks(&self) -> Checks {
        let limits = self.limits();
        Checks { limits }
    }

    /// A text frame has come: version 1.
    pub(super) fn received(&mut self, link: LinkId, text: ByteString) {
        if self.network.link(link).is_none() {
            return;
        }
        let questions = &self.questions;
        let pending = |id: &Raw| v1::request_number(id).is_some_and(|n| questions.is_open(link, n));
        match v1::decode(&text, pending) {
            Some(Frame::Request { id, body }) => self.question(link, Some(id), body),
            Some(Frame::Notification { body }) => self.question(link, None, body),
            Some(Frame::Answer {
                id,
                message,
                error,
                host,
            }) => {
                // An answer that nobody waits for is a late one: a 0.4.0 host would ask back, without end.
                let asked = v1::request_number(&id).and_then(|n| self.questions.take(link, n));
                if let Some(asked) = asked {
                    self.answered(link, asked, message, error, host);
                }
            }
            None => {}
        }
    }

    fn question(&mut self, link: LinkId, id: Option<Raw>, body: Body) {
        match self.checks().question(Question::read(body)) {
            Ok(question) => self.serve(link, id, question),
            Err(question) => self.turn_down(link, id, &question),
        }
    }

    fn serve(&mut self, link: LinkId, id: Option<Raw>, question: Question) {
        match question {
            Question::Greeting(hello) => self.greeting(link, id, *hello, false),
            Question::Join { url } => match id {
                Some(id) => self.join_told(link, url, Some(id)),
                None if is_relayed(link) => self.begins_to_listen(link, url),
                None => self.join_told(link, url, None),
            },
            Question::Goodbye { direct, .. } if self.network.is_given_up(link, direct) => {
                self.drop_link(link);
            }
            Question::Goodbye { host, .. } => self.goodbye(link, id, host),
            Question::Members {
                list,
                digest,
                relayed,
                all,
            } => self.members_request(link, id, list, [digest, relayed], all),
            Question::Near { host } => self.vouched_for(link, host),
            Question::Hosts { urls } => self.hosts_request(link, id, urls),
            Question::Find { peer } => {
                self.event(Event::Lookup { id: peer.clone() });
                self.owe(link, id, Due::Lookup { peer });
            }
            // Whoever is no host of this version hears what a 0.4.0 host says.
            Question::List if self.session_of(link).is_none() => {
                self.refuse(link, id, "Unknown method \"list\"");
            }
            Question::List => {
                self.event(Event::List);
                self.owe(link, id, Due::List);
            }
            Question::Send { from, to, message } => self.deliver_one(link, id, from, to, message),
            Question::Publish { channel, message } => {
                self.publish_one(link, id, channel, message);
            }
            Question::Ping { echo } => self.pong(link, id, echo),
            Question::Unknown { method } => {
                let text = format!("Unknown method \"{}\"", json::display(&method));
                self.refuse(link, id, &text);
            }
        }
    }

    /// Answers a question in which something is too long, or a url no url of a host.
    fn turn_down(&mut self, link: LinkId, id: Option<Raw>, question: &Question) {
        let text = match question {
            Question::Find { .. } => {
                if let Some(id) = id {
                    self.answer(link, v1::answer(&id, Some("null"), None));
                }
                return;
            }
            Question::Publish { .. } => "The channel's name is too long",
            Question::Join { url } if url.len() > MAX_URL => "The url is too long",
            Question::Join { .. } => "Invalid url, expected ws://host:port",
            Question::Unknown { .. } => "Unknown method",
            // No such peer can have been made here, and a 0.4.0 host takes everything else for a success.
            _ => "Error: Peer not found (id is too long)",
        };
        self.refuse(link, id, text);
    }

    /// A binary frame has come: version 2.
    pub(super) fn received_binary(&mut self, link: LinkId, bytes: &Bytes) {
        if self.network.link(link).is_none() {
            return;
        }
        // Whoever has not shaken hands has nothing to say in our protocol; a 0.4.0 host dies of binary frames.
        let Some(host) = self.session_of(link) else {
            return;
        };
        if is_routed(bytes) {
            match self.unwrap_routed(link, &host, bytes) {
                Some(Some((inner, Content::Text(text)))) => self.received(inner, text),
                Some(Some((inner, Content::Records(bytes)))) => self.received_binary(inner, &bytes),
                Some(_) => {}
                None => self.break_off(link, CloseReason::Fault),
            }
            return;
        }
        let checks = self.checks();
        for record in v2::records(bytes) {
            let record = record.map_err(|_| CloseReason::Fault);
            let record = match record.and_then(|record| checks.record(record)) {
                Ok(record) => record,
                Err(reason) => return self.break_off(link, reason),
            };
            if self.record(&host, record).is_none() {
                return self.break_off(link, self.fault(&host));
            }
        }
    }

    /// Why a host is cut off that does not keep to the protocol.
    fn fault(&self, host: &ByteString) -> CloseReason {
        match self.traffic.sessions.get(host) {
            Some(session) if session.incoming.is_beyond() => CloseReason::Policy,
            _ => CloseReason::Fault,
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
                self.take_in(host, first, payload, |payload, _| Event::Deliver {
                    to,
                    from,
                    payload,
                })?;
            }
            Record::Publish {
                first,
                channel,
                payload,
            } => {
                self.take_in(host, first, payload, |payload, _| Event::Publish {
                    channel,
                    payload,
                    from_v1: false,
                })?;
            }
            Record::Note {
                first,
                head,
                payload,
            } => self.take_in_note(host, first, head, payload)?,
            Record::Request {
                first,
                to,
                from,
                number,
                payload,
            } => self.take_in_request(host, first, to, from, number, payload)?,
            Record::Reply {
                first,
                number,
                outcome,
                payload,
            } => self.take_in_reply(host, first, number, outcome, payload)?,
            Record::Gap { first, count } => self.take_in_gap(host, first, count)?,
            Record::Ack(ack) => self.acknowledged(host, &ack)?,
            Record::Interest(interest) => self.interest(host, interest),
            Record::Sync(number) => self.traffic.sync(host, number)?,
            Record::Synced(number) => self.synced(host, number),
            Record::Place(place) => self.traffic.place(host, place),
            Record::Look { number, id } if !self.limits().allow(&id) => {
                self.traffic.not_here(host, number);
            }
            Record::Ask { number, asker, id } if !self.limits().allow(&id) => {
                self.traffic.not_here(&asker, number);
            }
            Record::Look { number, id } => self.look(host, number, id),
            Record::Ask { number, asker, id } => self.ask_here(&asker, number, id),
            Record::Found { number, url } => self.found(host, number, url),
            Record::Beat { interval, stalled } => self.beaten(host, interval, stalled),
            Record::Seen(upto) => self
                .traffic
                .sessions
                .get_mut(host)?
                .incoming
                .seen_upto(upto),
        }
        Some(())
    }
}
