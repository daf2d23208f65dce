//! What was published a moment ago.
//!
//! Whoever subscribes is heard of only after a moment. Programs that were written for 0.4.0, where everything is published to
//! everybody, expect to hear what is published meanwhile; so it is kept for as long as that takes, and given to those who say that they
//! listen.

use std::collections::VecDeque;
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

#[derive(Debug)]
pub struct Published {
    pub at: Time,
    pub name: ByteString,
    pub channel: Option<Raw>,
    pub payload: Payload,
    /// To whom it was sent.
    pub hosts: Vec<ByteString>,
}

#[derive(Debug, Default)]
pub struct Recent {
    list: VecDeque<Published>,
    bytes: usize,
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
    }

    /// What is recent, in order.
    pub fn list(&mut self, now: Time) -> impl Iterator<Item = &mut Published> {
        self.expire(now);
        self.list.iter_mut()
    }
}
