//! A whole network in one thread: meshes, the programs that use them and the connections between them, on virtual time, all decided
//! by one seed. The same seed gives the same run.
//!
//! [`model`] knows what has been promised and watches every step; [`net`] is the network and its faults, [`program`] applies
//! events, [`notes`] is what programs tell each other, [`script`] is what happens, [`moves`] what happens to hosts, [`ending`] how it
//! ends, and [`quiet`] what has to be so then.

pub mod ending;
pub mod model;
pub mod moves;
pub mod net;
pub mod notes;
pub mod program;
pub mod quiet;
pub mod script;
#[path = "../support/v1.rs"]
pub mod v1;
#[path = "../support/view.rs"]
pub mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Answer, DialError, Event, Input, LinkId, Mesh, Output, Reply, Time, Topic};
use model::{Life, Model};
use moves::Leaving;
use net::{Conn, End, Frame};
use program::Program;
use script::{Profile, TWIN};

/// What will happen at some time.
#[derive(Debug)]
pub enum Task {
    Dial {
        from: End,
        url: ByteString,
    },
    Opened {
        conn: usize,
    },
    Refused {
        from: End,
        link: LinkId,
        error: DialError,
    },
    Arrive {
        conn: usize,
        side: usize,
    },
    Closed {
        conn: usize,
        side: usize,
    },
    Resume {
        conn: usize,
        side: usize,
    },
    /// The program of that host looks at what it was told.
    Apply {
        n: usize,
        life: Life,
    },
    /// It says that it is through with it.
    Applied {
        n: usize,
        life: Life,
        upto: u64,
        part: u32,
        replies: Vec<(u64, u32, Reply)>,
    },
    /// A handler of that host returns.
    Reply {
        n: usize,
        life: Life,
        host: ByteString,
        number: u64,
    },
    Flush {
        n: usize,
        life: Life,
    },
    /// The next thing that the script does.
    Act,
    /// Something that the script has planned.
    Then(script::Action),
}

pub struct Host {
    /// By this one it can be dialled.
    pub name: Option<ByteString>,
    /// This one it advertises.
    pub url: Option<ByteString>,
    /// All that it has advertised in this life.
    pub urls: Vec<ByteString>,
    /// It speaks version 1 only.
    pub v1: bool,
    /// Its process is going to end.
    pub leaving: Option<Leaving>,
    /// It closes, with that call.
    pub closing: Option<u64>,
    pub life: Life,
    /// The id of this life.
    pub id: String,
    pub alive: bool,
    /// Others can connect to it: it has not been closed.
    pub listening: bool,
    pub mesh: Mesh,
    pub peers: BTreeSet<String>,
    pub program: Program,
    /// Where peers are, as the mesh has said last (not as the program has applied), and who was there.
    pub located: BTreeMap<String, (String, Option<Life>)>,
    /// By key: the url and the host.
    pub connections: BTreeMap<String, (Option<String>, Option<String>)>,
    pub timers: BTreeSet<String>,
    pub view: view::View,
    /// Collects what it says for a while.
    pub batching: bool,
    flushing: bool,
    ticks: (Time, u32),
    pub calls: u64,
    pub sends: u64,
}

pub struct World {
    pub rng: fastrand::Rng,
    pub now: Time,
    pub profile: Profile,
    pub hosts: Vec<Host>,
    pub model: Model,
    /// Pairs of hosts that cannot connect, the smaller one first.
    pub blocked: BTreeSet<(usize, usize)>,
    pub conns: Vec<Conn>,
    /// Urls at which nobody listens any more.
    pub released: Vec<ByteString>,
    /// How many urls have been given out later than at the beginning.
    pub ports: u32,
    /// What `list` has told, by host and life.
    pub listed: BTreeMap<(usize, Life), Vec<String>>,
    ends: HashMap<End, (usize, usize)>,
    dials: BTreeSet<End>,
    queue: BTreeMap<(Time, u64), Task>,
    order: u64,
    /// Faults happen.
    pub faults: bool,
    pub hash: u64,
    pub trace: bool,
}

impl World {
    pub fn new(seed: u64, wide: bool, trace: bool) -> World {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut profile = Profile::choose(&mut rng);
        profile.choose_twins(seed);
        if wide {
            profile.choose_width(seed);
        }
        let mut world = World {
            rng,
            now: Duration::ZERO,
            profile,
            hosts: Vec::new(),
            model: Model::default(),
            blocked: BTreeSet::new(),
            conns: Vec::new(),
            released: Vec::new(),
            ports: 1,
            listed: BTreeMap::new(),
            ends: HashMap::new(),
            dials: BTreeSet::new(),
            queue: BTreeMap::new(),
            order: 0,
            faults: false,
            hash: 0,
            trace,
        };
        world.trace(|w| format!("{:?}", w.profile));
        for n in 0..world.profile.hosts {
            let unlisted = world.profile.unlisted.contains(&n);
            let name = (!unlisted).then(|| ByteString::from(format!("ws://host{n}:1")));
            let twin = world.profile.twins.contains(&n);
            let url = if twin {
                Some(TWIN.into())
            } else {
                name.clone()
            };
            let v1 = world.profile.v1_hosts.contains(&n);
            world.model.translated |= v1;
            world.model.excuses = world.profile.tight;
            let (mesh, life, id) = world.new_mesh(n, &url);
            world.hosts.push(Host {
                name,
                urls: url.iter().cloned().collect(),
                url,
                v1,
                leaving: None,
                closing: None,
                life,
                id,
                alive: true,
                listening: true,
                mesh,
                peers: BTreeSet::new(),
                program: Program::default(),
                located: BTreeMap::new(),
                connections: BTreeMap::new(),
                timers: BTreeSet::new(),
                view: view::View::default(),
                batching: false,
                flushing: false,
                ticks: (Duration::ZERO, 0),
                calls: 0,
                sends: 0,
            });
        }
        world
    }

    fn new_mesh(&mut self, n: usize, url: &Option<ByteString>) -> (Mesh, Life, String) {
        // Which of two hosts has the smaller id must not depend on their numbers.
        let id = format!("{:08x}-{n}", self.rng.u32(..));
        let life = self.model.begin_life(format!("host {n}, {id}"));
        let mut mesh = Mesh::new(
            self.profile.config.clone(),
            id.clone().into(),
            self.rng.u64(..),
        );
        let mut out = Vec::new();
        mesh.handle(self.now, Input::SetUrl(url.clone()), &mut out);
        // Everybody listens to everything, some by name.
        let names = match self.rng.bool() {
            true => vec![("**", true)],
            false => vec![
                ("channel 0", false),
                ("channel 1", false),
                ("channel 2", false),
                ("undefined *", true),
            ],
        };
        for (name, pattern) in names {
            let topic = Topic {
                name: name.into(),
                pattern,
            };
            mesh.handle(self.now, Input::Subscribe { topic }, &mut out);
        }
        assert!(out.is_empty(), "a new host says something");
        (mesh, life, id)
    }

    /// The host dies without a word.
    pub fn crash(&mut self, n: usize) {
        self.trace(|_| format!("host {n} crashes"));
        self.cut_all(n);
        let host = &mut self.hosts[n];
        host.alive = false;
        host.peers.clear();
        self.model.end_life(self.hosts[n].life);
    }

    /// It comes to life again: another incarnation at the same url.
    pub fn restart(&mut self, n: usize) {
        let url = self.hosts[n].url.clone();
        let (mesh, life, id) = self.new_mesh(n, &url);
        self.trace(|_| format!("host {n} starts again, life {life}"));
        let host = &mut self.hosts[n];
        (host.mesh, host.life, host.id, host.alive) = (mesh, life, id, true);
        (host.listening, host.program) = (true, Program::default());
        (host.calls, host.sends, host.flushing) = (0, 0, false);
        host.located.clear();
        host.connections.clear();
        host.timers.clear();
        host.view.clear();
        (host.leaving, host.closing) = (None, None);
        host.urls = host.url.iter().cloned().collect();
    }

    pub fn at(&mut self, at: Time, task: Task) {
        self.order += 1;
        self.queue.insert((at.max(self.now), self.order), task);
    }

    pub fn later(&mut self, after: Duration, task: Task) {
        self.at(self.now + after, task);
    }

    /// A time between those, in microseconds, more often a short one.
    pub fn micros(&mut self, least: u64, most: u64) -> Duration {
        let span = (most - least) as f64 * self.rng.f64() * self.rng.f64();
        Duration::from_micros(least + span as u64)
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    pub fn trace(&self, line: impl FnOnce(&World) -> String) {
        if self.trace {
            eprintln!("{:>12.6} {}", self.now.as_secs_f64(), line(self));
        }
    }

    fn note(&mut self, what: &impl Hash) {
        // Its keys are always the same.
        #[allow(deprecated)]
        let mut hasher = std::hash::SipHasher::new();
        (self.hash, what).hash(&mut hasher);
        self.hash = hasher.finish();
    }

    /// Gives an input to a mesh and does what it says, as the driver does.
    pub fn input(&mut self, n: usize, life: Life, input: Input) {
        if !self.hosts[n].alive || self.hosts[n].life != life {
            return;
        }
        self.trace(|_| format!("  {n} <- {}", short(&input)));
        let mut out = Vec::new();
        self.hosts[n].mesh.handle(self.now, input, &mut out);
        if self.profile.tight {
            self.assert_queues(n);
        }
        self.perform(n, out);
        if !self.hosts[n].batching {
            self.flush(n);
        } else if !self.hosts[n].flushing {
            self.hosts[n].flushing = true;
            let after = self.micros(1, 2_000);
            self.later(after, Task::Flush { n, life });
        }
    }

    fn flush(&mut self, n: usize) {
        let mut out = Vec::new();
        self.hosts[n].flushing = false;
        self.hosts[n].mesh.flush(&mut out);
        self.perform(n, out);
    }

    fn perform(&mut self, n: usize, out: Vec<Output>) {
        let life = self.hosts[n].life;
        for output in out {
            self.trace(|_| format!("  {n} -> {}", short(&output)));
            match output {
                Output::Dial { link, url, .. } => {
                    self.note(&(n, "dial", &*url));
                    self.dial((n, life, link), url);
                }
                Output::Transmit { link, text } => {
                    self.note(&(n, link.0, &*text));
                    self.transmit((n, life, link), Frame::Text(text));
                }
                Output::TransmitBinary { link, bytes } => {
                    self.note(&(n, link.0, &bytes));
                    self.transmit((n, life, link), Frame::Binary(bytes));
                }
                Output::Beat { link, bytes } => {
                    self.note(&(n, link.0, "beat"));
                    self.transmit((n, life, link), Frame::Binary(bytes));
                }
                Output::Ping { link } => {
                    self.note(&(n, link.0, "ping"));
                    self.transmit((n, life, link), Frame::Ping);
                }
                Output::Probe { link } => {
                    self.note(&(n, link.0, "probe"));
                    self.probe((n, life, link));
                }
                Output::Greeted { .. } | Output::Owed { .. } => {}
                Output::Close { link, .. } => {
                    self.note(&(n, link.0, "close"));
                    self.close((n, life, link));
                }
                Output::Event(event) => self.told(n, event),
            }
        }
    }

    fn told(&mut self, n: usize, event: Event) {
        let there = match &event {
            Event::Located { url, .. } => self.home_at(url).map(|home| home.life),
            _ => None,
        };
        let host = &mut self.hosts[n];
        match &event {
            Event::Located { id, url } => {
                let at = (url.to_string(), there);
                drop(host.located.insert(id.to_string(), at));
            }
            Event::Forgotten { id } => drop(host.located.remove(&**id)),
            _ => {}
        }
        let life = host.life;
        match &event {
            Event::Deliver { payload, .. }
            | Event::Note { payload, .. }
            | Event::Publish { payload, .. }
            | Event::Request { payload, .. } => {
                self.note(&(n, payload.count(), payload.size()));
            }
            other => self.note(&format!("{n} {other:?}")),
        }
        if let Event::Done {
            result: Ok(Answer::Ids(lists)),
            ..
        } = &event
        {
            let lists = lists.iter().map(|ids| &ids[1..ids.len() - 1]);
            let ids = lists
                .filter(|ids| !ids.is_empty())
                .flat_map(|ids| ids.split(','));
            let ids = ids.map(str::to_owned).collect();
            self.listed.insert((n, life), ids);
        }
        self.model.told(life, &event);
        self.hosts[n].program.waiting.push_back(event);
        if self.profile.fat && self.profile.gentle {
            // Nobody begins a second session.
            self.assert_bounded(n);
        }
        self.wake(n);
    }

    /// Does the next thing. False when there is nothing to do before `until`.
    fn step(&mut self, until: Time) -> bool {
        let due = (0..self.hosts.len())
            .filter(|n| self.hosts[*n].alive)
            .filter_map(|n| {
                self.hosts[n]
                    .mesh
                    .deadline()
                    .map(|at| (at.max(self.now), n))
            })
            .min();
        let next = self.queue.keys().next().map(|(at, _)| *at);
        match (due, next) {
            (Some((at, n)), next) if at <= until && next.is_none_or(|next| at < next) => {
                self.now = at;
                self.tick(n);
            }
            (_, Some(at)) if at <= until => {
                self.now = at;
                if let Some((_, task)) = self.queue.pop_first() {
                    self.perform_task(task);
                }
            }
            _ => return false,
        }
        true
    }

    fn tick(&mut self, n: usize) {
        let (now, life) = (self.now, self.hosts[n].life);
        let ticks = &mut self.hosts[n].ticks;
        *ticks = if ticks.0 == now {
            (now, ticks.1 + 1)
        } else {
            (now, 1)
        };
        assert!(ticks.1 < 100, "host {n} does not stop ticking");
        self.input(n, life, Input::Tick);
    }

    fn perform_task(&mut self, task: Task) {
        match task {
            Task::Dial { from, url } => self.dialled(from, &url),
            Task::Opened { conn } => self.opened(conn),
            Task::Refused { from, link, error } => self.refused(from, link, error),
            Task::Arrive { conn, side } => self.arrive(conn, side),
            Task::Closed { conn, side } => self.conn_closed(conn, side),
            Task::Resume { conn, side } => self.resume(conn, side),
            Task::Apply { n, life } => self.apply(n, life),
            Task::Applied {
                n,
                life,
                upto,
                part,
                replies,
            } => {
                self.applied(n, life, upto, part, replies);
            }
            Task::Reply {
                n,
                life,
                host,
                number,
            } => self.reply(n, life, host, number),
            Task::Flush { n, life } => {
                if self.hosts[n].alive && self.hosts[n].life == life && self.hosts[n].flushing {
                    self.flush(n);
                }
            }
            Task::Act => self.act(),
            Task::Then(action) => self.then(action),
        }
    }

    pub fn run_until(&mut self, until: Time) {
        let mut steps = 0u32;
        while self.step(until) {
            steps += 1;
            assert!(steps < 2_000_000, "the network does not come to rest");
        }
        self.now = self.now.max(until);
    }

    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }
}

/// A line of a trace, not longer than one can read.
fn short(what: &impl std::fmt::Debug) -> String {
    let text = format!("{what:?}");
    match text.char_indices().nth(400) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// What waits for a program, in the order in which it was told.
pub type Waiting = VecDeque<Event>;
