//! What the program of one host of ours says to that of another: questions about peers, broadcasts, who belongs to which group.

use std::ops::Range;

use bytestring::ByteString;

use super::Mesh;
use super::traffic::Cargo;
use crate::error::SendError;
use crate::event::{Event, Raw};
use crate::payload::Payload;
use crate::wire::v2::{Code, Exception};

/// A note on its way: like messages to a peer, but its receiver is a host.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub seq: u64,
    pub head: Option<Raw>,
    pub payload: Payload,
}

impl Note {
    fn seqs(&self, range: Range<u32>) -> Range<u64> {
        self.seq + u64::from(range.start)..self.seq + u64::from(range.end)
    }
}

impl Mesh {
    pub(super) fn note(
        &mut self,
        seq: u64,
        host: &ByteString,
        head: Option<Raw>,
        payload: Payload,
    ) {
        let note = Note { seq, head, payload };
        let registered = self.hosts.route_to_host(host);
        if registered.is_some_and(|link| self.session_of(link).is_some()) {
            return self.load(host, Cargo::Note(note));
        }
        let (id, url) = (None, host.clone());
        let error = SendError::Unreachable { id, url };
        self.note_failed(&note, 0..note.payload.count(), &error);
    }

    pub(super) fn note_failed(&mut self, note: &Note, range: Range<u32>, error: &SendError) {
        for seq in note.seqs(range) {
            self.failed(seq, error.clone());
        }
    }

    fn note_settled(&mut self, note: &Note, range: Range<u32>) {
        if !range.is_empty() {
            let count = u64::from(range.end - range.start);
            let seq = note.seqs(range).start;
            self.event(Event::Settled { seq, count });
        }
    }

    /// The other program has taken those of the note's messages, with these exceptions.
    pub(super) fn note_acknowledged(
        &mut self,
        note: &Note,
        first: u64,
        range: Range<u32>,
        exceptions: &[Exception],
    ) {
        let mut at = range.start;
        for Exception {
            first: from,
            count,
            code,
        } in exceptions
        {
            let index = |number: u64| number.saturating_sub(first).min(range.end.into()) as u32;
            let begin = index(*from).max(at);
            let stop = index(from + u64::from(*count)).max(begin);
            self.note_settled(note, at..begin);
            let error = match code {
                Code::NoSuchPeer => SendError::NotFound { id: None },
                Code::Threw | Code::ThrewNotFound => SendError::Threw,
            };
            self.note_failed(note, begin..stop, &error);
            at = stop;
        }
        self.note_settled(note, at..range.end);
    }
}
