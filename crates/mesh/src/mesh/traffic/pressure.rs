//! How much may wait, and what becomes of what is too much: a send fails, something published is dropped and both ends are told.

use bytestring::ByteString;

use super::cargo::{Cargo, Note};
use crate::error::SendError;
use crate::event::Event;
use crate::limits::{Bounds, Limits};
use crate::mesh::Mesh;
use crate::mesh::traffic::Traffic;
use crate::parts::peers::Parcel;
use crate::parts::sessions::{Run, Session};
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::words::{LinkId, Outcome, Raw};

/// What has been dropped is told at this many different channels and hosts, or when no more inputs are at hand.
const MAX_DROPS: usize = 1024;

/// What stands for a reply that its receiver does not take, or for which there is no room.
const TOO_LARGE: &str = "\"The reply is larger than its receiver takes\"";
const NO_ROOM: &str = "\"The reply was not sent, because too much waits for its receiver\"";

/// Why something is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mesh) enum Refusal {
    Overloaded,
    TooLarge,
}

impl Refusal {
    fn error(self, id: Option<Raw>) -> SendError {
        match self {
            Refusal::Overloaded => SendError::Overloaded { id },
            Refusal::TooLarge => SendError::TooLarge { id },
        }
    }

    /// What is said in the place of a reply.
    fn excuse(self) -> &'static str {
        match self {
            Refusal::TooLarge => TOO_LARGE,
            Refusal::Overloaded => NO_ROOM,
        }
    }
}

impl Mesh {
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            bytes: self.config.max_queue_bytes,
            messages: self.config.max_in_flight,
        }
    }

    /// What we take.
    pub(in crate::mesh) fn limits(&self) -> Limits {
        Limits {
            payload: self.config.max_payload,
            id: self.config.max_id_length,
        }
    }

    /// What is said to a host with sessions, from now on until it is acknowledged.
    pub(super) fn load(&mut self, host: &ByteString, cargo: Cargo) {
        let mut bounds = self.bounds();
        let Some(session) = self.traffic.sessions.get(host) else {
            return;
        };
        if !cargo.fits(&session.limits.with(&self.limits())) {
            return self.load_singly(host, cargo);
        }
        if cargo.is_state() {
            return self.take_in_cargo(host, cargo);
        }
        if session.link().is_none() && cargo.is_parcel() {
            let waiting = self.traffic.sessions.waiting();
            if waiting >= bounds.bytes {
                return self.refuse_cargo(host, cargo, Refusal::Overloaded);
            }
            bounds.bytes -= waiting.saturating_sub(session.occupied());
        }
        if !session.has_room(&cargo, &bounds) {
            let room = session.room(&cargo, &bounds);
            return self.load_partly(host, cargo, room);
        }
        self.take_in_cargo(host, cargo);
    }

    /// There is room for so many of the first messages of a run, but not for all.
    fn load_partly(&mut self, host: &ByteString, mut cargo: Cargo, room: u32) {
        let rest = (room > 0).then(|| cargo.split_off(room)).flatten();
        match rest {
            None => self.refuse_cargo(host, cargo, Refusal::Overloaded),
            Some(rest) => {
                self.take_in_cargo(host, cargo);
                self.refuse_cargo(host, rest, Refusal::Overloaded);
            }
        }
    }

    fn take_in_cargo(&mut self, host: &ByteString, cargo: Cargo) {
        self.admit_gap(host);
        let timeout = self.config.request_timeout;
        self.traffic.sessions.push(host, cargo, self.now, timeout);
        self.pump(host, false);
        self.weigh(host);
    }

    /// A run does not fit into a frame: perhaps its messages do.
    fn load_singly(&mut self, host: &ByteString, cargo: Cargo) {
        if cargo.count() == 1 {
            return self.refuse_cargo(host, cargo, Refusal::TooLarge);
        }
        match cargo {
            Cargo::Parcel(parcel) => {
                let numbers = parcel.numbers();
                for (seq, payload) in numbers.zip(parcel.payload.clone().into_singles()) {
                    let single = Parcel {
                        seq,
                        payload,
                        ..parcel.clone()
                    };
                    self.load(host, Cargo::Parcel(single));
                }
            }
            Cargo::Publish { channel, payload } => {
                for payload in payload.into_singles() {
                    let channel = channel.clone();
                    self.load(host, Cargo::Publish { channel, payload });
                }
            }
            Cargo::Note(note) => {
                let numbers = note.seq..;
                for (seq, payload) in numbers.zip(note.payload.into_singles()) {
                    let (head, kind) = (note.head.clone(), note.kind);
                    let single = Note {
                        seq,
                        head,
                        kind,
                        payload,
                    };
                    self.load(host, Cargo::Note(single));
                }
            }
            Cargo::Reply {
                number,
                payload,
                outcome,
            } => {
                for (number, payload) in (number..).zip(payload.into_singles()) {
                    let reply = Cargo::Reply {
                        number,
                        outcome,
                        payload,
                    };
                    self.load(host, reply);
                }
            }
            Cargo::Gap(_) => {}
        }
    }

    fn refuse_cargo(&mut self, host: &ByteString, cargo: Cargo, why: Refusal) {
        match cargo {
            Cargo::Parcel(parcel) => {
                self.refuse_parcel(&parcel, why);
                self.landed(&parcel, parcel.payload.count());
            }
            Cargo::Note(_) if sabotage::is(Sabotage::LostNotes) => {}
            Cargo::Note(note) => {
                let error = why.error(None);
                self.note_failed(&note, 0..note.payload.count(), &error);
            }
            Cargo::Publish { channel, payload } => self.drop_publish(host, channel, &payload),
            Cargo::Reply {
                number,
                outcome,
                payload,
            } => {
                // A reply without content is short already.
                let (outcome, excuse) = match payload {
                    Payload::Undefined { .. } => (outcome, None),
                    _ => (Outcome::Threw, Some(why.excuse())),
                };
                for number in number..number + u64::from(payload.count()) {
                    let reply = Cargo::Reply {
                        number,
                        outcome,
                        payload: Payload::one(excuse.map(ByteString::from_static)),
                    };
                    self.push_short(host, reply);
                }
                self.pump(host, false);
            }
            Cargo::Gap(_) => {}
        }
    }

    /// Whoever asked shall not have to wait for a reply until the timeout: there is room for something short instead, unless somebody
    /// asks on and on and takes nothing.
    fn push_short(&mut self, host: &ByteString, reply: Cargo) {
        let Bounds { bytes, messages } = self.bounds();
        let bounds = Bounds {
            bytes: bytes.saturating_mul(2),
            messages: messages.saturating_mul(2),
        };
        let room = |session: &Session<Cargo>| session.has_room(&reply, &bounds);
        if self.traffic.sessions.get(host).is_some_and(room) {
            let timeout = self.config.request_timeout;
            self.traffic.sessions.push(host, reply, self.now, timeout);
        }
    }

    /// Gives the first messages of a parcel, as many as there is room for. The others are refused.
    pub(super) fn admit_part(&mut self, mut parcel: Parcel, room: u32) -> Option<Parcel> {
        if room == 0 {
            self.refuse_parcel(&parcel, Refusal::Overloaded);
            return None;
        }
        if let Some(rest) = parcel.split_off(room) {
            self.refuse_parcel(&rest, Refusal::Overloaded);
        }
        Some(parcel)
    }

    fn refuse_parcel(&mut self, parcel: &Parcel, why: Refusal) {
        for seq in parcel.numbers() {
            self.failed(seq, why.error(parcel.to.clone()));
        }
    }

    /// Something published does not go to that host. It will learn that something is missing, in its place.
    pub(super) fn drop_publish(
        &mut self,
        host: &ByteString,
        channel: Option<Raw>,
        payload: &Payload,
    ) {
        let count = u64::from(payload.count());
        if let Some(session) = self.traffic.sessions.get_mut(host) {
            session.skipped += count;
        }
        let key = self.traffic.key_of(host);
        self.note_drop(key, channel, count);
    }

    pub(super) fn note_drop(&mut self, key: ByteString, channel: Option<Raw>, count: u64) {
        *self.traffic.drops.entry((key, channel)).or_default() += count;
        if self.traffic.drops.len() >= MAX_DROPS {
            self.tell_drops();
        }
    }

    /// Tells the program what was dropped.
    pub(in crate::mesh) fn tell_drops(&mut self) {
        for ((key, channel), count) in std::mem::take(&mut self.traffic.drops) {
            self.event(Event::Dropped {
                key,
                channel,
                count,
            });
        }
    }

    /// If something was dropped, says so before anything that comes after it.
    fn admit_gap(&mut self, host: &ByteString) {
        if let Some(session) = self.traffic.sessions.get_mut(host)
            && session.skipped > 0
        {
            let gap = Cargo::Gap(std::mem::take(&mut session.skipped));
            let timeout = self.config.request_timeout;
            self.traffic.sessions.push(host, gap, self.now, timeout);
        }
    }

    /// There is more room than before: what was dropped can be told, and perhaps the program can go on.
    pub(super) fn relieve(&mut self, host: &ByteString) {
        let bounds = self.bounds();
        if let Some(session) = self.traffic.sessions.get(host)
            && session.skipped > 0
            && !session.is_full(&bounds)
        {
            self.admit_gap(host);
            self.pump(host, false);
        }
        if !self.traffic.pressed.is_empty() {
            self.weigh(host);
        }
    }

    /// Notes how much waits for a connected host.
    pub(super) fn weigh(&mut self, host: &ByteString) {
        let Some(session) = self.traffic.sessions.get(host) else {
            return;
        };
        let (bytes, messages) = (session.occupied(), session.messages());
        if let Some(link) = session.link() {
            self.press(link, bytes, messages);
        }
    }

    pub(super) fn press(&mut self, link: LinkId, bytes: usize, messages: usize) {
        let bounds = self.bounds();
        if bytes > bounds.bytes / 2 || messages > bounds.messages / 2 {
            if self.traffic.pressed.insert(link) {
                let key = self.network.link(link).and_then(|l| l.key.clone());
                self.event(Event::Slow {
                    key: key.unwrap_or_default(),
                });
            }
        } else if bytes <= bounds.bytes / 4 && messages <= bounds.messages / 4 {
            self.release(link);
        }
    }

    /// Not much waits for that link, or it has ended.
    pub(in crate::mesh) fn release(&mut self, link: LinkId) {
        if self.traffic.pressed.remove(&link) && self.traffic.pressed.is_empty() {
            self.event(Event::Relieved);
        }
    }

    // What waits for nobody in particular.

    /// Has a parcel wait for a search. If that is asleep and the parcel cannot wait for a lost host, it goes on.
    pub(super) fn await_search(&mut self, parcel: Parcel) {
        let bounds = self.bounds();
        let (key, patient) = (parcel.key.clone(), parcel.patient);
        let room = match parcel.returned {
            true => parcel.payload.count(),
            false => self.traffic.peers.room(&parcel, &bounds),
        };
        if let Some(parcel) = self.admit_part(parcel, room) {
            self.traffic.peers.wait(&key, parcel);
        }
        if !patient {
            self.look_again(&key);
        }
    }

    /// Ends the session with a host that did not say goodbye: something may be missing on both sides.
    pub(in crate::mesh) fn break_session(&mut self, host: &ByteString) {
        let key = self.traffic.key_of(host);
        let Some(session) = self.traffic.sessions.get(host) else {
            return;
        };
        let mut lost: Vec<(Option<Raw>, u64)> = Vec::new();
        for cargo in session.not_said() {
            if let Cargo::Publish { channel, payload } = cargo {
                lost.push((channel.clone(), payload.count().into()));
            }
        }
        for (channel, count) in lost {
            self.note_drop(key.clone(), channel, count);
        }
        self.perhaps_missing(key);
        self.end_session(host);
    }

    /// Of what that host has published something may be missing here.
    pub(in crate::mesh) fn perhaps_missing(&mut self, key: ByteString) {
        if !self.config.interests || self.traffic.channels.here().len() > 0 {
            self.event(Event::Gap { key, count: None });
        }
    }
}

impl Traffic {
    /// The key of a host with a session, as connections or timers have it.
    pub(super) fn key_of(&self, host: &ByteString) -> ByteString {
        let session = self.sessions.get(host);
        session.map_or_else(|| host.clone(), |s| s.key.clone())
    }
}
