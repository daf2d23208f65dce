//! The end of a run: nothing bad happens any more, and everything has to become well again.

use std::time::Duration;

use distribus_mesh::Payload;

use super::quiet::is_wanted;
use super::script::Action;
use super::{Host, World};

impl World {
    /// Nothing bad happens any more.
    pub fn end(&mut self, since: usize) {
        self.trace(|_| "the faults are over".to_owned());
        self.profile.throws = 0;
        for n in 0..self.hosts.len() {
            self.hosts[n].batching = false;
            self.hosts[n].listening = true;
            let now = self.now;
            self.hosts[n].program.paused = now;
            for m in 0..n {
                self.then(Action::Heal {
                    a: m,
                    b: n,
                    cut: false,
                });
            }
            self.then(Action::Restart { n });
        }
        self.end_widely();
        // What had begun before may have ended one since.
        for n in 0..self.hosts.len() {
            if !self.hosts[n].alive {
                self.then(Action::Restart { n });
            }
        }
        let config = self.profile.config.clone();
        self.run_for(config.request_timeout + config.reconnect_timeout + Duration::from_secs(30));
        self.model.finish();
        self.assert_symmetry();
        if self.profile.gentle {
            self.assert_mesh();
            // Large messages may be more than waits for a lost host.
            let pairs = self.pairs().into_iter().filter(|_| !self.profile.fat);
            for (n, m) in pairs {
                let (sender, receiver) = (&self.hosts[n], &self.hosts[m]);
                if self.profile.tight {
                    let known = |host: &Host| {
                        let urls = host.urls.iter().chain(&host.url);
                        let mut keys: Vec<String> = urls.map(ToString::to_string).collect();
                        keys.push(host.id.clone());
                        keys.sort_unstable();
                        keys.dedup();
                        keys
                    };
                    let (from, to) = (known(sender), known(receiver));
                    let (from, to) = ((sender.life, &*from), (receiver.life, &*to));
                    self.model.losses_told(since, from, to);
                } else {
                    self.model.nothing_lost(since, sender.life, receiver.life);
                }
            }
        }
        for n in 0..self.hosts.len() {
            self.join_all(n);
        }
        self.assert_mesh();
        self.assert_talk();
        self.model.finish();
        self.assert_members();
        if self.profile.wide {
            self.assert_quiet();
        }
    }

    /// Processes that are coming to an end do so and are replaced, and somebody listens.
    fn end_widely(&mut self) {
        if !self.profile.wide {
            return;
        }
        for n in 0..self.hosts.len() {
            if self.hosts[n].leaving.is_some() {
                self.then(Action::Exit {
                    n,
                    life: self.hosts[n].life,
                });
                self.then(Action::Restart { n });
            }
        }
        if self.hosts.iter().all(|h| h.name.is_none()) {
            self.listen(0);
        }
        for n in 0..self.hosts.len() {
            self.then(Action::Join { n });
        }
        if is_wanted("listed") {
            self.run_for(Duration::from_secs(20));
            self.assert_listed();
        }
    }

    fn assert_quiet(&mut self) {
        if is_wanted("states") {
            self.assert_states();
        }
        if is_wanted("listed") {
            self.assert_listed();
        }
        if is_wanted("replaced") {
            self.assert_replaced();
        }
        if is_wanted("goodbye") {
            self.assert_goodbye();
        }
        // Those two have had hosts end: what is said to one that is lost waits until it is given up.
        let config = &self.profile.config;
        let most = config.request_timeout + config.reconnect_timeout + Duration::from_secs(5);
        let until = self.now + most;
        while self.now < until && !self.model.is_finished() {
            self.run_for(Duration::from_secs(1));
        }
        self.model.finish();
    }

    fn pairs(&self) -> Vec<(usize, usize)> {
        let hosts = 0..self.hosts.len();
        hosts
            .clone()
            .flat_map(|n| hosts.clone().map(move |m| (n, m)))
            .filter(|(n, m)| n != m)
            // 0.4.0 hosts cannot reach who does not listen.
            .filter(|(n, m)| !(self.hosts[*n].v1 && self.hosts[*m].url.is_none()))
            .collect()
    }

    pub fn join_all(&mut self, n: usize) {
        for m in 0..self.hosts.len() {
            if let Some(url) = self.hosts[m].name.clone().filter(|_| m != n) {
                self.join(n, url);
                self.run_for(Duration::from_millis(300));
            }
        }
        self.run_for(Duration::from_secs(2));
    }

    pub fn is_connected(&self, n: usize, m: usize) -> bool {
        let there = &self.hosts[m];
        self.hosts[n]
            .connections
            .iter()
            .any(|(key, (url, host))| match (&there.url, host) {
                (_, Some(host)) => *host == there.id,
                (Some(there), None) => **key == **there || url.as_deref() == Some(&**there),
                (None, None) => false,
            })
    }

    fn assert_symmetry(&self) {
        for (n, m) in self.pairs() {
            if self.hosts[n].v1 || self.hosts[m].v1 {
                continue;
            }
            assert!(
                !self.is_connected(n, m) || self.is_connected(m, n),
                "host {n} is connected with host {m}, which does not know"
            );
        }
    }

    pub fn assert_mesh(&self) {
        for (n, m) in self.pairs() {
            assert!(
                self.is_connected(n, m),
                "host {n} is not connected with host {m}: {:?}",
                self.hosts[n].connections
            );
        }
    }

    /// Whoever was lost is back or gone, and nobody is taken for a member who is none.
    fn assert_members(&self) {
        for (n, host) in self.hosts.iter().enumerate() {
            host.view.check();
            assert!(
                host.view.lost().is_empty(),
                "host {n} waits for {:?}",
                host.view.lost()
            );
        }
    }

    /// Every host reaches every other one.
    fn assert_talk(&mut self) {
        for (n, m) in self.pairs() {
            let to = format!("\"the end of {m}\"");
            self.live(m, to.clone());
            let text = format!("\"{n} says at the end to {m}\"");
            let payload = Payload::one(Some(text.into()));
            let seq = self.send(n, 0, &to, payload);
            self.run_for(Duration::from_secs(1));
            let life = self.hosts[n].life;
            assert!(
                seq.is_some_and(|seq| self.model.is_settled(life, seq)),
                "host {n} cannot reach host {m}: {}",
                seq.map(|seq| self.model.describe(life, seq))
                    .unwrap_or_default()
            );
        }
    }
}
