//! Networks in which everything moves: hosts listen late, again and elsewhere, leave, crash, come back, share a url and join again, and
//! peers move among them, while they are looked for and sent to. Whatever has happened: when it has stopped, and all have joined one
//! of them, every peer of a living host can be sent to from everywhere, and so can every one that is listed.
//!
//! `MOVING_SEEDS` says how many seeds are run, `MOVING_FIRST` which is the first. `MOVING_TRACE=1` writes down what happens.

mod support;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use distribus_mesh::{Answer, Config, Event, Input};
use support::Net;

/// Several hosts may advertise this one. It leads to the machine itself.
const TWIN: &str = "ws://0.0.0.0:3000";

const PEERS: usize = 6;

fn peer(k: usize) -> String {
    format!("\"peer {k}\"")
}

/// What a host is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Up,
    Leaving,
    Down,
}

struct World {
    net: Net,
    rng: fastrand::Rng,
    lives: Vec<Life>,
    /// By this one each host can be dialled, if it listens.
    names: Vec<Option<String>>,
    /// The names that each has had in this life.
    had: Vec<BTreeSet<String>>,
    config: Config,
    ports: usize,
    twins: bool,
    trace: bool,
}

impl World {
    fn new(seed: u64, trace: bool) -> World {
        let mut rng = fastrand::Rng::with_seed(seed);
        let count = rng.usize(2..6);
        let config = Config {
            request_timeout: Duration::from_secs(5),
            reconnect_timeout: Duration::from_secs([3, 300][rng.usize(0..2)]),
            directory: rng.bool(),
            interests: rng.bool(),
            ..Config::default()
        };
        let mut net = Net::new(0);
        let most = [1, 2_000, 20_000, 200_000][rng.usize(0..4)];
        net.jitter = Some((rng.fork(), most));
        let mut world = World {
            net,
            lives: vec![Life::Up; count],
            names: vec![None; count],
            had: vec![BTreeSet::new(); count],
            config,
            ports: 0,
            twins: rng.u32(0..100) < 30,
            rng,
            trace,
        };
        for n in 0..count {
            world.net.add(None);
            world.net.reached.insert((n, TWIN.to_owned()), n);
            world.begin(n);
        }
        world
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:>12.6} {}", self.net.now.as_secs_f64(), what());
        }
    }

    fn begin(&mut self, n: usize) {
        let config = self.config.clone();
        self.net.input(n, Input::Configure(config));
        self.had[n].clear();
        if self.rng.u32(0..100) < 70 {
            self.listen(n);
        }
        self.join(n);
    }

    fn any(&mut self, fits: impl Fn(&World, usize) -> bool) -> Option<usize> {
        let all = (0..self.lives.len()).filter(|n| fits(self, *n));
        let all: Vec<usize> = all.collect();
        self.rng.choice(all)
    }

    fn up(&mut self) -> Option<usize> {
        self.any(|w, n| w.lives[n] == Life::Up)
    }

    /// Nobody reaches that host by its name any more.
    fn unlisten(&mut self, n: usize) {
        if let Some(name) = self.names[n].take() {
            self.net.reached.retain(|(_, url), _| *url != name);
        }
        self.net.nodes[n].url = None;
    }

    /// Listens at a port of its own, or, if others have moved away, at one of theirs.
    fn listen(&mut self, n: usize) {
        self.unlisten(n);
        let old = self.rng.usize(0..=self.ports);
        let name = |port: usize| format!("ws://machine:{port}");
        let taken = |port: usize| self.names.contains(&Some(name(port)));
        let port = if taken(old) || self.rng.bool() {
            self.ports += 1;
            self.ports
        } else {
            old
        };
        self.listen_at(n, port);
    }

    fn listen_at(&mut self, n: usize, port: usize) {
        let name = format!("ws://machine:{port}");
        self.had[n].insert(name.clone());
        for m in 0..self.lives.len() {
            self.net.reached.insert((m, name.clone()), n);
        }
        self.names[n] = Some(name.clone());
        let url = if self.twins && self.rng.bool() {
            TWIN.to_owned()
        } else {
            name
        };
        self.say(|| format!("{n} listens at port {port}, and says {url}"));
        self.net.nodes[n].url = Some(url.clone());
        self.net.input(n, Input::SetUrl(Some(url.into())));
    }

    fn join(&mut self, n: usize) {
        let there = self.any(|w, m| m != n && w.names[m].is_some());
        if let Some(name) = there.and_then(|m| self.names[m].clone()) {
            self.say(|| format!("{n} joins {name}"));
            self.net.join(n, &name);
        }
    }

    fn create(&mut self, n: usize, k: usize) {
        let others = (0..self.lives.len()).filter(|m| self.lives[*m] == Life::Up);
        for m in others.collect::<Vec<usize>>() {
            if self.net.nodes[m].peers.contains(&peer(k)) {
                self.net.remove(m, &peer(k));
            }
        }
        self.say(|| format!("{} lives on {n}", peer(k)));
        self.net.create(n, [peer(k)]);
    }

    fn act(&mut self) {
        let Some(n) = self.up() else {
            return self.start();
        };
        let k = self.rng.usize(0..PEERS);
        match self.rng.u32(0..100) {
            0..30 => {
                let from = "\"a\"";
                let text = self.net.nodes[n].sends.to_string();
                if self.net.nodes[n].peers.contains(&peer(k)) {
                    return;
                }
                self.say(|| format!("{n} sends to {}", peer(k)));
                if self.rng.u32(0..4) == 0 {
                    self.net.send_patiently(n, &peer(k), &text);
                } else {
                    self.net.send(n, from, &peer(k), &text);
                }
            }
            30..42 => {
                self.say(|| format!("{n} looks for {}", peer(k)));
                self.net.find(n, &peer(k));
            }
            42..55 => self.create(n, k),
            55..58 if self.net.nodes[n].peers.contains(&peer(k)) => {
                self.say(|| format!("{} is removed", peer(k)));
                self.net.remove(n, &peer(k));
            }
            58..68 => {
                let m = self.rng.usize(0..self.lives.len());
                self.say(|| format!("the connection of {n} and {m} is lost"));
                self.net.sever(n, m);
            }
            68..74 => self.listen(n),
            74..77 => {
                self.unlisten(n);
                self.say(|| format!("{n} listens no more"));
                self.net.input(n, Input::SetUrl(None));
            }
            77..81 => {
                self.say(|| format!("{n} leaves"));
                self.unlisten(n);
                self.lives[n] = Life::Leaving;
                if self.rng.bool() {
                    self.net.call_with(n, |call| Input::Drain { call });
                    let after = Duration::from_micros(self.rng.u64(0..20_000));
                    self.net.run_for(after);
                }
                self.net.close(n);
            }
            81..85 => {
                self.say(|| format!("{n} crashes"));
                self.unlisten(n);
                self.lives[n] = Life::Down;
                self.net.crash(n);
            }
            85..90 => self.start(),
            90..95 => self.join(n),
            95..97 => self.net.nodes[n].paused = true,
            _ => self.go_on(n),
        }
    }

    fn go_on(&mut self, n: usize) {
        self.net.nodes[n].paused = false;
        self.net.apply(n);
    }

    fn start(&mut self) {
        if let Some(n) = self.any(|w, n| w.lives[n] != Life::Up) {
            self.say(|| format!("{n} is started anew"));
            self.lives[n] = Life::Up;
            self.net.revive(n, None);
            self.begin(n);
        }
    }

    /// What programs do when all is well again: they join one host that listens, at a url that was no other living host's.
    fn end(&mut self) {
        self.say(|| "the faults are over".to_owned());
        for n in 0..self.lives.len() {
            if self.lives[n] != Life::Down {
                self.go_on(n);
            }
        }
        self.net.run_for(Duration::from_secs(12));
        let up: Vec<usize> = (0..self.lives.len())
            .filter(|n| self.lives[*n] == Life::Up)
            .collect();
        let listens = self.any(|w, n| w.names[n].is_some());
        let Some(seed) = listens.or(up.first().copied()) else {
            return;
        };
        // Who knows a host by a url that it has had takes a join of that url for one of that host.
        let others_had =
            |name: &String| up.iter().any(|m| *m != seed && self.had[*m].contains(name));
        if self.names[seed].as_ref().is_none_or(others_had) {
            self.unlisten(seed);
            self.ports += 1;
            self.listen_at(seed, self.ports);
        }
        let name = self.names[seed].clone().expect("it listens");
        for _ in 0..2 {
            for n in up.iter().filter(|n| **n != seed) {
                self.say(|| format!("{n} joins {name} in the end"));
                self.net.join(*n, &name);
                self.net.run_for(Duration::from_millis(500));
            }
        }
        self.net.run_for(Duration::from_secs(15));
        for n in &up {
            self.reaches_all(*n, &up);
        }
    }

    /// That host can send to whatever it lists, and to every peer of these.
    fn reaches_all(&mut self, n: usize, up: &[usize]) {
        let call = self.net.list(n);
        self.net.run_for(Duration::from_secs(1));
        let Some(Ok(Answer::Ids(lists))) = self.net.result(n, call) else {
            panic!("host {n} cannot list");
        };
        let lists = lists.iter().map(|list| serde_json::from_str(list));
        let lists: Result<Vec<Vec<String>>, _> = lists.collect();
        let listed = lists.expect("ids").into_iter().flatten();
        let mut ids: BTreeSet<String> = listed.map(|id| format!("\"{id}\"")).collect();
        let living = up.iter().flat_map(|m| self.net.nodes[*m].peers.clone());
        ids.extend(living);
        let mut sends = Vec::new();
        let own = self.net.nodes[n].peers.clone();
        for id in ids.difference(&own) {
            self.say(|| format!("{n} sends to {id} in the end"));
            sends.push((id, self.net.send(n, "\"end\"", id, "\"end\"")));
        }
        self.net.run_for(Duration::from_secs(5));
        for (id, seq) in sends {
            let outcome = self.net.outcome(n, seq);
            assert_eq!(outcome, Some(Ok(())), "from host {n} to {id}");
        }
    }

    /// Everything that was begun has ended, and addresses are those of hosts that are there, or lost.
    fn is_over(&mut self) {
        self.net.run_for(Duration::from_secs(20));
        for n in 0..self.lives.len() {
            if self.lives[n] != Life::Up {
                continue;
            }
            let mut ended = vec![0; self.net.nodes[n].sends as usize];
            for event in &self.net.nodes[n].log {
                let range = match event {
                    Event::Settled { seq, count } => *seq..seq + count,
                    Event::Failed { seq, .. } => *seq..seq + 1,
                    _ => continue,
                };
                range.for_each(|seq| ended[seq as usize] += 1);
            }
            assert!(ended.iter().all(|n| *n == 1), "host {n}: {ended:?}");
        }
    }
}

fn run(seed: u64, trace: bool) {
    let mut world = World::new(seed, trace);
    world.net.run_for(Duration::from_secs(2));
    let actions = world.rng.usize(5..120);
    let pace = [2_000, 30_000, 400_000][world.rng.usize(0..3)];
    for _ in 0..actions {
        world.act();
        // Often nothing has ended in between.
        let after = Duration::from_micros(world.rng.u64(0..pace));
        world.net.run_for(after);
    }
    world.end();
    world.is_over();
}

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn every_peer_can_be_sent_to_from_everywhere_whatever_has_moved() {
    let (first, seeds) = (number("MOVING_FIRST", 0), number("MOVING_SEEDS", 2_000));
    let trace = std::env::var("MOVING_TRACE").is_ok_and(|t| t == "1");
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let threads = match trace {
        true => 1,
        false => std::thread::available_parallelism().map_or(1, Into::into),
    };
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds || failures.lock().unwrap().len() >= 10 {
                break;
            }
            if std::panic::catch_unwind(AssertUnwindSafe(|| run(seed, trace))).is_err() {
                failures.lock().unwrap().push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "\nseeds {failures:?}. To see what happens:\n  MOVING_FIRST={} MOVING_SEEDS=1 MOVING_TRACE=1 cargo test -p distribus-mesh --test moving -- --nocapture\n",
        failures[0]
    );
}
