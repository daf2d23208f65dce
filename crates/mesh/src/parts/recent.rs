//! What was published a moment ago.
//!
//! Whoever subscribes is heard of only after a moment. Programs that were written for 0.4.0, where everything is published to
//! everybody, expect to hear what is published meanwhile; so it is kept for as long as that takes, and given to those who say that they
//! listen.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytestring::ByteString;

use crate::payload::Payload;
use crate::words::{Raw, Time};

/// How long something is recent.
const MOMENT: Duration = Duration::from_millis(100);

/// How much is kept, in bytes and in publishes.
const MAX_BYTES: usize = 8 * 1024 * 1024;
const MAX_COUNT: usize = 1024;

/// Less than that may be kept until something else is published.
const LITTLE: usize = 64 * 1024;

/// How long a host may have looked up what it has missed, in steps: at first, for each publish, and for each byte that it says. A step is
/// about what it takes to compare two names.
const STEPS: usize = 64 * 1024;
const STEPS_PER_PUBLISH: usize = 64;
const STEPS_PER_BYTE: usize = 16;

#[derive(Debug)]
struct Published {
    at: Time,
    name: ByteString,
    channel: Option<Raw>,
    payload: Payload,
    /// To whom it was sent.
    hosts: Vec<ByteString>,
}

/// A host that has begun to listen to something while something was recent.
#[derive(Debug)]
struct Newcomer {
    steps: usize,
    /// How many publishes there have been.
    until: u64,
    /// How many of them it has been given, whatever it listens to.
    given: u64,
}

#[derive(Debug, Default)]
pub struct Recent {
    list: VecDeque<Published>,
    bytes: usize,
    /// How many there have been.
    count: u64,
    newcomers: HashMap<ByteString, Newcomer>,
}

impl Recent {
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn add(
        &mut self,
        now: Time,
        name: ByteString,
        channel: Option<Raw>,
        payload: Payload,
        hosts: Vec<ByteString>,
    ) {
        self.bytes += payload.size();
        self.count += 1;
        self.list.push_back(Published {
            at: now,
            name,
            channel,
            payload,
            hosts,
        });
        self.expire(now);
    }

    /// When to call `expire`.
    pub fn deadline(&self) -> Option<Time> {
        let oldest = self.list.front().filter(|_| self.bytes > LITTLE)?;
        Some(oldest.at + MOMENT + Duration::from_nanos(1))
    }

    pub fn expire(&mut self, now: Time) {
        while let Some(oldest) = self.list.front()
            && (oldest.at + MOMENT < now || self.bytes > MAX_BYTES || self.list.len() > MAX_COUNT)
        {
            self.bytes -= oldest.payload.size();
            self.list.pop_front();
        }
        if self.list.is_empty() && !self.newcomers.is_empty() {
            self.newcomers = HashMap::new();
        }
    }

    /// What a host has missed that has been connected since then and has just said, in so many bytes, what else it listens to: channels
    /// and payloads, in order. `matches` says whether a name is among that, and takes steps or gives up. A host for which that takes too
    /// long is given everything.
    pub fn missed(
        &mut self,
        now: Time,
        host: &ByteString,
        (since, bytes): (Time, usize),
        mut matches: impl FnMut(&str, &mut usize) -> Option<bool>,
    ) -> Vec<(Option<Raw>, Payload)> {
        self.expire(now);
        if self.list.is_empty() {
            return Vec::new();
        }
        let (count, before) = (self.count, self.count - self.list.len() as u64);
        let newcomer = (self.newcomers.entry(host.clone())).or_insert(Newcomer {
            steps: STEPS,
            until: count,
            given: 0,
        });
        let more = STEPS_PER_BYTE * bytes + STEPS_PER_PUBLISH * (count - newcomer.until) as usize;
        newcomer.steps = newcomer.steps.saturating_add(more);
        newcomer.until = count;
        let given = newcomer.given.saturating_sub(before) as usize;
        let mut missed = Vec::new();
        for published in self.list.iter_mut().skip(given) {
            let Published { name, hosts, .. } = published;
            let look = 1 + name.len() / 16 + hosts.len() / 8;
            newcomer.steps = newcomer.steps.saturating_sub(look);
            let found = match newcomer.steps {
                0 => None,
                _ => matches(name, &mut newcomer.steps),
            };
            if found.is_none() {
                newcomer.steps = 0;
                newcomer.given = count;
            }
            if found.unwrap_or(true) && published.at > since && !hosts.contains(host) {
                hosts.push(host.clone());
                missed.push((published.channel.clone(), published.payload.clone()));
            }
        }
        missed
    }
}
