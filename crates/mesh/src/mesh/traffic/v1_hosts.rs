//! What waits for 0.4.0 hosts, which know no sessions: sends that they have not answered, and what their sockets do not take.

use crate::event::Output;
use crate::limits::Bounds;
use crate::mesh::Mesh;
use crate::parts::peers::Parcel;
use crate::payload::Payload;
use crate::wire::v1;
use crate::words::{LinkId, Raw};

/// What an open request takes beside its message.
pub(in crate::mesh) const ENTRY: usize = 256;

/// A message that takes more than this is not small.
const SMALL: usize = 256;

/// What waits for a 0.4.0 host. It knows no sessions.
#[derive(Debug, Default)]
pub(in crate::mesh) struct V1Host {
    /// What its socket does not take, as the driver says.
    backlog: usize,
    /// Sends that it has not answered.
    flying: usize,
    bytes: usize,
}

impl V1Host {
    /// Whether small messages may wait, too.
    pub(in crate::mesh) fn is_full(&self, bounds: &Bounds) -> bool {
        let V1Host { flying, bytes, .. } = self;
        let room = bytes + ENTRY + SMALL <= bounds.bytes && *flying < bounds.messages;
        !(self.takes(SMALL, bounds) && (*flying == 0 || room))
    }

    pub(in crate::mesh) fn messages(&self) -> usize {
        self.flying
    }

    pub(in crate::mesh) fn in_flight(&self) -> usize {
        self.bytes
    }

    pub(in crate::mesh) fn occupied(&self) -> usize {
        self.backlog + self.bytes
    }

    /// Whether its socket has not too much to write already.
    fn takes(&self, written: usize, bounds: &Bounds) -> bool {
        self.backlog == 0 || self.backlog + written <= bounds.bytes
    }

    /// How many of the first messages of a parcel may wait, too: if nothing waits, one at least.
    fn room(&self, parcel: &Parcel, bounds: &Bounds) -> u32 {
        let V1Host { flying, bytes, .. } = self;
        let messages = bounds.messages.saturating_sub(*flying);
        let mut bytes = bounds.bytes.saturating_sub(*bytes);
        if self.backlog > 0 {
            bytes = bytes.min(bounds.bytes.saturating_sub(self.backlog));
        }
        let count = parcel.payload.count();
        if kept(parcel) <= bytes && count as usize <= messages {
            return count;
        }
        let alone = u32::from(*flying == 0 && self.backlog == 0);
        parcel.payload.fitting(messages, bytes, ENTRY).max(alone)
    }
}

impl Mesh {
    /// What waits to be written to a link; nothing, if it is not much.
    pub(in crate::mesh) fn backlog_of_v1(&mut self, link: LinkId, bytes: usize) {
        if self.network.link(link).is_some_and(|l| l.key.is_some()) {
            self.traffic.v1_hosts.entry(link).or_default().backlog = bytes;
            self.weigh_v1(link);
        }
    }

    fn weigh_v1(&mut self, link: LinkId) {
        if let Some(host) = self.traffic.v1_hosts.get(&link) {
            let (bytes, messages) = (host.backlog.max(host.bytes), host.flying);
            self.press(link, bytes, messages);
        }
    }

    /// Gives as much of a parcel as may go to a 0.4.0 host. The senders of the others are told.
    pub(in crate::mesh) fn admit_to_v1(&mut self, link: LinkId, parcel: Parcel) -> Option<Parcel> {
        let bounds = self.bounds();
        let room = self
            .traffic
            .v1_hosts
            .entry(link)
            .or_default()
            .room(&parcel, &bounds);
        let (key, flight, count) = (parcel.key.clone(), parcel.flight, parcel.payload.count());
        let parcel = self.admit_part(parcel, room);
        let admitted = parcel.as_ref().map_or(0, |p| p.payload.count());
        self.landed_at(&key, flight, count - admitted);
        if let (Some(parcel), Some(host)) = (&parcel, self.traffic.v1_hosts.get_mut(&link)) {
            host.flying += admitted as usize;
            host.bytes += kept(parcel);
            self.weigh_v1(link);
        }
        parcel
    }

    /// A send to a 0.4.0 host has ended.
    pub(in crate::mesh) fn landed_at_v1(&mut self, link: LinkId, parcel: &Parcel) {
        if let Some(host) = self.traffic.v1_hosts.get_mut(&link) {
            host.flying = host.flying.saturating_sub(1);
            host.bytes = host.bytes.saturating_sub(kept(parcel));
            if self.traffic.pressed.contains(&link) {
                self.weigh_v1(link);
            }
        }
    }

    /// Publishes to the 0.4.0 hosts.
    pub(in crate::mesh) fn publish_to_v1(&mut self, channel: Option<Raw>, payload: Payload) {
        let bounds = self.bounds();
        let (size, count) = (payload.size(), u64::from(payload.count()));
        let mut links: Vec<LinkId> = self.network.v1_links().collect();
        links.retain(|link| {
            let host = self.traffic.v1_hosts.get(link);
            let fine = host.is_none_or(|p| p.takes(size, &bounds));
            if !fine {
                let key = self.network.link(*link).and_then(|l| l.key.clone());
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

/// How many bytes of memory a parcel takes until it is answered, about.
fn kept(parcel: &Parcel) -> usize {
    ENTRY * parcel.payload.count() as usize + parcel.payload.size()
}
