//! What the driver and the program may ask: what waits, for whom, and whether it is much.

use crate::json;
use crate::mesh::Mesh;
use crate::mesh::traffic::Whereabouts;
use crate::mesh::traffic::v1_host::ENTRY;
use crate::stats::{Queue, Stats};
use crate::words::{Answer, Call, Raw};

impl Mesh {
    /// Whether it would be better to publish no more for now. When that changes, [`Event::Relieved`] tells so.
    pub fn is_pressed(&self) -> bool {
        !self.traffic.pressed.is_empty()
    }

    /// Whether a send to that peer would fail because too much is in flight.
    pub fn refuses(&self, to: &Option<Raw>) -> bool {
        let key = json::id_key(to);
        let bounds = self.bounds();
        let Some(address) = self.traffic.peers.address(&key) else {
            return self.traffic.peers.is_full(&bounds);
        };
        let Whereabouts::There(link) = self.whereabouts(&address.home) else {
            return false;
        };
        match self
            .session_of(link)
            .and_then(|h| self.traffic.sessions.get(&h))
        {
            Some(session) => session.is_full(&bounds),
            None => self
                .traffic
                .v1_hosts
                .get(&link)
                .is_some_and(|p| p.is_full(&bounds)),
        }
    }

    /// What has been done so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What waits for each host that is connected, or lost.
    pub fn queues(&self) -> Vec<Queue> {
        let joined = self.network.joined().map(|(key, link)| {
            let session = self
                .session_of(link)
                .and_then(|h| self.traffic.sessions.get(&h));
            let v1 = self.traffic.v1_hosts.get(&link);
            let (messages, bytes, in_flight) = match (session, v1) {
                (Some(s), _) => (s.messages(), s.occupied(), s.in_flight()),
                (None, Some(p)) => (p.messages(), p.occupied(), p.in_flight()),
                (None, None) => (0, 0, 0),
            };
            let (key, link) = (key.clone(), Some(link));
            Queue {
                key,
                link,
                messages,
                bytes,
                in_flight,
            }
        });
        let lost = self
            .traffic
            .sessions
            .hosts()
            .into_iter()
            .filter_map(|host| {
                let session = self
                    .traffic
                    .sessions
                    .get(&host)
                    .filter(|s| s.link().is_none())?;
                Some(Queue {
                    key: self.traffic.key_of(&host),
                    link: None,
                    messages: session.messages(),
                    bytes: session.occupied(),
                    in_flight: 0,
                })
            });
        joined.chain(lost).collect()
    }

    /// How many messages are in flight: not acknowledged, or not even sent.
    pub fn under_way(&self) -> usize {
        let queued: usize = self.queues().iter().map(|q| q.messages).sum();
        queued + self.traffic.peers.waiting()
    }

    /// How many bytes the answers take that wait for the program, about.
    pub fn owed(&self) -> usize {
        self.answers.held() * ENTRY
    }

    /// The program retires this host, and waits until nothing is in flight any more.
    pub(in crate::mesh) fn retire(&mut self, call: Call) {
        self.retiring = true;
        if let Some(earlier) = self.until_idle.replace(call) {
            self.done(earlier, Ok(Answer::Done));
        }
    }

    /// Tells that nothing is in flight any more.
    pub(in crate::mesh) fn finish_retiring(&mut self) {
        if self.until_idle.is_some()
            && self.under_way() == 0
            && let Some(call) = self.until_idle.take()
        {
            self.done(call, Ok(Answer::Done));
        }
    }
}
