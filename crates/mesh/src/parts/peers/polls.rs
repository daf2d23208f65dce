//! When to look again for peers for which messages wait because their hosts are lost: they may have been made elsewhere since, and nobody
//! tells of that.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytestring::ByteString;

use crate::words::Time;

/// The first time comes soon, since who was started anew makes its peers soon; then more and more time passes, up to this.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(4);

/// A lost host's peer that no living host had is not looked for again within this time, unless a host has come.
const REMEMBERED: Duration = Duration::from_secs(1);

/// So many peers of lost hosts are looked for within that time at most.
const MOST_SEARCHES: usize = 256;

#[derive(Debug, Default)]
pub struct Polls {
    /// When each peer's turn is, and the time that passes until the one after that.
    next: HashMap<ByteString, (Time, Duration)>,
    due: BTreeSet<(Time, ByteString)>,
    /// The peers that nobody had, and until when that is remembered.
    nowhere: HashMap<ByteString, Time>,
}

impl Polls {
    /// That peer is to be looked for now and then.
    pub fn add(&mut self, key: &ByteString, now: Time) {
        if !self.next.contains_key(key) {
            self.next.insert(key.clone(), (now + FIRST, 2 * FIRST));
            self.due.insert((now + FIRST, key.clone()));
        }
    }

    /// The peers whose turn it is; or, without a time, all.
    pub fn due(&self, now: Option<Time>) -> Vec<ByteString> {
        let due = |at: Time| now.is_none_or(|now| at <= now);
        let due = self.due.iter().take_while(|(at, _)| due(*at));
        due.map(|(_, key)| key.clone()).collect()
    }

    /// When the next turn of a peer is whose turn it was.
    pub fn keep(&mut self, key: &ByteString, now: Time) {
        if let Some((at, delay)) = self.next.get_mut(key) {
            self.due.remove(&(*at, key.clone()));
            (*at, *delay) = (now + *delay, (2 * *delay).min(LONGEST));
            self.due.insert((*at, key.clone()));
        }
    }

    /// That peer need not be looked for any more.
    pub fn remove(&mut self, key: &ByteString) {
        if let Some((at, _)) = self.next.remove(key) {
            self.due.remove(&(at, key.clone()));
        }
    }

    /// Whether a peer of a lost host may be looked for. If so, it counts as one that nobody has until it is found, or somebody comes.
    /// `again`: its turn has come, and it is not remembered that nobody had it before.
    pub fn allow(&mut self, key: &ByteString, now: Time, again: bool) -> bool {
        if !again && self.nowhere.get(key).is_some_and(|until| now < *until) {
            return false;
        }
        if self.nowhere.len() >= MOST_SEARCHES {
            self.nowhere.retain(|_, until| now < *until);
            if self.nowhere.len() >= MOST_SEARCHES {
                return false;
            }
        }
        self.nowhere.insert(key.clone(), now + REMEMBERED);
        true
    }

    /// A host has come: it may have what nobody had, or soon.
    pub fn come(&mut self, now: Time) {
        self.nowhere.clear();
        self.due.clear();
        for (key, turn) in &mut self.next {
            *turn = (now + FIRST, 2 * FIRST);
            self.due.insert((turn.0, key.clone()));
        }
    }

    pub fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }
}
