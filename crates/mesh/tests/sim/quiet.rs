//! What has to be so when nothing bad happens any more, and what a single fault does to a network that is well.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use distribus_mesh::{Input, Payload};

use super::script::{Action, MS};
use super::{Task, World};

/// How long it may take until a peer can be sent to.
const REACH: Duration = Duration::from_secs(5);
/// After a send that failed it is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// Which of these checks are made, unless `SIM_CHECKS` says otherwise.
const WANTED: [&str; 7] = [
    "states", "moves", "listed", "replaced", "late", "goodbye", "left",
];

/// Whether that check is made.
pub fn is_wanted(check: &str) -> bool {
    match std::env::var("SIM_CHECKS") {
        Ok(names) => names.split(',').any(|name| name == check),
        Err(_) => WANTED.contains(&check),
    }
}

impl World {
    /// What `list()` shows can be sent to, from everywhere.
    pub fn assert_listed(&mut self) {
        self.listed.clear();
        for n in 0..self.hosts.len() {
            self.call(n, |call| Input::List { call });
        }
        self.run_for(Duration::from_secs(2));
        let mut wanted = BTreeSet::new();
        for ((n, life), ids) in std::mem::take(&mut self.listed) {
            if self.hosts[n].alive && self.hosts[n].life == life {
                wanted.extend(ids.into_iter().map(|id| (n, id)));
            }
        }
        self.assert_reached(wanted);
    }

    /// Each of those hosts can send to that peer, within a while, if it lives elsewhere.
    fn assert_reached(&mut self, mut wanted: BTreeSet<(usize, String)>) {
        let mut sends: BTreeMap<(usize, String), u64> = BTreeMap::new();
        let until = self.now + REACH;
        let mut last = BTreeMap::new();
        while !wanted.is_empty() && self.now < until {
            for (n, peer) in wanted.clone() {
                let life = self.hosts[n].life;
                let lives = self.home(&peer).is_some_and(|home| home != n);
                let seq = sends.get(&(n, peer.clone())).copied();
                if !lives || seq.is_some_and(|seq| self.model.is_settled(life, seq)) {
                    wanted.remove(&(n, peer));
                } else if seq.is_none_or(|seq| self.model.is_over(life, seq)) {
                    if let Some(seq) = seq {
                        last.insert((n, peer.clone()), self.model.describe(life, seq));
                    }
                    let text = format!("\"{n} still reaches, {}\"", self.model.next_id());
                    let payload = Payload::one(Some(text.into()));
                    let seq = self.send_plainly(n, &peer, payload);
                    sends.extend(seq.map(|seq| ((n, peer), seq)));
                }
            }
            self.run_for(AGAIN);
        }
        let settled = |(n, peer): &(usize, String)| {
            let seq = sends.get(&(*n, peer.clone()));
            seq.is_some_and(|seq| self.model.is_settled(self.hosts[*n].life, *seq))
        };
        wanted.retain(|at| !settled(at));
        if let Some((n, peer)) = wanted.first() {
            panic!(
                "host {n} cannot send to {peer}, which lives on host {:?}: {:?}; {:?}",
                self.home(peer),
                last.get(&(*n, peer.clone())),
                self.hosts[*n].connections
            );
        }
    }

    /// A host dies, and a peer to which everybody has sent is started elsewhere: a living host wins over a lost one.
    pub fn assert_replaced(&mut self) {
        let victim = self.rng.usize(0..self.hosts.len());
        let id = "\"it moves\"".to_owned();
        self.live(victim, id.clone());
        let others: Vec<usize> = (0..self.hosts.len()).filter(|n| *n != victim).collect();
        self.assert_reached(others.iter().map(|n| (*n, id.clone())).collect());
        // Relays and those who are relayed are no longer connected when the only host that listens is dead.
        let elsewhere = others.len() > 1 && self.chance(60);
        let heir = self.rng.choice(others.clone()).filter(|_| elsewhere);
        self.crash(victim);
        let after = self.micros(0, 500 * MS);
        self.run_for(after);
        if let Some(heir) = heir {
            self.live(heir, id.clone());
        } else {
            if let Some(name) = self.hosts[victim].name.clone()
                && others.iter().any(|n| self.hosts[*n].name.is_some())
            {
                self.released.push(name);
                (self.hosts[victim].name, self.hosts[victim].url) = (None, None);
            }
            self.restart(victim);
            self.live(victim, id.clone());
            self.join_all(victim);
        }
        // By now everybody has noticed.
        self.run_for(Duration::from_secs(5));
        let connected = |n: &usize| match heir {
            Some(heir) => self.is_connected(*n, heir),
            None => self.is_connected(*n, victim),
        };
        let able = others.iter().filter(|n| Some(**n) != heir && connected(n));
        self.assert_reached(able.map(|n| (*n, id.clone())).collect());
        let home = heir.unwrap_or(victim);
        self.leave(home, &id);
        if !self.hosts[victim].alive {
            self.restart(victim);
        }
    }

    /// Who closes in the middle of a join is gone, not lost.
    pub fn assert_goodbye(&mut self) {
        let n = self.rng.usize(0..self.hosts.len());
        if self.hosts[n].alive {
            self.crash(n);
        }
        self.restart(n);
        let id = self.hosts[n].id.clone();
        self.then(Action::Join { n });
        let after = self.micros(0, 15 * MS + 4 * self.profile.jitter);
        let life = self.hosts[n].life;
        self.later(after, Task::Then(Action::End { n, life }));
        self.run_for(Duration::from_secs(12));
        assert!(!self.hosts[n].alive, "host {n} does not come to an end");
        for (m, host) in self.hosts.iter().enumerate() {
            assert!(
                m == n || !host.view.lost().contains(&&id),
                "host {m} waits for host {n}, which closed in the middle of a join"
            );
        }
        self.restart(n);
    }
}
