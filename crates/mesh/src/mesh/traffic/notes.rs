//! What the program of one host of this version says to that of another: questions about peers, broadcasts, who belongs to which group.

use std::ops::Range;

use bytestring::ByteString;

use super::cargo::{Cargo, Note};
use crate::error::SendError;
use crate::event::Event;
use crate::mesh::Mesh;
use crate::wire::v2::Code;

impl Mesh {
    pub(in crate::mesh) fn note(&mut self, host: &ByteString, note: Note) {
        let registered = self.network.route_to_host(host);
        if registered.is_some_and(|link| self.session_of(link).is_some()) {
            return self.load(host, Cargo::Note(note));
        }
        let (id, url) = (None, host.clone());
        let error = SendError::Unreachable { id, url };
        self.note_failed(&note, 0..note.payload.count(), &error);
    }

    /// The connection with that host is lost: its program is told anew when there is another one, and jobs can go elsewhere. So what was
    /// never said is not said later.
    pub(in crate::mesh) fn return_notes(&mut self, host: &ByteString) {
        let Some(session) = self.traffic.sessions.get_mut(host) else {
            return;
        };
        let returned = session.take_unsaid(|cargo| matches!(cargo, Cargo::Note(_)));
        let (id, url) = (None, host.clone());
        let error = SendError::Unreachable { id, url };
        for cargo in returned {
            if let Cargo::Note(note) = cargo {
                self.note_failed(&note, 0..note.payload.count(), &error);
            }
        }
    }

    pub(super) fn note_failed(&mut self, note: &Note, range: Range<u32>, error: &SendError) {
        for seq in note.seqs(range) {
            self.failed(seq, error.clone());
        }
    }

    /// The other program has taken those of the note's messages, or, with that code, has not.
    pub(super) fn note_acknowledged(&mut self, note: &Note, range: Range<u32>, code: Option<Code>) {
        let error = match code {
            None => {
                let count = u64::from(range.end - range.start);
                let seq = note.seqs(range).start;
                return self.event(Event::Settled { seq, count });
            }
            Some(Code::NoSuchPeer) => SendError::NotFound { id: None },
            Some(Code::Threw | Code::ThrewNotFound | Code::Overloaded) => SendError::Threw,
        };
        self.note_failed(note, range, &error);
    }
}
