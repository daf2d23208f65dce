//! Noticing hosts that are gone without a word, and programs that stand still.

use std::time::Duration;

use bytestring::ByteString;

use crate::config::Config;
use crate::event::{Event, Output};
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::wire::v2::Frame;
use crate::words::{LinkId, Time};

impl Mesh {
    /// That link is registered. Relayed ones end with the direct one that carries them.
    pub(super) fn watch_link(&mut self, link: LinkId) {
        let interval = self.config.heartbeat_interval;
        if !interval.is_zero() && !is_relayed(link) {
            self.network.liveness.watch(link, self.now, interval);
        }
    }

    pub(in crate::mesh) fn configure(&mut self, config: Config) {
        let before = std::mem::replace(&mut self.config, config).heartbeat_interval;
        let interval = self.config.heartbeat_interval;
        if interval == before {
            return;
        }
        if before.is_zero() {
            for link in self.network.joined_links(None) {
                self.watch_link(link);
            }
        }
        // The others learn it now: they ask whoever does not beat, or seldom.
        if !self.network.liveness.is_empty() {
            self.beat();
        }
        if interval.is_zero() {
            self.network.liveness.clear();
        }
    }

    pub(in crate::mesh) fn beat_if_due(&mut self) {
        let Config {
            heartbeat_interval: interval,
            heartbeat_timeout: timeout,
            ..
        } = self.config;
        if let Some(late) = self.network.liveness.late(self.now) {
            if late > interval / 2 {
                // This whole process was stopped, and has not asked anybody to say something meanwhile.
                self.network.liveness.start_anew(self.now);
            }
            self.beat();
        }
        while let Some(link) = self.network.liveness.take_silent(self.now, timeout) {
            if self.network.is_watched(link) {
                self.out.push(Output::Probe { link });
            } else {
                self.network.liveness.forget(link);
            }
        }
    }

    /// Lets all others hear of us, and those who would not by themselves let us hear of them.
    fn beat(&mut self) {
        let mut liveness = std::mem::take(&mut self.network.liveness);
        liveness.retain(|link| self.network.is_watched(link));
        let Config {
            heartbeat_interval: interval,
            heartbeat_timeout: timeout,
            ..
        } = self.config;
        let next = (!liveness.is_empty() && !interval.is_zero()).then(|| self.now + interval);
        liveness.beat_at(next);
        let mut stalled = liveness.stalled(self.now);
        if stalled < interval {
            stalled = Duration::ZERO;
        }
        let mut frame = Frame::default();
        frame.beat(millis(interval), millis(stalled));
        let bytes = frame.take();
        for link in liveness.links() {
            if self.is_ready(link) {
                let bytes = bytes.clone();
                self.out.push(Output::Beat { link, bytes });
            }
            if next.is_some() && !liveness.beats(link, timeout) {
                self.out.push(Output::Ping { link });
            }
        }
        let pulse = next.is_some() && liveness.pulse(self.answers.next(), self.now);
        self.network.liveness = liveness;
        if pulse {
            self.event(Event::Pulse);
        }
    }

    /// Bytes have last come over that link at that time, as far as one can know without having read those that wait.
    pub(in crate::mesh) fn heard(&mut self, link: LinkId, at: Time) {
        self.end_doubts(link, at);
        if !self.network.liveness.is_probed(link) {
            return;
        }
        if !self.network.is_watched(link) {
            return self.network.liveness.forget(link);
        }
        let at = at.min(self.now);
        if self.now - at < self.config.heartbeat_timeout {
            self.network.liveness.heard(link, at);
        } else {
            self.drop_link(link);
        }
    }

    /// That host has let us hear of it. Its program has been standing still for so long.
    pub(in crate::mesh) fn beaten(&mut self, host: &ByteString, interval: u64, stalled: u64) {
        let link = self
            .traffic
            .sessions
            .get(host)
            .and_then(|session| session.link());
        let Some(link) = link.filter(|link| self.network.is_watched(*link)) else {
            return;
        };
        let every = Duration::from_millis(interval);
        if !self.network.liveness.beaten(link, every, stalled > 0) {
            return;
        }
        if let Some(l) = self.network.hosts.get(link) {
            let url = l.listed();
            self.event(Event::Stalled {
                url,
                host: Some(host.clone()),
                time: Duration::from_millis(stalled),
            });
        }
    }
}

impl Network {
    fn is_watched(&self, link: LinkId) -> bool {
        let joined = self.hosts.get(link).map(|l| l.state) == Some(State::Joined);
        joined && !is_relayed(link)
    }
}

/// As a number on the wire. No time but zero is 0.
fn millis(time: Duration) -> u64 {
    let millis = time.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX).min(1 << 50)
}
