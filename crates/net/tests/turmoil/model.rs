//! What has been promised to the programs of all hosts, and whether it is kept. Every method that finds a promise broken panics.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use distribus_mesh::{Change, SendError};

/// One life of a host, by its place in the order in which they began.
pub type Life = usize;

/// A message, by its place in the order of all calls.
pub type Id = usize;

#[derive(Debug, PartialEq)]
enum Outcome {
    Open,
    Settled,
    Definite,
    Unknown,
}

#[derive(Debug)]
struct Message {
    sender: Life,
    /// The host whose peer it is for; none when it was published.
    to: Option<usize>,
    outcome: Outcome,
    delivered: Vec<Life>,
}

#[derive(Debug)]
struct Record {
    host: usize,
    alive: bool,
    sends: Vec<Id>,
    members: BTreeSet<Life>,
    /// How often it has seen another one leave.
    left: BTreeMap<Life, u32>,
    /// The hosts whose peers it has reached since everything is repaired.
    reached: BTreeSet<usize>,
}

/// A message that another one has to hear, if neither sees the other leave meanwhile.
#[derive(Debug)]
struct Owed {
    id: Id,
    left: (u32, u32),
}

#[derive(Debug, Default)]
pub struct Model {
    messages: Vec<Message>,
    lives: Vec<Record>,
    by_id: BTreeMap<String, Life>,
    last_sent: BTreeMap<(Life, usize), Id>,
    last_heard: BTreeMap<(Life, Life), Id>,
    owed: BTreeMap<(Life, Life), VecDeque<Owed>>,
    /// Pairs of which one has got something from the other since both have joined. Before that one may believe in a connection that
    /// was lost before the other knew of it.
    met: BTreeSet<(Life, Life)>,
    /// Everything is repaired: from now on it counts who reaches whom.
    pub repaired: bool,
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub sent: u64,
    pub settled: u64,
    pub definite: u64,
    pub unknown: u64,
    pub published: u64,
    pub heard: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.sent += other.sent;
        self.settled += other.settled;
        self.definite += other.definite;
        self.unknown += other.unknown;
        self.published += other.published;
        self.heard += other.heard;
    }
}

impl Model {
    pub fn begin(&mut self, host: usize, id: &str) -> Life {
        self.lives.push(Record {
            host,
            alive: true,
            sends: Vec::new(),
            members: BTreeSet::new(),
            left: BTreeMap::new(),
            reached: BTreeSet::new(),
        });
        self.by_id.insert(id.to_owned(), self.lives.len() - 1);
        self.lives.len() - 1
    }

    /// The host is killed.
    pub fn end(&mut self, host: usize) {
        for life in self.lives.iter_mut().filter(|l| l.host == host) {
            life.alive = false;
        }
    }

    fn note(&mut self, sender: Life, to: Option<usize>) -> Id {
        self.messages.push(Message {
            sender,
            to,
            outcome: Outcome::Open,
            delivered: Vec::new(),
        });
        self.messages.len() - 1
    }

    /// To be called before it is sent: the next one of that life.
    pub fn sent(&mut self, sender: Life, to: usize) -> Id {
        let id = self.note(sender, Some(to));
        self.lives[sender].sends.push(id);
        self.counts.sent += 1;
        id
    }

    pub fn published(&mut self, sender: Life) -> Id {
        let id = self.note(sender, None);
        self.counts.published += 1;
        for other in self.lives[sender].members.clone() {
            let left = self.left(sender, other);
            if self.met.contains(&pair(sender, other)) {
                let owed = self.owed.entry((sender, other)).or_default();
                owed.push_back(Owed { id, left });
            }
        }
        id
    }

    /// How often each of them has seen the other leave.
    fn left(&self, one: Life, other: Life) -> (u32, u32) {
        let count = |at: Life, of: Life| self.lives[at].left.get(&of).copied().unwrap_or(0);
        (count(one, other), count(other, one))
    }

    pub fn member(&mut self, at: Life, change: Change, host: &str) {
        let of = self.by_id[host];
        let record = &mut self.lives[at];
        match change {
            Change::Join => {
                assert!(record.members.insert(of), "{at} sees {of} join twice");
                self.met.remove(&pair(at, of));
            }
            Change::Leave => {
                self.met.remove(&pair(at, of));
                assert!(record.members.remove(&of), "{at} sees {of} leave twice");
                *record.left.entry(of).or_default() += 1;
            }
            Change::Disconnect | Change::Reconnect => {
                assert!(
                    record.members.contains(&of),
                    "{at}: {change:?} of {of}, no member"
                );
            }
        }
    }

    pub fn delivered(&mut self, at: Life, id: Id) {
        let host = self.lives[at].host;
        let m = &mut self.messages[id];
        assert_eq!(m.to, Some(host), "message {id} came to host {host}");
        assert!(
            m.delivered.is_empty(),
            "message {id} came to {:?} and to {at}",
            m.delivered
        );
        assert!(
            matches!(m.outcome, Outcome::Open | Outcome::Unknown),
            "message {id} came after {:?}",
            m.outcome
        );
        m.delivered.push(at);
        let sender = m.sender;
        let last = self.last_sent.insert((sender, host), id);
        assert!(last < Some(id), "message {id} came after {last:?}");
        self.meet(sender, at);
    }

    pub fn heard(&mut self, at: Life, id: Id) {
        self.counts.heard += 1;
        let m = &mut self.messages[id];
        assert!(m.to.is_none(), "message {id} was not published");
        let sender = m.sender;
        m.delivered.push(at);
        let last = self.last_heard.insert((sender, at), id);
        assert!(last < Some(id), "{at} heard message {id} after {last:?}");
        self.meet(sender, at);
        let left = self.left(sender, at);
        let owed = self.owed.entry((sender, at)).or_default();
        while owed.front().is_some_and(|o| o.id <= id)
            && let Some(next) = owed.pop_front()
        {
            assert!(
                next.id == id || next.left != left,
                "{at} has not heard message {} of {sender}, but {id}",
                next.id
            );
        }
    }

    fn meet(&mut self, one: Life, other: Life) {
        let knows = |at: Life, of: &Life| self.lives[at].members.contains(of);
        if knows(one, &other) && knows(other, &one) {
            self.met.insert(pair(one, other));
        }
    }

    pub fn settled(&mut self, life: Life, seq: u64) {
        let id = self.lives[life].sends[seq as usize];
        let m = &mut self.messages[id];
        assert_eq!(m.outcome, Outcome::Open, "message {id} settled twice");
        assert_eq!(
            m.delivered.len(),
            1,
            "message {id} settled without being delivered"
        );
        m.outcome = Outcome::Settled;
        self.counts.settled += 1;
        if self.repaired {
            self.lives[life].reached.extend(m.to);
        }
    }

    pub fn failed(&mut self, life: Life, seq: u64, error: &SendError) {
        let id = self.lives[life].sends[seq as usize];
        let m = &mut self.messages[id];
        assert_eq!(m.outcome, Outcome::Open, "message {id} ended twice");
        match error {
            SendError::Unknown { .. } | SendError::Timeout { .. } => {
                m.outcome = Outcome::Unknown;
                self.counts.unknown += 1;
            }
            SendError::Threw | SendError::ThrewNotFound { .. } => {
                panic!("message {id}: {error:?}, and nobody throws")
            }
            _ => {
                assert!(
                    m.delivered.is_empty(),
                    "message {id} failed as {error:?} and was delivered"
                );
                m.outcome = Outcome::Definite;
                self.counts.definite += 1;
            }
        }
    }

    /// Whether that life has reached the peer of that host since everything is repaired.
    pub fn has_reached(&self, life: Life, host: usize) -> bool {
        self.lives[life].reached.contains(&host)
    }

    /// The pairs of living hosts that have not: the first has not reached the second.
    pub fn missing(&self, hosts: usize) -> Vec<(usize, usize)> {
        let alive = self.lives.iter().filter(|l| l.alive);
        let missing = alive.flat_map(|l| {
            let others = (0..hosts).filter(|n| *n != l.host && !l.reached.contains(n));
            others.map(|n| (l.host, n))
        });
        missing.collect()
    }

    /// What living hosts still wait for.
    pub fn open(&self) -> Option<String> {
        for (life, record) in self.lives.iter().enumerate().filter(|(_, r)| r.alive) {
            for id in &record.sends {
                if self.messages[*id].outcome == Outcome::Open {
                    return Some(format!("message {id} of {life}: {:?}", self.messages[*id]));
                }
            }
        }
        for ((from, to), owed) in &self.owed {
            let alive = self.lives[*from].alive && self.lives[*to].alive;
            let due = |o: &&Owed| o.left == self.left(*from, *to);
            if let Some(owed) = owed.iter().find(due).filter(|_| alive) {
                return Some(format!("{to} has not heard message {} of {from}", owed.id));
            }
        }
        None
    }
}

fn pair(one: Life, other: Life) -> (Life, Life) {
    (one.min(other), one.max(other))
}
