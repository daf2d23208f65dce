//! What waits for 0.4.0 hosts, which know no sessions: sends that they have not answered, and what their sockets do not take.

use crate::event::Output;
use crate::mesh::Mesh;
use crate::mesh::traffic::v1_host::kept;
use crate::parts::peers::Parcel;
use crate::payload::Payload;
use crate::wire::v1;
use crate::words::{LinkId, Raw};

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
    pub(super) fn admit_to_v1(&mut self, link: LinkId, parcel: Parcel) -> Option<Parcel> {
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
    pub(super) fn publish_to_v1(&mut self, channel: Option<Raw>, payload: Payload) {
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
