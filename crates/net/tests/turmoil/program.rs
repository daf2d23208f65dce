//! The program of a host: it talks without end, and applies what it is told.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use distribus_mesh::{Change, Config, Event, Input, Payload, Raw, Reply, Topic};
use distribus_net::{Bind, HostHandle};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::{Id, Life, Model};

pub const HOSTS: usize = 4;
const PORT: u16 = 9000;
/// Between two attempts to join.
const REST: Duration = Duration::from_millis(250);

/// What a run decides for all its programs.
pub struct Stage {
    pub seed: u64,
    pub config: Config,
    /// What happened, if somebody wants to know.
    pub trace: Option<RefCell<Vec<String>>>,
    pub model: RefCell<Model>,
    /// Nobody says anything new.
    pub quiet: std::cell::Cell<bool>,
}

impl Stage {
    /// Notes something for whoever looks into a seed that failed.
    pub fn note(&self, at: Duration, what: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(format!("{at:?} {}", what()));
        }
    }
}

pub fn ip(n: usize) -> IpAddr {
    Ipv4Addr::new(192, 168, 0, 1 + n as u8).into()
}

fn url(n: usize) -> String {
    format!("ws://{}:{PORT}", ip(n))
}

fn peer(n: usize) -> Raw {
    format!("\"peer {n}\"").into()
}

struct Program {
    n: usize,
    life: Life,
    stage: Rc<Stage>,
    handle: HostHandle,
    rng: fastrand::Rng,
    /// The urls of those who have joined and not left.
    members: BTreeSet<String>,
    sends: u64,
    calls: u64,
    joining: u64,
    joined: Instant,
}

/// One life.
pub async fn run(n: usize, stage: Rc<Stage>) -> turmoil::Result {
    let woken = Arc::new(Notify::new());
    let wake = Arc::clone(&woken);
    let handle = HostHandle::new(stage.config.clone(), move || wake.notify_one(), None);
    let bind = Bind {
        address: Ipv4Addr::UNSPECIFIED.into(),
        required: true,
    };
    handle.listen(&[bind], PORT)?;
    let topic = Topic {
        name: "news".into(),
        pattern: false,
    };
    let ids = vec![Some(peer(n))];
    handle.input([
        Input::SetUrl(Some(url(n).into())),
        Input::Subscribe { topic },
        Input::Created { ids },
    ]);
    let life = stage.model.borrow_mut().begin(n, handle.id());
    let rng = fastrand::Rng::with_seed(stage.seed.wrapping_mul(1009).wrapping_add(life as u64));
    let mut program = Program {
        n,
        life,
        stage,
        handle,
        rng,
        members: BTreeSet::new(),
        sends: 0,
        calls: 0,
        joining: 0,
        joined: Instant::now() - REST,
    };
    loop {
        let pause = Duration::from_millis(program.rng.u64(1..150));
        tokio::select! {
            () = woken.notified() => program.apply(),
            () = tokio::time::sleep(pause) => {
                program.join_missing();
                program.talk();
            }
        }
    }
}

impl Program {
    fn note(&self, what: impl FnOnce() -> String) {
        let at = turmoil::sim_elapsed().unwrap_or_default();
        let who = || format!("host {} (life {}): {}", self.n, self.life, what());
        self.stage.note(at, who);
    }

    /// As programs do: whoever should be there and is not, not even as a lost one, is joined.
    fn join_missing(&mut self) {
        let now = Instant::now();
        if self.joining > 0 || now < self.joined + REST {
            return;
        }
        self.joined = now;
        let n = self.n;
        for url in (0..HOSTS).filter(|m| *m != n).map(url) {
            if !self.members.contains(&url) {
                self.calls += 1;
                self.joining += 1;
                let (call, url) = (self.calls, url.into());
                self.handle.input([Input::Join { call, url }]);
            }
        }
    }

    fn talk(&mut self) {
        if self.stage.quiet.get() {
            return;
        }
        let n = self.n;
        for m in (0..HOSTS).filter(|m| *m != n) {
            let model = self.stage.model.borrow();
            let wanted = model.repaired && !model.has_reached(self.life, m);
            drop(model);
            let count = match self.rng.u32(0..100) {
                0..25 => 1,
                25..30 => self.rng.usize(2..30),
                _ if wanted => 1,
                _ => 0,
            };
            for _ in 0..count {
                self.send(m);
            }
        }
        if self.rng.u32(0..100) < 40 {
            let id = self.stage.model.borrow_mut().published(self.life);
            self.note(|| format!("publishes {id}"));
            let payload = self.payload(id);
            let channel = Some("\"news\"".into());
            self.handle.input([Input::Publish { channel, payload }]);
        }
    }

    fn send(&mut self, m: usize) {
        let id = self.stage.model.borrow_mut().sent(self.life, m);
        let payload = self.payload(id);
        let seq = self.sends;
        self.sends += 1;
        let (from, to) = (Some(peer(self.n)), Some(peer(m)));
        self.handle.input([Input::Send {
            seq,
            from,
            to,
            payload,
        }]);
    }

    /// Now and then a large one, that needs many frames of the network.
    fn payload(&mut self, id: Id) -> Payload {
        let large = self.rng.u32(0..50) == 0;
        let filler = if large {
            "x".repeat(100_000)
        } else {
            String::new()
        };
        Payload::one(Some(format!("[{id},\"{filler}\"]").into()))
    }

    fn apply(&mut self) {
        let mut events = Vec::new();
        loop {
            let upto = self.handle.take(1 << 20, &mut events);
            if events.is_empty() {
                return;
            }
            let first = upto - events.len() as u64;
            let mut replies = Vec::new();
            for (number, event) in (first..).zip(events.drain(..)) {
                self.event(number, event, &mut replies);
            }
            let part = 0;
            self.handle.input([Input::Applied {
                upto,
                part,
                replies,
            }]);
        }
    }

    fn event(&mut self, number: u64, event: Event, replies: &mut Vec<(u64, u32, Reply)>) {
        if event.payload().is_none() {
            self.note(|| format!("{event:?}"));
        }
        let mut model = self.stage.model.borrow_mut();
        match event {
            Event::Deliver { to, payload, .. } => {
                assert_eq!(to, Some(peer(self.n)));
                for id in ids(payload) {
                    model.delivered(self.life, id);
                }
            }
            Event::Publish { payload, .. } => {
                for id in ids(payload) {
                    self.note(|| format!("hears {id}"));
                    model.heard(self.life, id);
                }
            }
            Event::Lookup { id } if id == Some(peer(self.n)) => {
                replies.push((number, 0, Reply::Here));
            }
            Event::Settled { seq, count } => {
                for seq in seq..seq + count {
                    model.settled(self.life, seq);
                }
            }
            Event::Failed { seq, error } => model.failed(self.life, seq, &error),
            Event::Member { change, url, host } => {
                model.member(self.life, change, &host.expect("a host of ours"));
                let url = url.expect("a host that listens").to_string();
                match change {
                    Change::Join => drop(self.members.insert(url)),
                    Change::Leave => drop(self.members.remove(&url)),
                    Change::Disconnect | Change::Reconnect => {}
                }
            }
            Event::Done { .. } => self.joining -= 1,
            _ => {}
        }
    }
}

fn ids(payload: Payload) -> Vec<Id> {
    let texts = payload.into_json().into_iter().flatten();
    let id = |text: Raw| {
        let (id, _): (Id, String) = serde_json::from_str(&text).expect("what we have sent");
        id
    };
    texts.map(id).collect()
}
