//! What two living hosts say to each other, numbered and acknowledged.
//!
//! A session belongs to a pair of incarnations, not to a link: what is not acknowledged when a link ends is said again over the
//! next one, and what arrives twice is recognised by its number. Both directions are independent, and each is numbered from 1.

mod arrivals;
mod incoming;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use crate::words::{LinkId, Time};
pub use incoming::WINDOW;
pub use session::{Part, Remains, Run, Session, Standing};

/// All sessions, by the other host's id.
#[derive(Debug)]
pub struct Sessions<T> {
    sessions: BTreeMap<ByteString, Session<T>>,
    /// When to look at a session again: at most one entry for each.
    timers: BTreeSet<(Time, ByteString)>,
    /// Those that have a link, and how many bytes wait in the others.
    linked: BTreeSet<ByteString>,
    waiting: usize,
}

impl<T: Run> Sessions<T> {
    pub fn new() -> Self {
        Sessions {
            sessions: BTreeMap::new(),
            timers: BTreeSet::new(),
            linked: BTreeSet::new(),
            waiting: 0,
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

    /// The hosts that have a link.
    pub fn linked(&self) -> Vec<ByteString> {
        self.linked.iter().cloned().collect()
    }

    /// Whether a host that has no link may come back.
    pub fn any_lost(&self) -> bool {
        self.linked.len() < self.sessions.len()
    }

    /// How many bytes of memory wait for hosts that have no link, about.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Has the session use that link from now on, see [`Session::attach`].
    pub fn attach(&mut self, host: &ByteString, link: LinkId, there: &Standing) -> Option<()> {
        let done = self.sessions.get_mut(host)?.attach(link, there);
        self.recount(host);
        done
    }

    /// The session does not use that link any more, if it did.
    pub fn detach(&mut self, host: &ByteString, link: LinkId) {
        if let Some(session) = self.sessions.get_mut(host) {
            session.detach(link);
        }
        self.recount(host);
    }

    /// Notes whether that session has a link, and how much waits in it if not.
    fn recount(&mut self, host: &ByteString) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        let waits = if session.link().is_some() {
            self.linked.insert(host.clone());
            0
        } else {
            self.linked.remove(host);
            session.occupied()
        };
        self.waiting = self.waiting + waits - std::mem::replace(&mut session.counted, waits);
    }

    /// Begins a session. There must not be one with that host.
    pub fn begin(&mut self, host: ByteString, id: ByteString) -> &mut Session<T> {
        self.sessions
            .entry(host)
            .or_insert_with(|| Session::new(id))
    }

    /// Ends a session and gives what was in flight.
    pub fn end(&mut self, host: &str) -> Option<Remains<T>> {
        let (host, session) = self.sessions.remove_entry(host)?;
        self.linked.remove(&host);
        self.waiting -= session.counted;
        if let Some(at) = session.armed {
            self.timers.remove(&(at, host));
        }
        Some(session.end())
    }

    /// Adds a run to what is to be said to that host; it may take `timeout` until it is acknowledged.
    pub fn push(&mut self, host: &ByteString, run: T, now: Time, timeout: Time) {
        let Some(session) = self.sessions.get_mut(host) else {
            return;
        };
        session.push(run, now);
        let at = now.saturating_add(timeout);
        if session.armed.is_none() {
            session.armed = Some(at);
            self.timers.insert((at, host.clone()));
        }
        if session.link().is_none() {
            self.recount(host);
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
            session.armed = session.oldest().map(|at| at.saturating_add(timeout));
            if let Some(at) = session.armed {
                self.timers.insert((at, host.clone()));
            }
            if session.link().is_none() {
                self.recount(&host);
            }
        }
        expired
    }
}
