//! What becomes of what sessions carry: it is acknowledged, waits too long, or its session ends.

use std::ops::Range;

use bytestring::ByteString;

use super::cargo::Cargo;
use crate::error::SendError;
use crate::mesh::Mesh;
use crate::mesh::traffic::Traffic;
use crate::parts::peers::Parcel;
use crate::parts::sessions::{Part, Run, Session};
use crate::sabotage::{self, Sabotage};
use crate::wire::v2::{Ack, Code, Exception};
use crate::words::NoteKind;

impl Mesh {
    pub(in crate::mesh) fn acknowledged(&mut self, host: &ByteString, ack: &Ack) -> Option<()> {
        let session = self.traffic.sessions.get_mut(host)?;
        let parts = session.acknowledged(ack)?;
        let seen = session.seen_to_tell();
        let link = session.link();
        if let (Some(link), Some(upto)) = (link, seen) {
            self.traffic.frames.of(link).seen(upto);
        }
        let mut exceptions = &ack.exceptions[..];
        for part in parts {
            let start = part.first + u64::from(part.range.start);
            let end = part.first + u64::from(part.range.end);
            exceptions = &exceptions
                [exceptions.partition_point(|e| e.first + u64::from(e.count) <= start)..];
            let concerned = exceptions.partition_point(|e| e.first < end);
            self.part_acknowledged(host, part, &exceptions[..concerned]);
        }
        self.pump(host, false);
        self.relieve(host);
        Some(())
    }

    fn part_acknowledged(
        &mut self,
        host: &ByteString,
        part: Part<Cargo>,
        exceptions: &[Exception],
    ) {
        let Part {
            run,
            first,
            range,
            expired,
        } = part;
        let parcel = match run {
            _ if expired && run.expires() => return,
            Cargo::Parcel(parcel) => parcel,
            Cargo::Note(note) => {
                return outcomes(first, range, exceptions, |range, code| {
                    self.note_acknowledged(&note, range, code);
                });
            }
            Cargo::Publish { .. } | Cargo::Reply { .. } | Cargo::Gap(_) => return,
        };
        outcomes(first, range, exceptions, |range, code| match code {
            None => self.settled(host, &parcel, range),
            Some(code) => self.excepted(&parcel, range, code),
        });
    }

    fn settled(&mut self, host: &ByteString, parcel: &Parcel, range: Range<u32>) {
        let (seq, count) = (
            parcel.seq + u64::from(range.start),
            u64::from(range.end - range.start),
        );
        if parcel.asks {
            self.accepted(seq, count, host);
        } else {
            self.delivered(seq, count);
        }
        self.arrived(parcel, seq, range.end - range.start);
    }

    fn excepted(&mut self, parcel: &Parcel, range: Range<u32>, code: Code) {
        let count = range.end - range.start;
        if code == Code::NoSuchPeer {
            return self.not_there(cut(parcel.clone(), range));
        }
        let seq = parcel.seq + u64::from(range.start);
        for n in range {
            let id = parcel.to.clone();
            let error = match code {
                Code::ThrewNotFound => SendError::ThrewNotFound { id },
                Code::Overloaded => SendError::Overloaded { id },
                Code::NoSuchPeer | Code::Threw => SendError::Threw,
            };
            self.failed(parcel.seq + u64::from(n), error);
        }
        self.arrived(parcel, seq, count);
    }

    /// Tells the senders of messages that nobody has acknowledged in time. What is sent later does not wait for them any more.
    pub(in crate::mesh) fn expire_sessions(&mut self) {
        for (_, parts) in self
            .traffic
            .sessions
            .expire(self.now, self.config.request_timeout)
        {
            for Part { run, range, .. } in parts {
                let parcel = match run {
                    Cargo::Parcel(parcel) => parcel,
                    Cargo::Note(note) if note.kind != NoteKind::State => {
                        self.note_failed(&note, range, &SendError::Timeout { id: None });
                        continue;
                    }
                    Cargo::Note(_) => continue,
                    Cargo::Publish { .. } | Cargo::Reply { .. } | Cargo::Gap(_) => continue,
                };
                for n in range.clone() {
                    let id = parcel.to.clone();
                    self.failed(parcel.seq + u64::from(n), SendError::Timeout { id });
                }
                let seq = parcel.seq + u64::from(range.start);
                self.arrived(&parcel, seq, range.end - range.start);
            }
        }
    }

    /// The other host is gone, or has forgotten the session: what was in flight settles as unknown.
    pub(in crate::mesh) fn end_session(&mut self, host: &ByteString) {
        self.tell_arrivals(host, true);
        let held = |session: &Session<Cargo>| session.arrivals.weight();
        self.traffic.held -= self.traffic.sessions.get(host).map_or(0, held);
        let Some(remains) = self.traffic.sessions.end(host) else {
            return;
        };
        self.forget_channels(host);
        self.place_leaves(host);
        self.traffic.directory.end(host);
        self.no_replies(host);
        for Part {
            run,
            range,
            expired,
            ..
        } in remains.unknown
        {
            let parcel = match run {
                _ if expired && run.expires() => continue,
                Cargo::Parcel(parcel) => parcel,
                Cargo::Note(note) => {
                    let (id, url) = (None, None);
                    self.note_failed(&note, range, &SendError::Unknown { id, url });
                    continue;
                }
                Cargo::Publish { .. } | Cargo::Reply { .. } | Cargo::Gap(_) => continue,
            };
            if sabotage::is(Sabotage::Optimism) {
                self.settled(host, &parcel, range);
                continue;
            }
            let url = self.traffic.url_of(&parcel);
            for n in range.clone() {
                let (id, url) = (parcel.to.clone(), url.clone());
                self.failed(parcel.seq + u64::from(n), SendError::Unknown { id, url });
            }
            let seq = parcel.seq + u64::from(range.start);
            self.arrived(&parcel, seq, range.end - range.start);
        }
        let key = remains.key;
        let mut anew = Vec::new();
        for cargo in remains.unsent {
            let parcel = match cargo {
                Cargo::Parcel(parcel) => parcel,
                Cargo::Note(note) => {
                    let (id, url) = (None, host.clone());
                    let error = match self.closing {
                        None => SendError::Unreachable { id, url },
                        Some(_) => SendError::Closed,
                    };
                    self.note_failed(&note, 0..note.payload.count(), &error);
                    continue;
                }
                Cargo::Publish { .. } | Cargo::Reply { .. } | Cargo::Gap(_) => continue,
            };
            if parcel.patient && self.closing.is_none() {
                anew.push(parcel);
                continue;
            }
            for seq in parcel.numbers() {
                let (id, url) = (parcel.to.clone(), key.clone());
                let error = match self.closing {
                    None => SendError::Unreachable { id, url },
                    Some(_) => SendError::Closed,
                };
                self.failed(seq, error);
            }
            self.landed(&parcel, parcel.payload.count());
        }
        self.wake_searches(None);
        self.look_anew(host, anew);
    }
}

impl Traffic {
    /// The url of the host to which those messages have left, as far as it is known.
    pub(in crate::mesh) fn url_of(&self, parcel: &Parcel) -> Option<ByteString> {
        let address = self.peers.address(&parcel.key)?;
        let place = self.peers.place(&address.home)?;
        (address.number == parcel.flight).then(|| place.url.clone())
    }
}

/// Tells how the messages `range` of a run ended whose first one has number `first`: part by part, with the code of those that did not
/// end as usual.
fn outcomes(
    first: u64,
    range: Range<u32>,
    exceptions: &[Exception],
    mut tell: impl FnMut(Range<u32>, Option<Code>),
) {
    let mut tell = |part: Range<u32>, code| {
        if !part.is_empty() {
            tell(part, code);
        }
    };
    let index = |number: u64| number.saturating_sub(first).min(u64::from(range.end)) as u32;
    let mut at = range.start;
    for e in exceptions {
        let begin = index(e.first).max(at);
        let stop = index(e.first + u64::from(e.count)).max(begin);
        tell(at..begin, None);
        tell(begin..stop, Some(e.code));
        at = stop;
    }
    tell(at..range.end, None);
}

/// Those messages of a parcel.
fn cut(mut parcel: Parcel, range: Range<u32>) -> Parcel {
    if range.end < parcel.payload.count() {
        parcel.payload.split_off(range.end);
    }
    if range.start > 0 {
        parcel.payload = parcel.payload.split_off(range.start);
        parcel.seq += u64::from(range.start);
    }
    parcel
}
