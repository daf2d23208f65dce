//! Questions asked on the wire, and until when their answers may come.

use std::collections::{HashMap, VecDeque};

use crate::words::{LinkId, Time};

/// The open questions of one host, over all its links, numbered from 1.
///
/// Deadlines are nearly always in the order of the numbers (all questions get the same time), so they are kept in a sorted
/// queue whose dead entries are skipped at the front and swept when they outnumber the living.
#[derive(Debug)]
pub struct Questions<K> {
    next: u64,
    open: HashMap<u64, (LinkId, K)>,
    deadlines: VecDeque<(Time, u64)>,
}

impl<K> Questions<K> {
    pub fn new() -> Self {
        Questions {
            next: 1,
            open: HashMap::new(),
            deadlines: VecDeque::new(),
        }
    }

    /// Opens a question and returns its number.
    pub fn open(&mut self, link: LinkId, deadline: Time, kind: K) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, (link, kind));
        if self.deadlines.len() > 64 && self.deadlines.len() > 2 * self.open.len() {
            let open = &self.open;
            self.deadlines.retain(|(_, n)| open.contains_key(n));
        }
        let at = match self.deadlines.back() {
            Some((last, _)) if *last > deadline => {
                self.deadlines.partition_point(|(d, _)| *d <= deadline)
            }
            _ => self.deadlines.len(),
        };
        self.deadlines.insert(at, (deadline, number));
        number
    }

    /// Whether that link still owes an answer to that question.
    pub fn is_open(&self, link: LinkId, number: u64) -> bool {
        self.open.get(&number).is_some_and(|(l, _)| *l == link)
    }

    /// Ends a question because its answer has come over that link.
    pub fn take(&mut self, link: LinkId, number: u64) -> Option<K> {
        if !self.is_open(link, number) {
            return None;
        }
        let (_, kind) = self.open.remove(&number)?;
        self.skip_dead();
        Some(kind)
    }

    /// Ends a question of which `wanted` says yes because its answer has come, over whatever link.
    pub fn take_from_any(&mut self, number: u64, wanted: impl Fn(&K) -> bool) -> Option<K> {
        self.open.get(&number).filter(|(_, kind)| wanted(kind))?;
        let (_, kind) = self.open.remove(&number)?;
        self.skip_dead();
        Some(kind)
    }

    /// Ends all questions of a link, in their order.
    pub fn take_all(&mut self, link: LinkId) -> Vec<K> {
        let mut numbers: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, (l, _))| *l == link)
            .map(|(n, _)| *n)
            .collect();
        numbers.sort_unstable();
        let taken = numbers
            .iter()
            .filter_map(|n| self.open.remove(n))
            .map(|(_, kind)| kind)
            .collect();
        self.skip_dead();
        taken
    }

    /// Ends the questions whose time is over.
    pub fn take_expired(&mut self, now: Time) -> Vec<(LinkId, K)> {
        let mut expired = Vec::new();
        while self.deadlines.front().is_some_and(|(d, _)| *d <= now) {
            if let Some((_, number)) = self.deadlines.pop_front() {
                expired.extend(self.open.remove(&number));
            }
        }
        self.skip_dead();
        expired
    }

    /// When the next question's time is over.
    pub fn deadline(&self) -> Option<Time> {
        self.deadlines.front().map(|(d, _)| *d)
    }

    fn skip_dead(&mut self) {
        while self
            .deadlines
            .front()
            .is_some_and(|(_, n)| !self.open.contains_key(n))
        {
            self.deadlines.pop_front();
        }
    }
}
