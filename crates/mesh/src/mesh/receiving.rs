//! The one door for what other hosts say. Every frame comes in here, a text or a binary one, also one that comes out of a relayed
//! frame. Every id and channel in it is checked here, once: what is called from here may rely on that.

use bytes::Bytes;
use bytestring::ByteString;

use crate::event::Event;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::network::waiters::Waiter;
use crate::mesh::pending::Due;
use crate::parts::relays::is_relayed;
use crate::wire::greeting::Hello;
use crate::wire::routed::{Content, is_routed};
use crate::wire::v1::{self, Body, Frame};
use crate::wire::v2::{self, Record};
use crate::words::{CloseReason, LinkId, Raw};

/// What another host asks, or tells, in version 1.
enum Question {
    Greeting,
    Join {
        url: ByteString,
    },
    Goodbye,
    Members,
    Hosts,
    Find {
        peer: Option<Raw>,
    },
    List,
    Send {
        from: Option<Raw>,
        to: Option<Raw>,
        message: Option<Raw>,
    },
    Publish {
        channel: Option<Raw>,
        message: Option<Raw>,
    },
    Ping,
    Unknown,
}

impl Question {
    fn read(body: &Body) -> Question {
        match body.method.as_ref().and_then(json::string).as_deref() {
            Some("greeting") => Question::Greeting,
            Some("join") => {
                let [url] = body.params(["url"]);
                let url = url.as_ref().and_then(json::string).unwrap_or_default();
                Question::Join { url }
            }
            Some("goodbye") => Question::Goodbye,
            Some("members") => Question::Members,
            Some("hosts") => Question::Hosts,
            Some("find") => {
                let [peer] = body.params(["id"]);
                Question::Find { peer }
            }
            Some("list") => Question::List,
            Some("send") => {
                let [from, to, message] = body.params(["from", "to", "message"]);
                Question::Send { from, to, message }
            }
            Some("publish") => {
                let [channel, message] = body.params(["channel", "message"]);
                Question::Publish { channel, message }
            }
            Some("ping") => Question::Ping,
            _ => Question::Unknown,
        }
    }

    fn ids(&self) -> [&Option<Raw>; 2] {
        match self {
            Question::Find { peer } => [peer, &None],
            Question::Send { from, to, .. } => [from, to],
            Question::Publish { channel, .. } => [channel, &None],
            _ => [&None, &None],
        }
    }
}

/// The ids of peers, and the channel, in a record.
fn ids(record: &Record) -> [&Option<Raw>; 2] {
    match record {
        Record::Send { to, from, .. } | Record::Request { to, from, .. } => [to, from],
        Record::Publish { channel, .. } => [channel, &None],
        _ => [&None, &None],
    }
}

impl Mesh {
    /// Whether no id or channel is longer than we have said that we take.
    fn allows(&self, ids: [&Option<Raw>; 2]) -> bool {
        let limits = self.limits();
        ids.into_iter().all(|id| limits.allow(id))
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
        let question = Question::read(&body);
        if !self.allows(question.ids()) {
            return self.too_long(link, id, &question);
        }
        match question {
            Question::Greeting => self.greeting(link, id, Hello::read(body.params.as_ref()), false),
            Question::Join { url } => match id {
                Some(id) => self.join(url, Waiter::Request { link, id }),
                None if is_relayed(link) => self.begins_to_listen(link, url),
                None => self.join(url, Waiter::Hint),
            },
            Question::Goodbye if self.network.is_given_up(link, &body) => self.drop_link(link),
            Question::Goodbye => self.goodbye(link, id, &body),
            Question::Members => self.members_request(link, id, &body),
            Question::Hosts => self.hosts_request(link, id, &body),
            Question::Find { peer } => {
                self.event(Event::Lookup { id: peer });
                self.owe(link, id, Due::Lookup);
            }
            Question::List => {
                self.event(Event::List);
                self.owe(link, id, Due::List);
            }
            Question::Send { from, to, message } => self.deliver_one(link, id, from, to, message),
            Question::Publish { channel, message } => {
                self.publish_one(link, id, channel, message);
            }
            Question::Ping => self.pong(link, id, &body),
            Question::Unknown => {
                let text = format!("Unknown method \"{}\"", json::display(&body.method));
                self.refuse(link, id, &text);
            }
        }
    }

    fn too_long(&mut self, link: LinkId, id: Option<Raw>, question: &Question) {
        match question {
            Question::Find { .. } => {
                if let Some(id) = id {
                    self.transmit(link, v1::answer(&id, Some("null"), None));
                }
            }
            Question::Publish { .. } => self.refuse(link, id, "The channel's name is too long"),
            // No such peer can have been made here, and a 0.4.0 host takes everything else for a success.
            _ => self.refuse(link, id, "Error: Peer not found (id is too long)"),
        }
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
        let Ok(records) = v2::decode(bytes) else {
            return self.break_off(link, CloseReason::Fault);
        };
        for record in records {
            if !self.allows(ids(&record)) {
                return self.break_off(link, CloseReason::TooLarge);
            }
            if self.record(&host, record).is_none() {
                return self.break_off(link, CloseReason::Fault);
            }
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
                if let Some(payload) = self.take_in(host, first, payload)? {
                    self.event(Event::Deliver { to, from, payload });
                }
            }
            Record::Publish {
                first,
                channel,
                payload,
            } => {
                if let Some(payload) = self.take_in(host, first, payload)? {
                    let from_v1 = false;
                    self.event(Event::Publish {
                        channel,
                        payload,
                        from_v1,
                    });
                }
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
