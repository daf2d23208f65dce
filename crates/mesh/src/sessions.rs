//! What two living hosts say to each other, numbered and acknowledged.
//!
//! A session belongs to a pair of incarnations, not to a link: what is not acknowledged when a link ends is said again over the
//! next one, and what arrives twice is recognised by its number. Both directions are independent, and each is numbered from 1.

mod incoming;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use crate::event::Time;
pub use session::{Part, Remains, Run, Session, Standing};

/// All sessions, by the other host's id.
#[derive(Debug)]
pub struct Sessions<T> {
    sessions: BTreeMap<ByteString, Session<T>>,
    /// When to look at a session again: at most one entry for each.
    timers: BTreeSet<(Time, ByteString)>,
}

impl<T: Run> Sessions<T> {
    pub fn new() -> Self {
        Sessions {
            sessions: BTreeMap::new(),
            timers: BTreeSet::new(),
        }
    }

    pub fn get(&self, host: &str) -> Option<&Session<T>> {
        self.sessions.get(host)
    }

    pub fn get_mut(&mut self, host: &str) -> Option<&mut Session<T>> {
        self.sessions.get_mut(host)
    }

    pub fn hosts(&self) -> Vec<ByteString> {
        self.sessions.keys().cloned().collect()
    }

    /// Whether a host that has no link may come back.
    pub fn any_lost(&self) -> bool {
        self.sessions.values().any(|s| s.link().is_none())
    }

    /// How many bytes of memory wait for hosts that have no link, about.
    pub fn waiting(&self) -> usize {
        let lost = self.sessions.values().filter(|s| s.link().is_none());
        lost.map(Session::occupied).sum()
    }

    /// Begins a session. There must not be one with that host.
    pub fn begin(&mut self, host: ByteString, id: ByteString) -> &mut Session<T> {
        self.sessions
            .entry(host)
            .or_insert_with(|| Session::new(id))
    }

    /// Ends a session and gives what was under way.
    pub fn end(&mut self, host: &str) -> Option<Remains<T>> {
        let session = self.sessions.remove(host)?;
        self.timers.retain(|(_, h)| h != host);
        Some(session.end())
    }

    /// Adds a run to what is to be said to that host; it may take `timeout` until it is acknowledged.
    pub fn push(&mut self, host: &ByteString, run: T, now: Time, timeout: Time) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        session.push(run, now);
        if !session.armed {
            session.armed = true;
            self.timers
                .insert((now.saturating_add(timeout), host.clone()));
        }
    }

    /// When to call [`expire`](Sessions::expire).
    pub fn deadline(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Gives what has not been acknowledged in time, by host.
    pub fn expire(&mut self, now: Time, timeout: Time) -> Vec<(ByteString, Vec<Part<T>>)> {
        let mut expired = Vec::new();
        while self.timers.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, host)) = self.timers.pop_first()
        {
            let Some(session) = self.sessions.get_mut(&host) else {
                continue;
            };
            if let Some(before) = now.checked_sub(timeout) {
                let parts = session.expire(before);
                if !parts.is_empty() {
                    expired.push((host.clone(), parts));
                }
            }
            session.armed = false;
            if let Some(oldest) = session.oldest() {
                session.armed = true;
                self.timers.insert((oldest.saturating_add(timeout), host));
            }
        }
        expired
    }
}
