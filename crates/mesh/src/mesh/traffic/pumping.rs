//! What leaves through sessions: runs of messages to hosts that speak version 2, and acknowledgements.

use bytestring::ByteString;

use super::cargo::{Cargo, nobody};
use super::frames::put;
use crate::mesh::Mesh;
use crate::mesh::traffic::Traffic;
use crate::words::LinkId;

/// A frame leaves when it holds that many messages, or that many bytes; at the end of the program's turn at the latest.
const FRAME_MESSAGES: u32 = 256;
const FRAME_BYTES: usize = 64 * 1024;

impl Mesh {
    /// The other host of a link, if a session uses that link.
    pub(in crate::mesh) fn session_of(&self, link: LinkId) -> Option<ByteString> {
        let host = self.network.link(link)?.host.as_ref()?;
        let session = self.traffic.sessions.get(host)?;
        (session.link() == Some(link)).then(|| host.clone())
    }

    /// Whether our own protocol may be spoken over that link.
    pub(in crate::mesh) fn is_ready(&self, link: LinkId) -> bool {
        let host = self.session_of(link);
        let session = host.and_then(|host| self.traffic.sessions.get(&host));
        session.is_some_and(|session| session.is_ready())
    }

    /// Says what may be said. `all`: also beyond the other host's window, because we are leaving.
    pub(in crate::mesh) fn pump(&mut self, host: &ByteString, all: bool) {
        let Some(session) = self.traffic.sessions.get_mut(host) else {
            return;
        };
        let Some(link) = session.link() else {
            return;
        };
        let frame = self.traffic.frames.of(link);
        let limits = session.limits;
        // Nobody knows any more where peers are when we have begun to close.
        let knows = self.closing.is_none();
        while let Some((first, cargo, again)) = session.say(all) {
            if !frame.is_empty() && frame.len() + cargo.record() > limits.payload {
                put(&mut self.out, link, frame);
            }
            match cargo {
                Cargo::Parcel(p)
                    if again && knows && self.traffic.peers.is_adrift(&p.key, p.flight) =>
                {
                    // It must not come after what has arrived elsewhere.
                    frame.send(
                        first,
                        &nobody(&mut self.random, &limits),
                        &p.from,
                        &p.payload,
                    );
                }
                Cargo::Parcel(p) if p.asks => {
                    frame.request(first, &p.to, &p.from, p.seq, &p.payload);
                }
                Cargo::Parcel(p) => frame.send(first, &p.to, &p.from, &p.payload),
                Cargo::Publish { channel, payload } => frame.publish(first, channel, payload),
                Cargo::Note(note) => frame.note(first, &note.head, &note.payload),
                Cargo::Reply {
                    number,
                    outcome,
                    payload,
                } => frame.reply(first, *number, *outcome, payload),
                Cargo::Gap(count) => frame.gap(first, *count),
            }
            if frame.messages() >= FRAME_MESSAGES || frame.len() >= FRAME_BYTES {
                put(&mut self.out, link, frame);
            }
        }
        if session.is_held_up() {
            self.traffic.held_up.insert(link);
        } else {
            self.traffic.held_up.remove(&link);
        }
    }

    /// The other host knows the session: what waited can be said.
    pub(in crate::mesh) fn session_ready(&mut self, host: &ByteString) {
        if let Some(session) = self.traffic.sessions.get_mut(host) {
            session.ready();
        }
        self.tell_channels(host);
        self.place_joins(host);
        self.traffic.acknowledge(host);
        self.pump(host, false);
        self.relieve(host);
        self.weigh(host);
        self.wake_searches(None);
    }

    /// Closes the frame that is being made for a link, so that what is transmitted next comes after it.
    pub(in crate::mesh) fn close_frame(&mut self, link: LinkId) {
        self.traffic.frames.close(link, &mut self.out);
    }

    /// Closes all frames: nothing more will be added to them now.
    pub(in crate::mesh) fn close_frames(&mut self) {
        self.traffic.frames.close_all(&mut self.out);
    }
}

impl Traffic {
    /// Acknowledges what has been applied.
    pub(super) fn acknowledge(&mut self, host: &ByteString) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        if let (Some(link), Some(ack)) = (session.link(), session.ack()) {
            self.frames.of(link).ack(&ack);
        }
    }
}
