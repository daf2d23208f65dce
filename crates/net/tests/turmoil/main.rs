//! The real code of this crate over the simulated network of turmoil, with faults, for many seeds: what is promised holds, and when
//! everything is repaired every pair of hosts talks again.
//!
//! `cargo test -p distribus-net --features simulated --test turmoil`; `TURMOIL_SEEDS` says how many seeds, `TURMOIL_FIRST` which is the first, `TURMOIL_TRACE=1` tells
//! what happened in those that failed.

mod model;
mod program;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use distribus_mesh::Config;
use model::{Counts, Model};
use program::{HOSTS, Stage, ip};

const TICK: Duration = Duration::from_millis(5);
const FAULTS: Duration = Duration::from_secs(12);
/// How long every pair may take to talk again, as in the chaos of real processes.
const MESH: Duration = Duration::from_secs(35);
const SETTLED: Duration = Duration::from_secs(10);

/// Something that is wrong, and is repaired later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Partition(usize, usize),
    OneWay(usize, usize),
    Hold(usize, usize),
    Crash(usize),
}

impl Trouble {
    fn choose(rng: &mut fastrand::Rng) -> Trouble {
        let a = rng.usize(0..HOSTS);
        let b = (a + rng.usize(1..HOSTS)) % HOSTS;
        match rng.u32(0..10) {
            0..3 => Trouble::Partition(a, b),
            3..5 => Trouble::OneWay(a, b),
            5..8 => Trouble::Hold(a, b),
            _ => Trouble::Crash(a),
        }
    }

    /// What can have one trouble at a time only.
    fn place(self) -> (usize, usize) {
        match self {
            Trouble::Partition(a, b) | Trouble::OneWay(a, b) | Trouble::Hold(a, b) => {
                (a.min(b), a.max(b))
            }
            Trouble::Crash(n) => (n, n),
        }
    }
}

struct Run<'a> {
    sim: turmoil::Sim<'a>,
    stage: Rc<Stage>,
    rng: fastrand::Rng,
    troubles: Vec<(Duration, Trouble)>,
    places: BTreeSet<(usize, usize)>,
}

impl Run<'_> {
    fn new(seed: u64) -> Self {
        fastrand::seed(seed);
        let mut rng = fastrand::Rng::with_seed(seed);
        let millis = |rng: &mut fastrand::Rng, choices: [u64; 3]| {
            Duration::from_millis(choices[rng.usize(0..3)])
        };
        let heartbeat_interval = millis(&mut rng, [0, 300, 1_000]);
        let config = Config {
            interests: rng.bool(),
            directory: rng.bool(),
            heartbeat_interval,
            heartbeat_timeout: 3 * heartbeat_interval,
            reconnect_delay: millis(&mut rng, [50, 250, 1_000]),
            reconnect_timeout: millis(&mut rng, [3_000, 6_000, 300_000]),
            request_timeout: millis(&mut rng, [2_000, 4_000, 8_000]),
            ..Config::default()
        };
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .enable_random_order()
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(millis(&mut rng, [10, 50, 200]))
            .tcp_capacity([4, 16, 64][rng.usize(0..3)])
            .build();
        let stage = Rc::new(Stage {
            seed,
            config,
            trace: std::env::var("TURMOIL_TRACE")
                .is_ok_and(|t| t == "1")
                .then(RefCell::default),
            model: RefCell::new(Model::default()),
            quiet: Cell::new(false),
        });
        for n in 0..HOSTS {
            let stage = Rc::clone(&stage);
            sim.host(ip(n), move || program::run(n, Rc::clone(&stage)));
        }
        Run {
            sim,
            stage,
            rng,
            troubles: Vec::new(),
            places: BTreeSet::new(),
        }
    }

    fn step(&mut self) {
        self.sim.step().expect("no host ends");
    }

    fn begin(&mut self, trouble: Trouble) {
        if !self.places.insert(trouble.place()) {
            return;
        }
        let at = self.sim.elapsed();
        self.stage.note(at, || format!("begins: {trouble:?}"));
        let early = self.rng.bool();
        match trouble {
            Trouble::Partition(a, b) => self.sim.partition(ip(a), ip(b)),
            Trouble::OneWay(a, b) => self.sim.partition_oneway(ip(a), ip(b)),
            Trouble::Hold(a, b) => self.sim.hold(ip(a), ip(b)),
            Trouble::Crash(n) => {
                self.stage.model.borrow_mut().end(n);
                self.sim.crash(ip(n));
            }
        }
        if let (Trouble::Partition(a, b) | Trouble::OneWay(a, b), true) = (trouble, early) {
            distribus_net::cut(ip(a), ip(b));
        }
        let longest = if self.rng.u32(0..4) == 0 {
            8_000
        } else {
            1_500
        };
        let until = self.sim.elapsed() + Duration::from_millis(self.rng.u64(5..longest));
        self.troubles.push((until, trouble));
    }

    fn end(&mut self, trouble: Trouble) {
        let at = self.sim.elapsed();
        self.stage.note(at, || format!("ends: {trouble:?}"));
        self.places.remove(&trouble.place());
        match trouble {
            Trouble::Partition(a, b) | Trouble::OneWay(a, b) => {
                // What was under way is lost for good: the connections cannot go on.
                self.sim.repair(ip(a), ip(b));
                distribus_net::cut(ip(a), ip(b));
            }
            Trouble::Hold(a, b) => self.sim.release(ip(a), ip(b)),
            Trouble::Crash(n) => {
                // Where its farewell did not arrive: the next segment would be answered with a reset.
                for m in 0..HOSTS {
                    distribus_net::cut(ip(n), ip(m));
                }
                self.sim.bounce(ip(n));
            }
        }
    }

    fn play(mut self) -> Counts {
        let mut next = Duration::from_secs(1);
        while self.sim.elapsed() < FAULTS {
            self.step();
            let now = self.sim.elapsed();
            for (_, trouble) in self
                .troubles
                .extract_if(.., |(until, _)| *until <= now)
                .collect::<Vec<_>>()
            {
                self.end(trouble);
            }
            if now >= next {
                next = now + Duration::from_millis(self.rng.u64(1..800));
                if self.rng.u32(0..4) == 0 {
                    let (a, b) = (self.rng.usize(0..HOSTS), self.rng.usize(0..HOSTS));
                    self.stage.note(now, || format!("cut: {a} {b}"));
                    distribus_net::cut(ip(a), ip(b));
                } else {
                    let trouble = Trouble::choose(&mut self.rng);
                    self.begin(trouble);
                }
            }
        }
        for (_, trouble) in std::mem::take(&mut self.troubles) {
            self.end(trouble);
        }
        self.stage.model.borrow_mut().repaired = true;
        self.wait(MESH, |model| {
            let missing = model.missing(HOSTS);
            (!missing.is_empty()).then(|| format!("no way from … to …: {missing:?}"))
        });
        self.stage.quiet.set(true);
        self.wait(SETTLED, Model::open);
        self.stage.model.borrow().counts
    }

    /// Goes on until nothing is missing any more.
    fn wait(&mut self, within: Duration, missing: impl Fn(&Model) -> Option<String>) {
        let until = self.sim.elapsed() + within;
        loop {
            let missing = missing(&self.stage.model.borrow());
            let Some(missing) = missing else { return };
            assert!(self.sim.elapsed() < until, "{missing}");
            self.step();
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn promises_hold_over_simulated_sockets() {
    let (first, seeds) = (number("TURMOIL_FIRST", 0), number("TURMOIL_SEEDS", 200));
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    let total = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || failed.lock().unwrap().len() >= 5 {
                        return;
                    }
                    let run = Run::new(seed);
                    let stage = Rc::clone(&run.stage);
                    match std::panic::catch_unwind(AssertUnwindSafe(|| run.play())) {
                        Ok(counts) => *total.lock().unwrap() += counts,
                        Err(_) => {
                            failed.lock().unwrap().push(seed);
                            if let Some(trace) = &stage.trace {
                                println!("seed {seed}:\n{}", trace.borrow().join("\n"));
                            }
                        }
                    }
                }
            });
        }
    });
    println!("{seeds} seeds: {:?}", total.into_inner().unwrap());
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "seeds {failed:?}; what they broke is above"
    );
}
