//! What a session carries.

use std::ops::Range;

use crate::json;
use crate::limits::Limits;
use crate::parts::peers::Parcel;
use crate::parts::sessions::Run;
use crate::payload::Payload;
use crate::wire::v2;
use crate::words::{NoteKind, Outcome, Raw};

/// What a record takes beside ids and messages, at most.
const RECORD: usize = 48;

/// Characters for private use: one each as JavaScript counts.
const PRIVATE: std::ops::RangeInclusive<char> = '\u{e000}'..='\u{f8ff}';

/// A note on its way: like messages to a peer, but its receiver is a host.
#[derive(Clone, Debug)]
pub(in crate::mesh) struct Note {
    pub seq: u64,
    pub head: Option<Raw>,
    pub kind: NoteKind,
    pub payload: Payload,
}

impl Note {
    pub fn new(seq: u64, head: Option<Raw>, kind: NoteKind, payload: Payload) -> Note {
        Note {
            seq,
            head,
            kind,
            payload,
        }
    }

    pub fn seqs(&self, range: Range<u32>) -> Range<u64> {
        self.seq + u64::from(range.start)..self.seq + u64::from(range.end)
    }
}

/// What a session carries.
#[derive(Clone, Debug)]
pub(in crate::mesh) enum Cargo {
    Parcel(Parcel),
    Note(Note),
    Publish {
        channel: Option<Raw>,
        payload: Payload,
    },
    Reply {
        number: u64,
        outcome: Outcome,
        payload: Payload,
    },
    /// So many messages that were published are missing here.
    Gap(u64),
}

impl Run for Cargo {
    fn count(&self) -> u32 {
        self.payload().map_or(1, Payload::count)
    }

    fn size(&self) -> usize {
        self.payload().map_or(0, Payload::size)
    }

    fn expires(&self) -> bool {
        match self {
            Cargo::Parcel(_) => true,
            Cargo::Note(note) => note.kind == NoteKind::Question,
            Cargo::Publish { .. } | Cargo::Reply { .. } | Cargo::Gap(_) => false,
        }
    }

    fn fitting(&self, messages: usize, bytes: usize, more: usize) -> u32 {
        self.payload()
            .map_or(1, |p| p.fitting(messages, bytes, more))
    }
}

impl Cargo {
    fn payload(&self) -> Option<&Payload> {
        match self {
            Cargo::Parcel(parcel) => Some(&parcel.payload),
            Cargo::Note(note) => Some(&note.payload),
            Cargo::Publish { payload, .. } | Cargo::Reply { payload, .. } => Some(payload),
            Cargo::Gap(_) => None,
        }
    }

    /// Keeps the first `at` messages, in memory of their own, and gives the others: as [`Payload::split_off`].
    pub(in crate::mesh) fn split_off(&mut self, at: u32) -> Option<Cargo> {
        let mut rest = self.clone();
        let (Some(kept), Some(cut)) = (self.payload_mut(), rest.payload_mut()) else {
            return None;
        };
        *cut = kept.split_off(at);
        *kept = kept.clone().detached();
        match &mut rest {
            Cargo::Parcel(parcel) => parcel.seq += u64::from(at),
            Cargo::Note(note) => note.seq += u64::from(at),
            Cargo::Reply { number, .. } => *number += u64::from(at),
            Cargo::Publish { .. } | Cargo::Gap(_) => {}
        }
        Some(rest)
    }

    fn payload_mut(&mut self) -> Option<&mut Payload> {
        match self {
            Cargo::Parcel(parcel) => Some(&mut parcel.payload),
            Cargo::Note(note) => Some(&mut note.payload),
            Cargo::Publish { payload, .. } | Cargo::Reply { payload, .. } => Some(payload),
            Cargo::Gap(_) => None,
        }
    }

    pub(super) fn is_parcel(&self) -> bool {
        matches!(self, Cargo::Parcel(_))
    }

    /// Whether there is always room for it, because its sender sees to it that it is little.
    pub(super) fn is_state(&self) -> bool {
        matches!(self, Cargo::Note(note) if note.kind == NoteKind::State)
    }

    fn ids(&self) -> [&Option<Raw>; 2] {
        match self {
            Cargo::Parcel(parcel) => [&parcel.to, &parcel.from],
            Cargo::Publish { channel, .. } => [channel, &None],
            Cargo::Note(_) | Cargo::Reply { .. } | Cargo::Gap(_) => [&None, &None],
        }
    }

    /// How many bytes its record takes, at most.
    pub(in crate::mesh) fn record(&self) -> usize {
        let length = |id: &Option<Raw>| id.as_ref().map_or(0, |id| id.len());
        let ids: usize = match self {
            Cargo::Note(note) => length(&note.head),
            _ => self.ids().into_iter().map(length).sum(),
        };
        let lengths = match self.payload() {
            Some(Payload::Text(items)) => 5 * items.len(),
            Some(Payload::Binary { items, .. }) => 5 * items.len(),
            _ => 0,
        };
        RECORD + ids + lengths + self.size()
    }

    /// Whether whoever takes only that much takes it.
    pub(in crate::mesh) fn fits(&self, limits: &Limits) -> bool {
        let named = match self {
            Cargo::Note(note) => limits.allow_head(&note.head),
            _ => self.ids().into_iter().all(|id| limits.allow(id)),
        };
        named && self.payload().is_none_or(v2::is_run) && self.record() < limits.payload
    }
}

/// An id that no peer has: characters that mean nothing to anybody, as few as fit. What is resent to it comes back, unless it had arrived
/// before, which its number shows.
pub(super) fn nobody(random: &mut fastrand::Rng, limits: &Limits) -> Option<Raw> {
    let id: String = (0..limits.id.min(4))
        .map(|_| random.char(PRIVATE))
        .collect();
    Some(json::quote(&id).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_the_id_of_nobody_however_short_ids_are() {
        let mut random = fastrand::Rng::with_seed(1);
        for id in [1, 2, 3, 4, 64 * 1024] {
            let limits = Limits {
                id,
                ..Limits::default()
            };
            for _ in 0..1_000 {
                let nobody = nobody(&mut random, &limits);
                assert!(limits.allow(&nobody));
                let text = nobody.as_ref().and_then(json::string).unwrap_or_default();
                assert!(!text.is_empty() && !text.contains(|c: char| c.is_alphanumeric()));
            }
        }
    }
}
