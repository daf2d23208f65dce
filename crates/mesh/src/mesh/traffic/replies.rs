//! Replies to requests. A request is a message to a peer like any other; its reply goes back to the host that it came from, over the
//! session that brought it: it needs no lookup, and does not depend on whether the peer that asked still exists.

use bytestring::ByteString;

use super::cargo::Cargo;
use crate::event::Event;
use crate::mesh::Mesh;
use crate::payload::Payload;
use crate::sabotage::{self, Sabotage};
use crate::words::Outcome;

impl Mesh {
    /// The program replies to requests of that host.
    pub(in crate::mesh) fn reply(
        &mut self,
        host: &ByteString,
        number: u64,
        outcome: Outcome,
        payload: Payload,
    ) {
        let Some(session) = self.traffic.sessions.get(host) else {
            return;
        };
        if session.link().is_none() && self.traffic.sessions.waiting() > self.config.max_queue_bytes
        {
            return;
        }
        let reply = Cargo::Reply {
            number,
            outcome,
            payload,
        };
        self.load(host, reply);
    }

    pub(super) fn accepted(&mut self, seq: u64, count: u64, host: &ByteString) {
        self.traffic.asked.insert(host.clone());
        let host = host.clone();
        self.event(Event::Accepted { seq, count, host });
    }

    /// The session with that host has ended, and with it the way back for replies.
    pub(super) fn no_replies(&mut self, host: &ByteString) {
        if let Some(host) = self.traffic.asked.take(host)
            && !sabotage::is(Sabotage::NoGone)
        {
            self.event(Event::Gone { host });
        }
    }
}
