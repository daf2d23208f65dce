//! How much may wait, and what becomes of what is too much: a send fails, something published is dropped and both ends are told.

use bytestring::ByteString;

use super::Mesh;
use super::notes::Note;
use super::traffic::Cargo;
use crate::error::SendError;
use crate::event::{Event, LinkId, Outcome, Output, Raw};
use crate::limits::{Bounds, Limits};
use crate::payload::Payload;
use crate::peers::Parcel;
use crate::sessions::Run;
use crate::stats::{Queue, Stats};
use crate::wire::json;
use crate::wire::v1;

/// What an open request to an original host takes beside its message.
const ENTRY: usize = 256;

/// A message that takes more than this is not small.
const SMALL: usize = 256;

/// What has been dropped is told at this many different channels and hosts, or when no more inputs are at hand.
const MAX_DROPS: usize = 1024;

/// What stands for a reply that its receiver does not take.
const TOO_LARGE: &str = "\"The reply is larger than its receiver takes\"";

/// What waits for an original host. It knows no sessions.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// What its socket does not take, as the driver says.
    backlog: usize,
    /// Sends that it has not answered.
    flying: usize,
    bytes: usize,
}

impl Plain {
    fn has_room(&self, written: usize, kept: usize, count: usize, bounds: &Bounds) -> bool {
        let Plain {
            backlog,
            flying,
            bytes,
        } = self;
        (*backlog == 0 || backlog + written <= bounds.bytes)
            && (*flying == 0 || bytes + kept <= bounds.bytes && flying + count <= bounds.messages)
    }
}

/// Why something is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
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
}

impl Mesh {
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            bytes: self.config.max_queue_bytes,
            messages: self.config.max_in_flight,
        }
    }

    /// What we take.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            payload: self.config.max_payload,
            id: self.config.max_id_length,
        }
    }

    /// What is said to a host with sessions, from now on until it is acknowledged.
    pub(super) fn load(&mut self, host: &ByteString, cargo: Cargo) {
        let bounds = self.bounds();
        let Some(session) = self.sessions.get(host) else {
            return;
        };
        if !cargo.fits(&session.limits.with(&self.limits())) {
            return self.load_singly(host, cargo);
        }
        let lost = session.link().is_none();
        let reply = matches!(cargo, Cargo::Reply { .. });
        if !reply && !session.has_room(&cargo, &bounds)
            || (lost && cargo.is_parcel() && self.sessions.waiting() >= bounds.bytes)
        {
            return self.refuse_cargo(host, cargo, Refusal::Overloaded);
        }
        self.admit_gap(host);
        let timeout = self.config.request_timeout;
        self.sessions.push(host, cargo, self.now, timeout);
        self.pump(host, false);
        self.weigh(host);
    }

    /// A run does not fit into a frame: perhaps its messages do.
    fn load_singly(&mut self, host: &ByteString, cargo: Cargo) {
        if cargo.count() == 1 && !matches!(cargo, Cargo::Reply { .. }) {
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
                    let head = note.head.clone();
                    self.load(host, Cargo::Note(Note { seq, head, payload }));
                }
            }
            Cargo::Reply {
                number,
                payload,
                outcome,
            } => {
                let single = payload.count() == 1;
                for (number, payload) in (number..).zip(payload.into_singles()) {
                    // Whoever asked shall not have to wait for it until the timeout.
                    let (outcome, payload) = match single {
                        true => (Outcome::Threw, Payload::one(Some(TOO_LARGE.into()))),
                        false => (outcome, payload),
                    };
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
                self.landed(&parcel.key, parcel.payload.count());
            }
            Cargo::Note(note) => {
                let error = why.error(None);
                self.note_failed(&note, 0..note.payload.count(), &error);
            }
            Cargo::Publish { channel, payload } => self.drop_publish(host, channel, &payload),
            Cargo::Reply { .. } | Cargo::Gap(_) => {}
        }
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
        if let Some(session) = self.sessions.get_mut(host) {
            session.skipped += count;
        }
        let key = self.key_of(host);
        self.note_drop(key, channel, count);
    }

    fn note_drop(&mut self, key: ByteString, channel: Option<Raw>, count: u64) {
        *self.drops.entry((key, channel)).or_default() += count;
        if self.drops.len() >= MAX_DROPS {
            self.tell_drops();
        }
    }

    /// Tells the program what was dropped.
    pub(super) fn tell_drops(&mut self) {
        for ((key, channel), count) in std::mem::take(&mut self.drops) {
            self.event(Event::Dropped {
                key,
                channel,
                count,
            });
        }
    }

    /// If something was dropped, says so before anything that comes after it.
    fn admit_gap(&mut self, host: &ByteString) {
        if let Some(session) = self.sessions.get_mut(host)
            && session.skipped > 0
        {
            let gap = Cargo::Gap(std::mem::take(&mut session.skipped));
            let timeout = self.config.request_timeout;
            self.sessions.push(host, gap, self.now, timeout);
        }
    }

    /// There is more room than before: what was dropped can be told, and perhaps the program can go on.
    pub(super) fn relieve(&mut self, host: &ByteString) {
        let bounds = self.bounds();
        if let Some(session) = self.sessions.get(host)
            && session.skipped > 0
            && !session.is_full(&bounds)
        {
            self.admit_gap(host);
            self.pump(host, false);
        }
        if !self.pressed.is_empty() {
            self.weigh(host);
        }
    }

    /// Notes how much waits for a connected host.
    pub(super) fn weigh(&mut self, host: &ByteString) {
        let Some(session) = self.sessions.get(host) else {
            return;
        };
        let (bytes, messages) = (session.occupied(), session.messages());
        if let Some(link) = session.link() {
            self.press(link, bytes, messages);
        }
    }

    fn press(&mut self, link: LinkId, bytes: usize, messages: usize) {
        let bounds = self.bounds();
        if bytes > bounds.bytes / 2 || messages > bounds.messages / 2 {
            self.pressed.insert(link);
        } else if bytes <= bounds.bytes / 4 && messages <= bounds.messages / 4 {
            self.release(link);
        }
    }

    /// Not much waits for that link, or it has ended.
    pub(super) fn release(&mut self, link: LinkId) {
        if self.pressed.remove(&link) && self.pressed.is_empty() {
            self.event(Event::Relieved);
        }
    }

    // Original hosts.

    /// What waits to be written to a link.
    pub(super) fn backlog(&mut self, link: LinkId, bytes: usize) {
        if self.hosts.get(link).is_some_and(|l| l.key.is_some()) && self.session_of(link).is_none()
        {
            self.plains.entry(link).or_default().backlog = bytes;
            self.weigh_plain(link);
        }
    }

    fn weigh_plain(&mut self, link: LinkId) {
        if let Some(plain) = self.plains.get(&link) {
            let (bytes, messages) = (plain.backlog.max(plain.bytes), plain.flying);
            self.press(link, bytes, messages);
        }
    }

    fn kept(parcel: &Parcel) -> usize {
        ENTRY * parcel.payload.count() as usize + parcel.payload.size()
    }

    /// Whether a parcel may go to an original host. It is told about otherwise.
    pub(super) fn admit_plain(&mut self, link: LinkId, parcel: &Parcel) -> bool {
        let bounds = self.bounds();
        let (kept, count) = (Self::kept(parcel), parcel.payload.count() as usize);
        let plain = self.plains.entry(link).or_default();
        if !plain.has_room(parcel.payload.size(), kept, count, &bounds) {
            self.refuse_parcel(parcel, Refusal::Overloaded);
            self.landed(&parcel.key, parcel.payload.count());
            return false;
        }
        plain.flying += count;
        plain.bytes += kept;
        self.weigh_plain(link);
        true
    }

    /// A send to an original host has ended.
    pub(super) fn landed_plain(&mut self, link: LinkId, parcel: &Parcel) {
        if let Some(plain) = self.plains.get_mut(&link) {
            plain.flying = plain.flying.saturating_sub(1);
            plain.bytes = plain.bytes.saturating_sub(Self::kept(parcel));
            if self.pressed.contains(&link) {
                self.weigh_plain(link);
            }
        }
    }

    /// Publishes to the original hosts.
    pub(super) fn publish_plain(&mut self, channel: Option<Raw>, payload: Payload) {
        let bounds = self.bounds();
        let (size, count) = (payload.size(), u64::from(payload.count()));
        let mut links: Vec<LinkId> = self.hosts.plain().collect();
        links.retain(|link| {
            let room = |p: &Plain| p.backlog == 0 || p.backlog + size <= bounds.bytes;
            let fine = self.plains.get(link).is_none_or(room);
            if !fine {
                let key = self.hosts.get(*link).and_then(|l| l.key.clone());
                self.note_drop(key.unwrap_or_default(), channel.clone(), count);
            }
            fine
        });
        if links.is_empty() {
            return;
        }
        for message in payload.into_json() {
            let text = v1::publish(&channel, &message);
            for link in &links {
                let (link, text) = (*link, text.clone());
                self.out.push(Output::Transmit { link, text });
            }
        }
    }

    /// Whether an id that came by the original's protocol is not too long.
    pub(super) fn allows(&self, id: &Option<Raw>) -> bool {
        self.limits().allow(id)
    }

    // What waits for nobody in particular.

    /// Has a parcel wait for a search.
    pub(super) fn await_search(&mut self, parcel: Parcel) {
        let bounds = self.bounds();
        let key = parcel.key.clone();
        if !parcel.returned && !self.peers.has_room(&parcel, &bounds) {
            self.refuse_parcel(&parcel, Refusal::Overloaded);
        } else {
            self.peers.wait(&key, parcel);
        }
    }

    /// The host with sessions that has that url or key, if it is lost and may come back.
    pub(super) fn lost_session(&self, url: &ByteString) -> Option<ByteString> {
        let lost = self.hosts.lost_behind(url);
        let host = lost.or_else(|| self.hosts.hints(url).into_iter().next())?;
        let session = self.sessions.get(&host)?;
        session.link().is_none().then_some(host)
    }

    /// The key of a host with a session, as connections or timers have it.
    pub(super) fn key_of(&self, host: &ByteString) -> ByteString {
        let session = self.sessions.get(host);
        session.map_or_else(|| host.clone(), |s| s.key.clone())
    }

    /// Ends the session with a host that did not say goodbye: something may be missing on both sides.
    pub(super) fn break_session(&mut self, host: &ByteString) {
        let key = self.key_of(host);
        let Some(session) = self.sessions.get(host) else {
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
        if !self.config.interests || self.channels.here().len() > 0 {
            self.event(Event::Gap { key, count: None });
        }
        self.end_session(host);
    }

    // What the driver and the program may ask.

    /// Whether it would be better to publish no more for now. When that changes, [`Event::Relieved`] tells so.
    pub fn is_pressed(&self) -> bool {
        !self.pressed.is_empty()
    }

    /// Whether a send to that peer would fail because too much is under way.
    pub fn refuses(&self, to: &Option<Raw>) -> bool {
        let key = json::id_key(to);
        let bounds = self.bounds();
        let Some(address) = self.peers.address(&key) else {
            return self.peers.is_full(&bounds);
        };
        let Some(link) = self.hosts.route(&address.url) else {
            return false;
        };
        match self.session_of(link).and_then(|h| self.sessions.get(&h)) {
            Some(session) => session.is_full(&bounds),
            None => self
                .plains
                .get(&link)
                .is_some_and(|p| !p.has_room(SMALL, ENTRY + SMALL, 1, &bounds)),
        }
    }

    /// What has been done so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What waits for each host that is connected, or lost.
    pub fn queues(&self) -> Vec<Queue> {
        let joined = self.hosts.joined().map(|(key, link)| {
            let session = self.session_of(link).and_then(|h| self.sessions.get(&h));
            let plain = self.plains.get(&link);
            let (messages, bytes, in_flight) = match (session, plain) {
                (Some(s), _) => (s.messages(), s.occupied(), s.in_flight()),
                (None, Some(p)) => (p.flying, p.backlog + p.bytes, p.bytes),
                (None, None) => (0, 0, 0),
            };
            let (key, link) = (key.clone(), Some(link));
            Queue {
                key,
                link,
                messages,
                bytes,
                in_flight,
            }
        });
        let lost = self.sessions.hosts().into_iter().filter_map(|host| {
            let session = self.sessions.get(&host).filter(|s| s.link().is_none())?;
            Some(Queue {
                key: self.key_of(&host),
                link: None,
                messages: session.messages(),
                bytes: session.occupied(),
                in_flight: 0,
            })
        });
        joined.chain(lost).collect()
    }

    /// How many messages are under way: not acknowledged, or not even sent.
    pub fn under_way(&self) -> usize {
        let queued: usize = self.queues().iter().map(|q| q.messages).sum();
        queued + self.peers.waiting()
    }

    /// How many bytes the answers take that wait for the program, about.
    pub fn owed(&self) -> usize {
        self.answers.held() * ENTRY
    }

    /// Ends `drain` when nothing is under way any more.
    pub(super) fn finish_draining(&mut self) {
        if self.draining.is_some()
            && self.under_way() == 0
            && let Some(call) = self.draining.take()
        {
            self.done(call, Ok(crate::event::Answer::Done));
        }
    }
}
