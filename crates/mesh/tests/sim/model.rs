//! What has been promised, and whether it is kept: every message that was sent, what became of it, and in which order.

use std::collections::{BTreeMap, HashMap};

use bytestring::ByteString;
use distribus_mesh::{
    Answer, BinaryKind, CallError, Event, Outcome as Answered, Payload, SendError,
};

use super::quiet::is_wanted;

/// A message, by its place in the order of all calls of the whole network.
pub type Id = usize;

/// One life of a host, by its place in the order in which they began.
pub type Life = usize;

/// How a send has ended, as its sender was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Open,
    Settled,
    Threw,
    /// Never delivered.
    Definite(SendError),
    /// Delivered once or not at all.
    Unknown(SendError),
}

impl Outcome {
    /// Whether it may be delivered after its sender was told this.
    pub(super) fn may_still_arrive(&self) -> bool {
        matches!(self, Outcome::Open | Outcome::Unknown(_))
    }
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) sender: Life,
    /// The peer that it is for; none when it was published, or is a note.
    to: Option<String>,
    /// The host whose program it is for, by its id, if it is a note.
    pub(super) host: Option<String>,
    /// It is a job: what becomes of it is told even after a timeout.
    pub(super) job: bool,
    from: String,
    channel: String,
    pub(super) outcome: Outcome,
    /// Where it was delivered.
    pub(super) delivered: Vec<Life>,
    threw: bool,
    /// The hosts that sent it back because the peer did not live there.
    pub(super) returned: Vec<Life>,
    /// It could leave at once, or waited in its place: this host was known as the receiver's.
    direct: Option<Life>,
    /// A reply is wanted.
    asks: bool,
    replies: u32,
    /// The host that has accepted it, if it is a request.
    accepted: Option<String>,
    /// That host will not reply, as its sender was told.
    gone: bool,
    /// It has no content by which to know it: the run to which it belongs.
    run: Option<usize>,
}

impl Message {
    pub(super) fn new(sender: Life) -> Message {
        Message {
            sender,
            to: None,
            host: None,
            job: false,
            from: String::new(),
            channel: String::new(),
            outcome: Outcome::Open,
            delivered: Vec::new(),
            threw: false,
            returned: Vec::new(),
            direct: None,
            asks: false,
            replies: 0,
            accepted: None,
            gone: false,
            run: None,
        }
    }
}

/// Messages without content, which are only counted.
#[derive(Debug, Default)]
struct Run {
    count: u32,
    arrived: BTreeMap<Life, u32>,
    ended: u32,
}

#[derive(Debug, Default)]
pub(super) struct LifeRecord {
    pub(super) name: String,
    alive: bool,
    pub(super) sends: Vec<Id>,
    calls: BTreeMap<u64, bool>,
    published: Vec<Id>,
}

/// The checker. Every method that finds a promise broken panics and says which.
#[derive(Debug, Default)]
pub struct Model {
    pub(super) messages: Vec<Message>,
    by_content: HashMap<String, Id>,
    runs: Vec<Run>,
    runs_by_name: HashMap<String, usize>,
    pub(super) lives: Vec<LifeRecord>,
    /// What programs have replied, and whether it is a value or an error.
    replied: HashMap<String, Answered>,
    /// The last message delivered from a host to a peer.
    last_to_peer: HashMap<(Life, String), Id>,
    last_on_channel: HashMap<(Life, String, Life), Id>,
    last_direct: HashMap<(Life, Life), Id>,
    /// How many published messages a program was told do not reach the host with that key, and are missing from it; none if nobody knows.
    dropped: HashMap<(Life, String), u64>,
    gaps: HashMap<(Life, String), Option<u64>>,
    /// Whether messages may look otherwise when they arrive, because version 1 has carried them.
    pub translated: bool,
    /// Whether replies may be replaced by excuses, because only little may wait.
    pub excuses: bool,
    pub counts: Counts,
}

/// What has happened, to see that something has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: u64,
    pub delivered: u64,
    pub settled: u64,
    pub not_found: u64,
    pub unreachable: u64,
    pub unknown: u64,
    pub replies: u64,
    pub dropped: u64,
    pub refused: u64,
    pub notes: u64,
    pub gone: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.messages += other.messages;
        self.delivered += other.delivered;
        self.settled += other.settled;
        self.not_found += other.not_found;
        self.unreachable += other.unreachable;
        self.unknown += other.unknown;
        self.replies += other.replies;
        self.dropped += other.dropped;
        self.refused += other.refused;
        self.notes += other.notes;
        self.gone += other.gone;
    }
}

impl Model {
    pub fn begin_life(&mut self, name: String) -> Life {
        self.lives.push(LifeRecord {
            name,
            alive: true,
            ..LifeRecord::default()
        });
        self.lives.len() - 1
    }

    pub fn end_life(&mut self, life: Life) {
        self.lives[life].alive = false;
    }

    pub fn next_id(&self) -> Id {
        self.messages.len()
    }

    /// Notes messages before they are sent. Their contents must be unique, unless they are undefined: then `from` is.
    pub fn sent(
        &mut self,
        sender: Life,
        from: &str,
        to: &str,
        payload: &Payload,
        direct: Option<Life>,
        asks: bool,
    ) {
        let first = self.note(sender, payload, from, |_| Message {
            to: Some(to.to_owned()),
            from: from.to_owned(),
            direct,
            asks,
            ..Message::new(sender)
        });
        self.lives[sender].sends.extend(first..self.messages.len());
    }

    pub fn published(&mut self, sender: Life, channel: &str, payload: &Payload) {
        let first = self.note(sender, payload, channel, |_| Message {
            channel: channel.to_owned(),
            ..Message::new(sender)
        });
        self.lives[sender]
            .published
            .extend(first..self.messages.len());
    }

    pub(super) fn note(
        &mut self,
        _sender: Life,
        payload: &Payload,
        name: &str,
        message: impl Fn(Id) -> Message,
    ) -> Id {
        let first = self.messages.len();
        self.counts.messages += u64::from(payload.count());
        let run = matches!(payload, Payload::Undefined { .. }).then(|| {
            self.runs.push(Run {
                count: payload.count(),
                ..Run::default()
            });
            self.runs_by_name
                .insert(name.to_owned(), self.runs.len() - 1);
            self.runs.len() - 1
        });
        for content in contents(payload) {
            let id = self.messages.len();
            self.messages.push(Message { run, ..message(id) });
            if let Some(content) = content {
                self.by_content.insert(content, id);
            }
        }
        if self.translated && run.is_none() {
            for (n, text) in payload.clone().into_json().into_iter().enumerate() {
                let value: serde_json::Value =
                    serde_json::from_str(text.as_deref().unwrap_or("null")).expect("JSON");
                self.by_content.insert(format!("j{value}"), first + n);
            }
        }
        first
    }

    pub(super) fn find(
        &self,
        content: &Option<String>,
        name: &str,
        what: &str,
    ) -> Result<Id, usize> {
        match content {
            Some(content) => match self.by_content.get(content) {
                Some(id) => Ok(*id),
                None => panic!("{what} that nobody has sent: {content}"),
            },
            None => match self.runs_by_name.get(name) {
                Some(run) => Err(*run),
                None => panic!("{what}: undefined that nobody has sent, from {name}"),
            },
        }
    }

    /// A listener of peer `to` has been called.
    pub fn delivered(
        &mut self,
        at: Life,
        from: &str,
        to: &str,
        content: &Option<String>,
        threw: bool,
    ) {
        self.counts.delivered += 1;
        let id = match self.find(content, from, "delivered") {
            Ok(id) => id,
            Err(run) => return self.arrived(run, at),
        };
        let m = &mut self.messages[id];
        assert!(
            m.to.as_deref() == Some(to) && m.from == from,
            "message {id} was for {:?} from {} and came to {to} from {from}",
            m.to,
            m.from
        );
        assert!(
            m.delivered.is_empty(),
            "message {id} delivered twice: {:?} and at {}",
            m.delivered,
            at
        );
        assert!(
            !matches!(m.outcome, Outcome::Definite(_)),
            "message {id} delivered after {:?}",
            m.outcome
        );
        assert!(
            matches!(m.outcome, Outcome::Open | Outcome::Unknown(_)),
            "message {id} delivered after {:?}",
            m.outcome
        );
        m.delivered.push(at);
        m.threw = threw;
        // Over version 1 the order holds while a connection lasts: what was on its way when it ended may come after what the next brings.
        if self.translated && matches!(m.outcome, Outcome::Unknown(_)) {
            return;
        }
        let key = (m.sender, to.to_owned());
        let last = self.last_to_peer.entry(key).or_insert(id);
        assert!(*last <= id, "message {id} to {to} delivered after {last}");
        *last = id;
        let direct = m.direct == Some(at) && m.returned.is_empty();
        let sender = m.sender;
        if direct {
            self.in_order(sender, at, id);
        }
    }

    /// Whoever published it, or sent it to a known host, did so after everything that has arrived before.
    pub(super) fn in_order(&mut self, sender: Life, at: Life, id: Id) {
        let last = self.last_direct.entry((sender, at)).or_insert(id);
        assert!(
            *last <= id,
            "message {id} of host {sender} came to host {at} after {last}"
        );
        *last = id;
    }

    fn arrived(&mut self, run: usize, at: Life) {
        let r = &mut self.runs[run];
        *r.arrived.entry(at).or_default() += 1;
        let most = r.arrived.values().copied().max().unwrap_or_default();
        assert!(most <= r.count, "undefined came more often than sent");
    }

    /// The peer was not there.
    pub fn not_here(&mut self, at: Life, from: &str, content: &Option<String>) {
        if let Ok(id) = self.find(content, from, "brought") {
            let m = &mut self.messages[id];
            assert!(
                m.delivered.is_empty(),
                "message {id} was brought again, to host {at}"
            );
            m.returned.push(at);
        }
    }

    /// A subscriber has been called.
    pub fn heard(&mut self, at: Life, channel: &str, content: &Option<String>) {
        self.counts.delivered += 1;
        let id = match self.find(content, channel, "heard") {
            Ok(id) => id,
            Err(run) => return self.arrived(run, at),
        };
        let m = &mut self.messages[id];
        assert!(
            m.to.is_none() && m.host.is_none() && m.channel == channel,
            "message {id} came on {channel}, not {}",
            m.channel
        );
        assert!(
            !m.delivered.contains(&at),
            "message {id} heard twice at {at}"
        );
        m.delivered.push(at);
        let sender = m.sender;
        let key = (sender, channel.to_owned(), at);
        let last = self.last_on_channel.entry(key).or_insert(id);
        assert!(
            *last <= id,
            "message {id} on {channel} came to host {at} after {last}"
        );
        *last = id;
        self.in_order(sender, at, id);
    }

    pub fn called(&mut self, life: Life, call: u64) {
        self.lives[life].calls.insert(call, false);
    }

    /// What a mesh tells its program, at the moment when it says so.
    pub fn told(&mut self, life: Life, event: &Event) {
        match event {
            Event::Settled { seq, count } | Event::Accepted { seq, count, .. } => {
                assert!(*count > 0, "nothing settled");
                let asks = matches!(event, Event::Accepted { .. });
                for seq in *seq..seq + count {
                    let id = self.lives[life].sends.get(seq as usize).copied();
                    let is = id.is_some_and(|id| self.messages[id].asks);
                    assert!(is == asks, "host {life}: send {seq} ended as {event:?}");
                    self.ended(life, seq, Outcome::Settled);
                    if let (Event::Accepted { host, .. }, Some(id)) = (event, id) {
                        self.messages[id].accepted = Some(host.to_string());
                    }
                }
            }
            Event::Failed { seq, error } => {
                let outcome = match error {
                    SendError::NotFound { .. }
                    | SendError::Unreachable { .. }
                    | SendError::NotSupported { .. }
                    | SendError::Overloaded { .. }
                    | SendError::TooLarge { .. }
                    | SendError::Closed => Outcome::Definite(error.clone()),
                    SendError::Threw | SendError::ThrewNotFound { .. } => Outcome::Threw,
                    SendError::Unknown { .. } | SendError::Timeout { .. } => {
                        Outcome::Unknown(error.clone())
                    }
                };
                self.ended(life, *seq, outcome);
            }
            Event::Reply {
                number,
                payload,
                outcome,
            } => {
                for (number, content) in (*number..).zip(contents(payload)) {
                    self.has_reply(life, number, &content, *outcome);
                }
            }
            Event::Gone { host } => self.has_gone(life, host),
            Event::Forgotten { id } => {
                // What waits is looked for again, and takes its place then.
                for sent in &self.lives[life].sends {
                    let m = &mut self.messages[*sent];
                    if m.outcome == Outcome::Open && m.to.as_deref() == Some(&**id) {
                        m.direct = None;
                    }
                }
            }
            Event::Dropped { key, count, .. } => {
                self.counts.dropped += count;
                *self.dropped.entry((life, key.to_string())).or_default() += count;
            }
            Event::Gap { key, count } => {
                let gaps = self.gaps.entry((life, key.to_string())).or_insert(Some(0));
                *gaps = gaps.zip(*count).map(|(before, more)| before + more);
            }
            Event::Done { call, result } => {
                let Some(done) = self.lives[life].calls.get_mut(call) else {
                    panic!("host {life}: call {call} ended, and was never made");
                };
                assert!(!*done, "host {life}: call {call} ended twice: {result:?}");
                *done = true;
                let _: &Result<Answer, CallError> = result;
            }
            _ => {}
        }
    }

    /// A program replies to a request of the host with that id.
    pub fn replies(&mut self, content: String, outcome: Answered) {
        self.replied.insert(content, outcome);
    }

    fn has_reply(&mut self, life: Life, number: u64, content: &Option<String>, outcome: Answered) {
        let Some(id) = self.lives[life].sends.get(number as usize).copied() else {
            panic!("host {life}: a reply to request {number}, which was never made");
        };
        let m = &mut self.messages[id];
        assert!(m.asks, "message {id} was replied to, and is no request");
        assert!(
            m.run.is_some() || m.delivered.len() == 1,
            "message {id} was replied to, and was not delivered"
        );
        assert!(
            !matches!(m.outcome, Outcome::Definite(_) | Outcome::Threw),
            "message {id} was replied to after {:?}",
            m.outcome
        );
        m.replies += 1;
        assert!(m.replies == 1, "message {id} was replied to again");
        // After it had gone: a late reply, over another session with the same host, which the program drops.
        self.counts.replies += 1;
        let excuse = content
            .as_ref()
            .is_some_and(|c| c.starts_with("j\"The reply "));
        let asker = self.lives[life].name.rsplit(' ').next().unwrap_or_default();
        let expected = format!("j\"{asker} {number}\"");
        let said = match excuse && self.excuses {
            true => Some(Answered::Threw),
            false if *content == Some(expected.clone()) => self.replied.get(&expected).copied(),
            false => None,
        };
        assert_eq!(
            said,
            Some(outcome),
            "message {id} (request {number}) was replied to with {content:?}"
        );
    }

    /// That host will not reply any more.
    fn has_gone(&mut self, life: Life, host: &str) {
        for id in &self.lives[life].sends {
            let m = &mut self.messages[*id];
            if m.replies == 0 && m.accepted.as_deref() == Some(host) {
                self.counts.gone += u64::from(!m.gone);
                m.gone = true;
            }
        }
    }

    fn ended(&mut self, life: Life, seq: u64, outcome: Outcome) {
        let Some(id) = self.lives[life].sends.get(seq as usize).copied() else {
            panic!("host {life}: send {seq} ended, and was never made");
        };
        let m = &mut self.messages[id];
        let late = m.job && matches!(m.outcome, Outcome::Unknown(SendError::Timeout { .. }));
        let again = matches!(outcome, Outcome::Unknown(SendError::Timeout { .. }));
        assert!(
            m.outcome == Outcome::Open || (late && !again),
            "message {id} (send {seq} of host {life}) ended as {:?} and again as {outcome:?}",
            m.outcome
        );
        match outcome {
            Outcome::Settled | Outcome::Threw => self.counts.settled += 1,
            Outcome::Definite(SendError::NotFound { .. }) => self.counts.not_found += 1,
            Outcome::Definite(SendError::Overloaded { .. }) => self.counts.refused += 1,
            Outcome::Definite(_) => self.counts.unreachable += 1,
            _ => self.counts.unknown += 1,
        }
        let delivered = m.delivered.len();
        match (&outcome, m.run) {
            (Outcome::Settled | Outcome::Threw, Some(run)) => {
                let r = &mut self.runs[run];
                r.ended += 1;
                let arrived: u32 = r.arrived.values().sum();
                assert!(
                    r.ended <= arrived,
                    "message {id} (undefined) ended as {outcome:?} and did not arrive"
                );
            }
            (Outcome::Settled | Outcome::Threw, None) => {
                assert!(
                    delivered == 1,
                    "message {id} ended as {outcome:?}, delivered {delivered} times"
                );
                assert!(
                    m.threw == (outcome == Outcome::Threw),
                    "message {id} ended as {outcome:?}, and its listener did otherwise"
                );
            }
            (Outcome::Definite(_), None) => assert!(
                delivered == 0,
                "message {id} ended as {outcome:?} and was delivered at {:?}",
                m.delivered
            ),
            _ => {}
        }
        m.outcome = outcome;
    }

    /// Whether a send has ended well.
    pub fn is_settled(&self, life: Life, seq: u64) -> bool {
        let id = self.lives[life].sends[seq as usize];
        self.messages[id].outcome == Outcome::Settled
    }

    /// Whether a send has ended, well or not.
    pub fn is_over(&self, life: Life, seq: u64) -> bool {
        let id = self.lives[life].sends[seq as usize];
        self.messages[id].outcome != Outcome::Open
    }

    pub fn describe(&self, life: Life, seq: u64) -> String {
        format!("{:?}", self.messages[self.lives[life].sends[seq as usize]])
    }

    /// Whether no send and no call is open any more.
    pub fn is_finished(&self) -> bool {
        let open = |id: &Id| self.messages[*id].outcome == Outcome::Open;
        let mut alive = self.lives.iter().filter(|life| life.alive);
        alive.all(|life| life.calls.values().all(|done| *done) && !life.sends.iter().any(open))
    }

    /// When everything is over: nothing may be open any more.
    pub fn finish(&self) {
        for (life, record) in self.lives.iter().enumerate().filter(|(_, r)| r.alive) {
            for (seq, id) in record.sends.iter().enumerate() {
                let m = &self.messages[*id];
                // What is said of a host's state waits for as long as that host may come back.
                let waits = m.host.is_some() && !m.job && !is_wanted("left");
                assert!(
                    m.outcome != Outcome::Open || waits,
                    "host {life} ({}): send {seq} has not ended: message {id} {m:?}",
                    record.name
                );
                assert!(
                    m.accepted.is_none() || m.replies == 1 || m.gone || self.excuses,
                    "host {life} ({}): request {seq} was accepted and never replied to: {m:?}",
                    record.name
                );
            }
            for (call, done) in &record.calls {
                assert!(
                    done,
                    "host {life} ({}): call {call} has not ended",
                    record.name
                );
            }
        }
    }

    /// Nothing but links was lost since message `since`: so everything that `sender` published must have reached `receiver`, and no
    /// outcome is unknown.
    pub fn nothing_lost(&self, since: Id, sender: Life, receiver: Life) {
        let missing = self.missing(since, sender, receiver);
        assert!(
            missing.is_empty(),
            "messages {missing:?} of host {sender} did not reach host {receiver}"
        );
        self.all_known(since, sender);
        for id in self.sends(since, sender) {
            let m = &self.messages[id];
            let accepted = m.asks && m.outcome == Outcome::Settled;
            assert!(
                !accepted || m.replies == 1,
                "request {id} was accepted and not replied to, although no host was lost"
            );
        }
    }

    /// The same where only little may wait: what did not reach `receiver` was told to both programs, and no outcome is unknown. The two
    /// know each other under some of those keys.
    pub fn losses_told(&self, since: Id, sender: (Life, &[String]), receiver: (Life, &[String])) {
        let missing = self.missing(since, sender.0, receiver.0).len() as u64;
        let dropped = receiver.1.iter();
        let dropped = dropped.filter_map(|key| self.dropped.get(&(sender.0, key.clone())));
        assert_eq!(
            dropped.sum::<u64>(),
            missing,
            "published by host {} and missing at host {}, as the former was told",
            sender.0,
            receiver.0
        );
        let gaps = sender.1.iter();
        let gaps = gaps.filter_map(|key| self.gaps.get(&(receiver.0, key.clone())));
        let gaps: Vec<Option<u64>> = gaps.copied().collect();
        if !gaps.is_empty() {
            let told: Option<u64> = gaps.iter().copied().sum();
            assert!(
                told.is_none_or(|told| told == missing),
                "host {} was told that {gaps:?} of {missing} are missing of host {}",
                receiver.0,
                sender.0
            );
        } else {
            assert_eq!(missing, 0, "host {} was told of no gap", receiver.0);
        }
        self.all_known(since, sender.0);
    }

    fn missing(&self, since: Id, sender: Life, receiver: Life) -> Vec<Id> {
        let published = self.lives[sender].published.iter().copied();
        let mut missing = Vec::new();
        let mut runs = BTreeMap::new();
        for id in published.filter(|id| *id >= since) {
            let m = &self.messages[id];
            match m.run {
                Some(run) => {
                    let arrived = self.runs[run].arrived.get(&receiver);
                    let seen: &mut u32 = runs.entry(run).or_default();
                    *seen += 1;
                    if *seen > arrived.copied().unwrap_or_default() {
                        missing.push(id);
                    }
                }
                None if !m.delivered.contains(&receiver) => missing.push(id),
                None => {}
            }
        }
        missing
    }

    fn sends(&self, since: Id, sender: Life) -> impl Iterator<Item = Id> {
        let sends = self.lives[sender].sends.iter().copied();
        sends.filter(move |id| *id >= since)
    }

    fn all_known(&self, since: Id, sender: Life) {
        for id in self.sends(since, sender) {
            let m = &self.messages[id];
            assert!(
                !matches!(m.outcome, Outcome::Unknown(_)),
                "message {id} ended as {:?} although no host was lost",
                m.outcome
            );
        }
    }
}

/// What each message of a run is known by; none for undefined.
pub fn contents(payload: &Payload) -> Vec<Option<String>> {
    match payload {
        Payload::Json { .. } => payload
            .clone()
            .into_json()
            .into_iter()
            .map(|text| text.map(|t: ByteString| format!("j{t}")))
            .collect(),
        Payload::Undefined { count } => vec![None; *count as usize],
        Payload::Text(items) => items.iter().map(|t| Some(key('t', t.as_bytes()))).collect(),
        Payload::Binary { items, kind } => {
            let form = if *kind == BinaryKind::Buffer {
                'b'
            } else {
                'u'
            };
            items.iter().map(|b| Some(key(form, b))).collect()
        }
    }
}

/// Of a large message the beginning, the end and the length are enough.
fn key(form: char, bytes: &[u8]) -> String {
    let text = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
    if bytes.len() < 200 {
        return format!("{form}{}", text(bytes));
    }
    let (begin, end) = (text(&bytes[..100]), text(&bytes[bytes.len() - 8..]));
    format!("{form}{begin}…{end} {}", bytes.len())
}
