//! What waits for original hosts, which know no sessions: sends that they have not answered, and what their sockets do not take.

use super::Mesh;
use super::pressure::Refusal;
use crate::event::{LinkId, Output, Raw};
use crate::limits::Bounds;
use crate::payload::Payload;
use crate::peers::Parcel;
use crate::wire::v1;

/// What an open request takes beside its message.
pub(super) const ENTRY: usize = 256;

/// A message that takes more than this is not small.
const SMALL: usize = 256;

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
    /// Whether small messages may wait, too.
    pub(super) fn is_full(&self, bounds: &Bounds) -> bool {
        !self.has_room(SMALL, ENTRY + SMALL, 1, bounds)
    }

    pub(super) fn messages(&self) -> usize {
        self.flying
    }

    pub(super) fn in_flight(&self) -> usize {
        self.bytes
    }

    pub(super) fn occupied(&self) -> usize {
        self.backlog + self.bytes
    }

    /// Whether its socket has not too much to write already.
    fn takes(&self, written: usize, bounds: &Bounds) -> bool {
        self.backlog == 0 || self.backlog + written <= bounds.bytes
    }

    fn has_room(&self, written: usize, kept: usize, count: usize, bounds: &Bounds) -> bool {
        let Plain { flying, bytes, .. } = self;
        self.takes(written, bounds)
            && (*flying == 0 || bytes + kept <= bounds.bytes && flying + count <= bounds.messages)
    }
}

impl Mesh {
    /// What waits to be written to a link; nothing, if it is not much.
    pub(super) fn backlog(&mut self, link: LinkId, bytes: usize) {
        if self.session_of(link).is_some() {
            self.relays.set_backlog(link, bytes);
        } else if self.hosts.get(link).is_some_and(|l| l.key.is_some()) {
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
            let plain = self.plains.get(link);
            let fine = plain.is_none_or(|p| p.takes(size, &bounds));
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
}
