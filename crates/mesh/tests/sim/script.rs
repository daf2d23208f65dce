//! What happens in a run: traffic and faults, and what is planned for later.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::{BinaryKind, Config, Input, Payload};

use super::model::{Counts, Life};
use super::{Host, Task, World};

/// What a seed decides about a whole run.
#[derive(Clone, Debug)]
pub struct Profile {
    pub hosts: usize,
    /// Hosts that speak version 1 only.
    pub v1_hosts: Vec<usize>,
    /// Hosts that do not listen.
    pub unlisted: Vec<usize>,
    /// Hosts that all advertise [`TWIN`], each by a name of its own that only the script knows.
    pub twins: Vec<usize>,
    /// Programs do more than send and publish: see [`moves`](super::moves) and [`notes`](super::notes).
    pub wide: bool,
    /// Connections are lost, never hosts: then no message may be.
    pub gentle: bool,
    /// Some messages are large.
    pub fat: bool,
    /// Only little may wait, so that much is refused.
    pub tight: bool,
    pub config: Config,
    /// How many of a hundred messages make a listener throw.
    pub throws: u32,
    /// How much longer than usual a frame may be under way, in microseconds.
    pub jitter: u64,
    pub actions: u32,
    /// How long it is from one action to the next at most, in microseconds.
    pub pace: u64,
}

/// A url that means another host on every host: the one itself.
pub const TWIN: &str = "ws://0.0.0.0:1";

impl Profile {
    /// Several hosts are given the same url. Decided apart, so that no other run is changed.
    pub fn choose_twins(&mut self, seed: u64) {
        let mut rng = fastrand::Rng::with_seed(!seed);
        if self.gentle || self.tight || !self.v1_hosts.is_empty() || rng.u32(0..100) >= 35 {
            return;
        }
        let listed = (0..self.hosts).filter(|n| !self.unlisted.contains(n));
        self.twins = listed.filter(|_| rng.u32(0..100) < 70).collect();
    }

    /// More happens than sends and publishes. Decided apart as well.
    pub fn choose_width(&mut self, seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed.rotate_left(32));
        self.wide = self.v1_hosts.is_empty() && !self.fat && rng.u32(0..100) < 65;
    }

    pub fn choose(rng: &mut fastrand::Rng) -> Profile {
        let hosts = rng.usize(2..=5);
        let gentle = rng.u32(0..100) < 45;
        let v1_hosts = if !gentle && rng.u32(0..100) < 35 {
            vec![rng.usize(0..hosts)]
        } else {
            Vec::new()
        };
        let mut unlisted = Vec::new();
        if rng.u32(0..100) < 40 && hosts > 2 {
            let listens = (0..hosts).find(|n| !v1_hosts.contains(n));
            let some = (0..hosts).filter(|n| !v1_hosts.contains(n) && Some(*n) != listens);
            unlisted.extend(some.filter(|_| rng.u32(0..100) < 55));
        }
        let seconds = |rng: &mut fastrand::Rng, choices: &[u64]| {
            Duration::from_millis(choices[rng.usize(0..choices.len())])
        };
        let mut config = Config {
            reconnect_delay: seconds(rng, &[50, 250, 1_000]),
            ..Config::default()
        };
        if !gentle {
            config.request_timeout = seconds(rng, &[2_000, 5_000, 60_000]);
            config.reconnect_timeout = seconds(rng, &[3_000, 10_000, 300_000]);
        }
        // Partitions take 6 seconds at most: some are noticed, others are not.
        let interval = rng.usize(0..3);
        config.heartbeat_interval = Duration::from_millis([0, 300, 1_000][interval]);
        config.heartbeat_timeout = 3 * config.heartbeat_interval;
        (config.interests, config.directory) = (rng.bool(), rng.bool());
        let tight = v1_hosts.is_empty() && rng.u32(0..100) < 25;
        if tight {
            config.max_queue_bytes = [2_000, 20_000][rng.usize(0..2)];
            config.max_in_flight = [10, 100][rng.usize(0..2)];
        }
        Profile {
            hosts,
            tight,
            fat: !tight && v1_hosts.is_empty() && rng.u32(0..100) < 2,
            twins: Vec::new(),
            wide: false,
            v1_hosts,
            unlisted,
            gentle,
            config,
            throws: if rng.bool() { 0 } else { 4 },
            jitter: [50, 500, 3_000, 30_000][rng.usize(0..4)],
            actions: rng.u32(40..160),
            pace: [2_000, 20_000, 200_000, 500_000][rng.usize(0..4)],
        }
    }
}

/// What is planned for later.
#[derive(Clone, Debug)]
pub enum Action {
    /// One direction or both are whole again, and perhaps the connections are found to be lost.
    Heal {
        a: usize,
        b: usize,
        cut: bool,
    },
    Restart {
        n: usize,
    },
    /// Nothing from one host gets to the other one.
    Partition {
        n: usize,
        m: usize,
    },
    Join {
        n: usize,
    },
    /// A peer is made anew where it has been before.
    Create {
        n: usize,
        peer: String,
    },
    Remove {
        n: usize,
        peer: String,
    },
    Send {
        n: usize,
        peer: String,
    },
    Listen {
        n: usize,
    },
    /// A process closes its host, and ends when that is done.
    End {
        n: usize,
        life: Life,
    },
    /// It ends.
    Exit {
        n: usize,
        life: Life,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub hash: u64,
    pub counts: Counts,
}

const PEERS: usize = 8;
pub const MS: u64 = 1_000;

/// Runs one seed. Panics when a promise is broken. Without `wide` nothing happens but what the first version of this script did.
pub fn run(seed: u64, wide: bool, trace: bool) -> Report {
    let mut world = World::new(seed, wide, trace);
    world.begin();
    let since = world.model.next_id();
    world.faults = true;
    world.later(Duration::ZERO, Task::Act);
    while world.faults {
        world.run_for(Duration::from_millis(500));
    }
    world.end(since);
    Report {
        hash: world.hash,
        counts: world.model.counts,
    }
}

impl World {
    /// Hosts join each other, more or less at the same time.
    fn begin(&mut self) {
        for p in 0..PEERS {
            let n = self.rng.usize(0..self.hosts.len());
            self.live(n, peer(p));
        }
        for n in 0..self.hosts.len() {
            self.hosts[n].batching = self.chance(40);
            let calm = self.profile.gentle;
            let after = self.micros(0, if calm { 1_000 * MS } else { 20 * MS });
            self.later(after, Task::Then(Action::Join { n }));
        }
        let gentle = self.profile.gentle;
        self.run_for(Duration::from_secs(if gentle { 10 } else { 1 }));
        if gentle {
            // All of them know each other before anything is lost.
            for n in 0..self.hosts.len() {
                self.join_all(n);
            }
            self.assert_mesh();
        }
    }

    /// One random thing, and the next one is planned.
    pub fn act(&mut self) {
        if self.profile.actions == 0 {
            self.faults = false;
            return;
        }
        self.profile.actions -= 1;
        let after = self.micros(0, self.profile.pace);
        self.later(after, Task::Act);
        let n = self.rng.usize(0..self.hosts.len());
        let m = self.rng.usize(0..self.hosts.len());
        if self.profile.wide && self.chance(25) {
            return self.act_widely(n, m);
        }
        let mut dice = self.rng.u32(0..if self.profile.gentle { 91 } else { 100 });
        if (75..88).contains(&dice) && self.profile.pace <= 20 * MS && self.chance(75) {
            // Where much happens in a short time, nearly everything would be lost for nearly all of it.
            dice = 0;
        }
        match dice {
            0..40 => self.act_send(n),
            40..52 => self.act_publish(n),
            52..56 => self.act_find(n),
            56..57 => drop(self.call(n, |call| Input::List { call })),
            57..64 => self.act_peer(n, m),
            64..66 => self.act_blink(n),
            66..72 => {
                let long = self.chance(15);
                let time = self.micros(MS, if long { 6_000 * MS } else { 300 * MS });
                self.trace(|_| format!("program {n} pauses for {time:?}"));
                self.pause(n, time);
            }
            72..75 => self.hosts[n].batching = !self.hosts[n].batching,
            75..84 if n != m => self.act_cut(n, m),
            84..88 if n != m => self.act_partition(n, m),
            88..91 => self.then(Action::Join { n }),
            91..94 => self.act_crash(n),
            94..96 => self.act_close(n),
            96..98 => self.act_disconnect(n),
            98..100 => self.act_cancel(n),
            _ => {}
        }
    }

    /// One of the things that programs do beside sending and publishing.
    fn act_widely(&mut self, n: usize, m: usize) {
        let dice = self.rng.u32(0..100);
        match dice {
            0..25 => self.act_jobs(n),
            25..45 => self.change_state(n),
            45..60 => self.act_flood(n, m),
            // Where much happens in a short time, nearly everything would be lost for nearly all of it.
            _ if self.profile.pace <= 20 * MS && self.chance(75) => self.change_state(n),
            _ => self.act_move(n, m),
        }
    }

    /// Something planned.
    pub fn then(&mut self, action: Action) {
        match action {
            Action::Heal { a, b, cut } => {
                self.trace(|_| format!("{a} and {b} can reach each other again, cut: {cut}"));
                if cut {
                    for conn in self.conns_between(a, b) {
                        self.cut(conn);
                    }
                }
                self.blocked.remove(&(a.min(b), a.max(b)));
                self.hold(a, b, false);
                self.hold(b, a, false);
            }
            Action::Restart { n } => {
                if !self.hosts[n].alive {
                    self.choose_place(n);
                    self.restart(n);
                    for p in 0..PEERS {
                        if self.chance(25) && self.home(&peer(p)).is_none() {
                            self.live(n, peer(p));
                        }
                    }
                    self.then(Action::Join { n });
                    let m = self.rng.usize(0..self.hosts.len());
                    if m != n && self.faults && self.chance(30) {
                        // Just while it says hello, or is answered.
                        let after = self.micros(0, 4 * MS);
                        self.later(after, Task::Then(Action::Partition { n: m, m: n }));
                    }
                }
            }
            Action::Partition { n, m } => self.act_partition(n, m),
            Action::Create { n, peer } => {
                if self.hosts[n].alive && self.home(&peer).is_none() {
                    self.trace(|_| format!("peer {peer} is made anew on host {n}"));
                    self.live(n, peer);
                }
            }
            Action::Remove { n, peer } => {
                self.trace(|_| format!("peer {peer} leaves host {n} for a moment"));
                self.leave(n, &peer);
            }
            Action::Send { n, peer } => {
                let count = self.count();
                let payload = self.payload(count);
                self.send(n, 0, &peer, payload);
            }
            Action::Listen { n } => self.listen(n),
            Action::End { n, life } if self.hosts[n].life == life => self.end_process(n),
            Action::Exit { n, life } if self.hosts[n].life == life => self.exit(n),
            Action::End { .. } | Action::Exit { .. } => {}
            Action::Join { n } => {
                let m = self.rng.usize(0..self.hosts.len());
                if let Some(url) = self.hosts[m].name.clone().filter(|_| m != n) {
                    self.join(n, url);
                }
            }
        }
    }

    pub fn call(&mut self, n: usize, input: impl FnOnce(u64) -> Input) -> Option<u64> {
        if !self.hosts[n].alive {
            return None;
        }
        self.hosts[n].calls += 1;
        let (call, life) = (self.hosts[n].calls, self.hosts[n].life);
        self.model.called(life, call);
        self.input(n, life, input(call));
        Some(call)
    }

    pub fn join(&mut self, n: usize, url: ByteString) {
        if self.hosts[n].alive && self.hosts[n].leaving.is_none() {
            self.hosts[n].listening = true;
            self.call(n, |call| Input::Join { call, url });
        }
    }

    /// A peer comes to live there.
    pub fn live(&mut self, n: usize, peer: String) {
        self.hosts[n].peers.insert(peer.clone());
        let (life, ids) = (self.hosts[n].life, vec![Some(peer.into())]);
        self.input(n, life, Input::Created { ids });
    }

    pub fn leave(&mut self, n: usize, peer: &str) {
        if self.hosts[n].peers.remove(peer) {
            let (life, ids) = (self.hosts[n].life, vec![Some(peer.to_owned().into())]);
            self.input(n, life, Input::Removed { ids });
        }
    }

    /// Where a peer lives.
    pub fn home(&self, peer: &str) -> Option<usize> {
        self.hosts.iter().position(|h| h.peers.contains(peer))
    }

    pub fn payload(&mut self, count: u32) -> Payload {
        let first = self.model.next_id();
        let ids = first..first + count as usize;
        let fat = self.profile.fat && self.chance(30);
        let filler = if fat {
            "x".repeat(400_000)
        } else {
            String::new()
        };
        match self.rng.u32(0..10) {
            0..5 => Payload::Json {
                texts: ids.map(json).collect::<Vec<_>>().join(",").into(),
                count,
            },
            5..7 => Payload::Text(
                ids.map(|id| format!("text {id} \"\\é,{filler}").into())
                    .collect(),
            ),
            7 => Payload::Undefined { count },
            kind => Payload::Binary {
                items: ids
                    .map(|id| Bytes::from(format!("{id}\u{0}é{filler}").into_bytes()))
                    .collect(),
                kind: if kind == 8 {
                    BinaryKind::Buffer
                } else {
                    BinaryKind::Uint8Array
                },
            },
        }
    }

    pub fn count(&mut self) -> u32 {
        match self.rng.u32(0..20) {
            0..13 => 1,
            13..19 => self.rng.u32(2..12),
            _ if self.profile.fat => self.rng.u32(12..20),
            _ => self.rng.u32(12..300),
        }
    }

    fn act_send(&mut self, n: usize) {
        let mut to = self.rng.usize(0..PEERS + 1);
        for _ in 0..4 {
            // Mostly to one that is there.
            if self.home(&peer(to)).is_none_or(|home| home == n) {
                to = self.rng.usize(0..PEERS + 1);
            }
        }
        let from = self.rng.usize(0..3);
        let count = self.count();
        let payload = self.payload(count);
        self.send(n, from, &peer(to), payload);
    }

    /// The host where host `n` knows that peer to live, connected or lost.
    fn known_home(&self, n: usize, to: &str) -> Option<Life> {
        let host = &self.hosts[n];
        let (at, then) = host.located.get(to)?;
        // Somebody else may have come to that url.
        let home = self.home_at(at).filter(|home| Some(home.life) == *then)?;
        let mut known = host.view.connected().into_iter().chain(host.view.lost());
        known
            .any(|name| *name == home.id || name == at)
            .then_some(home.life)
    }

    /// The host that has that id or url. Several may advertise one url: then nobody.
    pub(super) fn home_at(&self, at: &str) -> Option<&Host> {
        let there = |h: &&Host| h.id == at || h.url.as_deref() == Some(at);
        let mut homes = self.hosts.iter().filter(there);
        homes.next().filter(|_| homes.next().is_none())
    }

    /// Gives the number of the send.
    pub fn send(&mut self, n: usize, from: usize, to: &str, payload: Payload) -> Option<u64> {
        let host = &mut self.hosts[n];
        if !host.alive || host.leaving.is_some() || host.peers.contains(to) {
            return None;
        }
        let (seq, life) = (host.sends, host.life);
        host.sends += u64::from(payload.count());
        let direct = self.known_home(n, to);
        let from = match payload {
            Payload::Undefined { .. } => format!("\"undefined {}\"", self.model.next_id()),
            _ => format!("\"{n}'s {from}\""),
        };
        self.trace(|w| {
            let id = w.model.next_id();
            format!("{n} sends {id} (+{}) to {to}", payload.count())
        });
        // 0.4.0 hosts know no requests.
        let asks = !self.hosts.iter().any(|h| h.v1) && self.chance(25);
        self.model.sent(life, &from, to, &payload, direct, asks);
        let (from, to) = (Some(from.into()), Some(to.to_owned().into()));
        let input = if asks {
            Input::Request {
                seq,
                from,
                to,
                payload,
            }
        } else if self.chance(20) {
            Input::SendPatiently {
                seq,
                from,
                to,
                payload,
            }
        } else {
            Input::Send {
                seq,
                from,
                to,
                payload,
            }
        };
        self.input(n, life, input);
        Some(seq)
    }

    pub fn act_publish(&mut self, n: usize) {
        if !self.hosts[n].alive || self.hosts[n].leaving.is_some() {
            return;
        }
        let count = self.count();
        let payload = self.payload(count);
        let life = self.hosts[n].life;
        let channel = match payload {
            Payload::Undefined { .. } => format!("\"undefined {}\"", self.model.next_id()),
            _ => format!("\"channel {}\"", self.rng.u32(0..3)),
        };
        self.trace(|w| {
            let id = w.model.next_id();
            format!("{n} publishes {id} (+{}) on {channel}", payload.count())
        });
        self.model.published(life, &channel, &payload);
        let channel = Some(channel.into());
        self.input(n, life, Input::Publish { channel, payload });
    }

    /// A send that is neither a request nor patient.
    pub fn send_plainly(&mut self, n: usize, to: &str, payload: Payload) -> Option<u64> {
        let host = &mut self.hosts[n];
        let (seq, life) = (host.sends, host.life);
        if !host.alive || host.leaving.is_some() {
            return None;
        }
        host.sends += 1;
        let direct = self.known_home(n, to);
        self.trace(|w| format!("{n} sends {} to {to}, plainly", w.model.next_id()));
        let from = "\"plainly\"";
        self.model.sent(life, from, to, &payload, direct, false);
        let (from, to) = (Some(from.into()), Some(to.to_owned().into()));
        let input = Input::Send {
            seq,
            from,
            to,
            payload,
        };
        self.input(n, life, input);
        Some(seq)
    }

    fn act_find(&mut self, n: usize) {
        let id = peer(self.rng.usize(0..PEERS + 1));
        if self.hosts[n].leaving.is_none() && !self.hosts[n].peers.contains(&id) {
            self.call(n, |call| Input::Find {
                call,
                id: Some(id.into()),
            });
        }
    }

    /// A peer is made, removed, or moves from one host to another.
    fn act_peer(&mut self, n: usize, m: usize) {
        let id = peer(self.rng.usize(0..PEERS));
        let remove = self.chance(25);
        match self.home(&id) {
            Some(home) => {
                self.leave(home, &id);
                self.trace(|_| format!("peer {id} leaves host {home}, removed: {remove}"));
                // Only a thread that is blocked all the time could take a peer back before it has applied what came for the one before.
                if !remove && self.hosts[n].alive && (n == home || !self.has_to_apply(n, &id)) {
                    self.live(n, id);
                } else if self.rng.bool() {
                    let after = self.micros(0, 5 * MS);
                    let action = Action::Create { n: home, peer: id };
                    self.later(after, Task::Then(action));
                }
            }
            None if self.hosts[m].alive && !self.has_to_apply(m, &id) => {
                self.trace(|_| format!("peer {id} is made on host {m}"));
                self.live(m, id);
            }
            None => {}
        }
    }

    /// A peer is gone for a moment while somebody sends to it all the time.
    fn act_blink(&mut self, n: usize) {
        let peer = peer(self.rng.usize(0..PEERS));
        let Some(home) = self.home(&peer) else { return };
        let span = [1, 4, 20][self.rng.usize(0..3)] * MS;
        for _ in 0..8 {
            let (after, peer) = (self.micros(0, 2 * span), peer.clone());
            self.later(after, Task::Then(Action::Send { n, peer }));
        }
        for _ in 0..2 {
            let (gone, back) = (self.micros(0, span), self.micros(0, span));
            let (n, again) = (home, peer.clone());
            self.later(gone, Task::Then(Action::Remove { n, peer: again }));
            let again = peer.clone();
            self.later(gone + back, Task::Then(Action::Create { n, peer: again }));
        }
    }

    fn act_cut(&mut self, n: usize, m: usize) {
        self.trace(|_| format!("cut {n} - {m}"));
        for conn in self.conns_between(n, m) {
            self.cut(conn);
        }
    }

    /// Frames from one host to another are held up, or in both directions; new connections are impossible.
    fn act_partition(&mut self, n: usize, m: usize) {
        let both = self.rng.bool();
        self.trace(|_| format!("partition {n} -> {m}, both: {both}"));
        self.blocked.insert((n.min(m), n.max(m)));
        self.hold(n, m, true);
        if both {
            self.hold(m, n, true);
        }
        let (after, cut) = (self.micros(MS, 6_000 * MS), self.rng.bool());
        let (a, b) = (n, m);
        self.later(after, Task::Then(Action::Heal { a, b, cut }));
    }

    fn act_crash(&mut self, n: usize) {
        if self.hosts[n].leaving.is_none() && self.hosts[n].alive {
            self.crash(n);
            let after = self.micros(MS, 5_000 * MS);
            self.later(after, Task::Then(Action::Restart { n }));
        }
    }

    fn act_close(&mut self, n: usize) {
        if self.hosts[n].leaving.is_some() {
            return;
        }
        self.trace(|_| format!("host {n} closes"));
        self.close_host(n);
        let after = self.micros(MS, 8_000 * MS);
        self.later(after, Task::Then(Action::Join { n }));
    }

    fn act_disconnect(&mut self, n: usize) {
        let keys: Vec<String> = self.hosts[n].connections.keys().cloned().collect();
        if let Some(key) = self.rng.choice(keys) {
            let life = self.hosts[n].life;
            self.input(n, life, Input::Disconnect { key: key.into() });
        }
    }

    fn act_cancel(&mut self, n: usize) {
        let keys: Vec<String> = self.hosts[n].timers.iter().cloned().collect();
        if let Some(key) = self.rng.choice(keys) {
            let life = self.hosts[n].life;
            self.input(n, life, Input::CancelTimer { key: key.into() });
        }
    }
}

fn peer(n: usize) -> String {
    if n == 0 {
        "0".to_owned()
    } else {
        format!("\"peer {n}\"")
    }
}

/// A message with that number, in one of several shapes.
fn json(id: usize) -> String {
    match id % 4 {
        0 => id.to_string(),
        1 => format!("\"{id} \\\" , ] }}\""),
        2 => format!("{{\"a\":[{id},\",\\\\\"],\"é\":{{}}}}"),
        _ => format!("[[],{id},{{\"}}\":null}}]"),
    }
}
