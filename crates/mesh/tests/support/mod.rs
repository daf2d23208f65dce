//! A network of meshes on virtual time: links deliver frames in order after a millisecond, dials reach whoever listens at the
//! url, and each host has a small program that applies events at once unless it is told to pause.
#![allow(dead_code)]

pub mod random;
pub mod v1;
pub mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{
    CloseReason, Config, DialError, Event, Input, LinkId, Mesh, Nearness, Output, Payload, Reply,
    Time,
};

pub const LATENCY: Duration = Duration::from_millis(1);

pub struct Node {
    pub mesh: Mesh,
    pub url: Option<String>,
    /// Peers that live here, as JSON.
    pub peers: BTreeSet<String>,
    /// What the program's listeners do with a message: the text of an error to throw.
    pub throws: Option<String>,
    /// Events as they were applied.
    pub log: Vec<Event>,
    pub connections: BTreeSet<String>,
    pub timers: BTreeSet<String>,
    pub view: view::View,
    pub addresses: BTreeMap<String, String>,
    pub network: Option<String>,
    /// Does not apply anything while this is set.
    pub paused: bool,
    /// Collects what it says until `flush`.
    pub batching: bool,
    crashed: bool,
    told: u64,
    deadline: Option<Time>,
    waiting: VecDeque<Event>,
    calls: u64,
    pub sends: u64,
}

enum Parcel {
    Input(usize, Input),
    /// Something comes to that end of a link that its mesh is not told of; the other side may want an answer.
    Ping(usize, LinkId),
    Pong(usize, LinkId),
}

pub struct Net {
    pub nodes: Vec<Node>,
    pub now: Time,
    queue: BTreeMap<(Time, u64), Parcel>,
    order: u64,
    /// When each host wants to be woken.
    deadlines: BTreeSet<(Time, usize)>,
    /// The other end of each link end.
    wires: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    pub frames: u64,
    /// The largest binary frame, in bytes.
    pub largest: usize,
    /// Urls at which nobody answers any more.
    pub dead: BTreeSet<String>,
    /// Whom a host reaches who dials a url, if not the first one that advertises it.
    pub reached: BTreeMap<(usize, String), usize>,
    /// Who cannot dial whom.
    pub blocked: BTreeSet<(usize, usize)>,
    /// How near two hosts are to each other, if they are on one machine or link.
    pub near: BTreeMap<(usize, usize), Nearness>,
    /// Who has dialled which url, and whoever has told of it at the nearest.
    pub dialled: Vec<(usize, String, Nearness)>,
    /// Whose dials to whom come to no end until [`end_hanging`](Net::end_hanging).
    pub hanging: BTreeSet<(usize, usize)>,
    hung: Vec<(usize, LinkId)>,
    /// Relayed frames as they went from one host to another, if wanted.
    pub tap: Option<Vec<(usize, usize, bytes::Bytes)>>,
    /// Hosts that speak version 1 only.
    pub v1_hosts: BTreeSet<usize>,
    silent: BTreeSet<usize>,
    /// Nothing comes from the first one to the second one, nor will it ever.
    pub swallowed: BTreeSet<(usize, usize)>,
    /// What the first one says to the second one is put aside until [`arrive_late`](Net::arrive_late), also when the link ends meanwhile.
    pub delayed: BTreeSet<(usize, usize)>,
    aside: Vec<Parcel>,
    /// When something came to an end of a link.
    heard: BTreeMap<(usize, LinkId), Time>,
    /// Who has closed a link, and why.
    pub closed: Vec<(usize, CloseReason)>,
    /// Beats and pings that were written, and links that were looked at, by host.
    pub beats: BTreeMap<usize, usize>,
    pub pings: BTreeMap<usize, usize>,
    pub probes: BTreeMap<usize, usize>,
    incarnations: u64,
    /// Each frame takes its time, in order over each connection: up to so many microseconds.
    pub jitter: Option<(fastrand::Rng, u64)>,
    /// When the last thing arrives at each end of a connection, if frames take their time.
    last: BTreeMap<(usize, LinkId), Time>,
}

/// Where that arrives.
fn end_of(parcel: &Parcel) -> Option<(usize, LinkId)> {
    match parcel {
        Parcel::Ping(n, link) | Parcel::Pong(n, link) => Some((*n, *link)),
        Parcel::Input(n, input) => match input {
            Input::Received { link, .. }
            | Input::ReceivedBinary { link, .. }
            | Input::Accepted { link, .. }
            | Input::Opened { link, .. }
            | Input::DialFailed { link, .. }
            | Input::Broken { link }
            | Input::Closed { link } => Some((*n, *link)),
            _ => None,
        },
    }
}

pub fn url(n: usize) -> String {
    format!("ws://127.0.0.1:{}", 3000 + n)
}

impl Net {
    pub fn new(count: usize) -> Net {
        let mut net = Net {
            nodes: Vec::new(),
            now: Duration::ZERO,
            queue: BTreeMap::new(),
            order: 0,
            deadlines: BTreeSet::new(),
            wires: BTreeMap::new(),
            frames: 0,
            largest: 0,
            dead: BTreeSet::new(),
            reached: BTreeMap::new(),
            blocked: BTreeSet::new(),
            near: BTreeMap::new(),
            dialled: Vec::new(),
            hanging: BTreeSet::new(),
            hung: Vec::new(),
            tap: None,
            v1_hosts: BTreeSet::new(),
            silent: BTreeSet::new(),
            swallowed: BTreeSet::new(),
            delayed: BTreeSet::new(),
            aside: Vec::new(),
            heard: BTreeMap::new(),
            closed: Vec::new(),
            beats: BTreeMap::new(),
            pings: BTreeMap::new(),
            probes: BTreeMap::new(),
            incarnations: 0,
            jitter: None,
            last: BTreeMap::new(),
        };
        for n in 0..count {
            net.add(Some(url(n)));
        }
        net
    }

    /// Adds a host; without url it does not listen.
    pub fn add(&mut self, url: Option<String>) -> usize {
        let n = self.nodes.len();
        let mesh = Mesh::new(Config::default(), format!("host{n:04}").into(), n as u64);
        self.nodes.push(Node {
            mesh,
            url: url.clone(),
            peers: BTreeSet::new(),
            throws: None,
            log: Vec::new(),
            connections: BTreeSet::new(),
            timers: BTreeSet::new(),
            view: view::View::default(),
            addresses: BTreeMap::new(),
            network: None,
            paused: false,
            batching: false,
            crashed: false,
            told: 0,
            deadline: None,
            waiting: VecDeque::new(),
            calls: 0,
            sends: 0,
        });
        self.input(n, Input::SetUrl(url.map(ByteString::from)));
        n
    }

    fn later(&mut self, after: Duration, parcel: Parcel) {
        self.order += 1;
        let mut at = self.now + after;
        if let Some((rng, most)) = &mut self.jitter
            && let Some(end) = end_of(&parcel)
        {
            at += Duration::from_micros(rng.u64(0..*most));
            let last = self.last.entry(end).or_default();
            at = at.max(*last);
            *last = at;
        }
        self.queue.insert((at, self.order), parcel);
    }

    pub fn input(&mut self, n: usize, input: Input) {
        if self.nodes[n].crashed {
            return;
        }
        let mut out = Vec::new();
        self.nodes[n].mesh.handle(self.now, input, &mut out);
        if !self.nodes[n].batching {
            self.nodes[n].mesh.flush(&mut out);
        }
        for output in out {
            self.perform(n, output);
        }
        self.schedule(n);
        if !self.nodes[n].paused {
            self.apply(n);
        }
    }

    fn schedule(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        let next = node.mesh.deadline();
        if next != node.deadline {
            if let Some(at) = std::mem::replace(&mut node.deadline, next) {
                self.deadlines.remove(&(at, n));
            }
            self.deadlines.extend(next.map(|at| (at, n)));
        }
    }

    fn perform(&mut self, n: usize, output: Output) {
        let says = matches!(
            output,
            Output::Transmit { .. }
                | Output::TransmitBinary { .. }
                | Output::Beat { .. }
                | Output::Ping { .. }
        );
        if says && self.silent.contains(&n) {
            return;
        }
        match output {
            Output::Dial { link, url, reach } => {
                self.dialled.push((n, url.to_string(), reach.told));
                let advertises = |node: &Node| node.url.as_deref() == Some(&*url);
                let target = self.reached.get(&(n, url.to_string())).copied();
                let target = target.or_else(|| self.nodes.iter().position(advertises));
                let blocked = |m: usize| self.blocked.contains(&(n, m));
                if target.is_some_and(|m| self.hanging.contains(&(n, m))) {
                    return self.hung.push((n, link));
                }
                match target.filter(|m| !self.dead.contains(&*url) && !blocked(*m)) {
                    Some(m) => {
                        let near = self.near.get(&(n.min(m), n.max(m))).copied();
                        let near = near.unwrap_or_default();
                        let theirs = self.nodes[m].mesh.next_link();
                        self.wires.insert((n, link), (m, theirs));
                        self.wires.insert((m, theirs), (n, link));
                        self.later(
                            LATENCY,
                            Parcel::Input(m, Input::Accepted { link: theirs, near }),
                        );
                        self.later(LATENCY, Parcel::Input(n, Input::Opened { link, near }));
                    }
                    None => self.fail_dial(n, link),
                }
            }
            Output::Transmit { link, text } => {
                if let Some((m, link)) = self.wires.get(&(n, link)).copied() {
                    self.frames += 1;
                    let v1 = self.v1_hosts.contains(&n) || self.v1_hosts.contains(&m);
                    let text = if v1 { v1::without_host(&text) } else { text };
                    self.carry(n, m, Parcel::Input(m, Input::Received { link, text }));
                }
            }
            Output::TransmitBinary { link, bytes } => {
                if let Some((m, link)) = self.wires.get(&(n, link)).copied() {
                    self.frames += 1;
                    let v1 = self.v1_hosts.contains(&n) || self.v1_hosts.contains(&m);
                    assert!(!v1, "a 0.4.0 host was told something binary");
                    if let Some(tap) = self.tap.as_mut().filter(|_| bytes[0] == 1) {
                        tap.push((n, m, bytes.clone()));
                    }
                    self.largest = self.largest.max(bytes.len());
                    let input = Input::ReceivedBinary { link, bytes };
                    self.carry(n, m, Parcel::Input(m, input));
                }
            }
            Output::Beat { link, bytes } => {
                *self.beats.entry(n).or_default() += 1;
                self.perform(n, Output::TransmitBinary { link, bytes });
            }
            Output::Ping { link } => {
                *self.pings.entry(n).or_default() += 1;
                if let Some((m, link)) = self.wires.get(&(n, link)).copied() {
                    self.carry(n, m, Parcel::Ping(m, link));
                }
            }
            Output::Probe { link } => {
                *self.probes.entry(n).or_default() += 1;
                let at = self.heard.get(&(n, link)).copied();
                let at = at.unwrap_or_default();
                self.input(n, Input::Heard { link, at });
            }
            Output::Greeted { .. } | Output::Owed { .. } => {}
            Output::Close { link, .. } if self.hung.contains(&(n, link)) => {
                self.hung.retain(|hung| *hung != (n, link));
                self.later(LATENCY, Parcel::Input(n, Input::Closed { link }));
            }
            Output::Close { link, reason } => self.end(n, link, reason),
            Output::Event(event) => self.nodes[n].waiting.push_back(event),
        }
    }

    fn fail_dial(&mut self, n: usize, link: LinkId) {
        let error = DialError {
            code: "ECONNREFUSED".into(),
            message: "connect ECONNREFUSED".into(),
            ..DialError::default()
        };
        self.later(LATENCY, Parcel::Input(n, Input::DialFailed { link, error }));
    }

    /// The dials that hang fail, and later ones do not hang any more. Gives how many there were.
    pub fn end_hanging(&mut self) -> usize {
        self.hanging.clear();
        let hung = std::mem::take(&mut self.hung);
        for (n, link) in &hung {
            self.fail_dial(*n, *link);
        }
        hung.len()
    }

    /// What host `n` says is on its way to host `m`.
    fn carry(&mut self, n: usize, m: usize, parcel: Parcel) {
        if self.delayed.contains(&(n, m)) {
            self.aside.push(parcel);
        } else if !self.swallowed.contains(&(n, m)) {
            self.later(LATENCY, parcel);
        }
    }

    /// What was put aside arrives. Gives how much that was.
    pub fn arrive_late(&mut self) -> usize {
        self.delayed.clear();
        let aside = std::mem::take(&mut self.aside);
        let count = aside.len();
        for parcel in aside {
            self.later(LATENCY, parcel);
        }
        count
    }

    /// Ends a link: both ends are told, in order with what is under way.
    /// As a socket does it: whoever is told that the protocol was broken reports that to its mesh.
    fn end(&mut self, n: usize, link: LinkId, reason: CloseReason) {
        let told = !matches!(reason, CloseReason::Done | CloseReason::Overloaded);
        if let (Some((m, theirs)), true) = (self.wires.get(&(n, link)).copied(), told) {
            self.carry(n, m, Parcel::Input(m, Input::Broken { link: theirs }));
        }
        self.closed.push((n, reason));
        self.cut(n, link);
    }

    fn cut(&mut self, n: usize, link: LinkId) {
        if let Some((m, theirs)) = self.wires.remove(&(n, link)) {
            self.wires.remove(&(m, theirs));
            // Who is not reached does not learn of it.
            self.carry(n, m, Parcel::Input(m, Input::Closed { link: theirs }));
            self.later(LATENCY, Parcel::Input(n, Input::Closed { link }));
        }
    }

    /// Host `a`'s end of a connection with host `b`.
    pub fn link(&self, a: usize, b: usize) -> Option<LinkId> {
        let between = |((n, _), (m, _)): &(&(usize, LinkId), &(usize, LinkId))| (*n, *m) == (a, b);
        self.wires.iter().find(between).map(|((_, link), _)| *link)
    }

    /// Cuts the connection between two hosts, without a goodbye.
    pub fn sever(&mut self, a: usize, b: usize) {
        let links: Vec<LinkId> = self
            .wires
            .iter()
            .filter(|((n, _), (m, _))| *n == a && *m == b)
            .map(|((_, l), _)| *l)
            .collect();
        for link in links {
            self.cut(a, link);
        }
    }

    /// Ends a host without a word, and starts it anew at the same url: another incarnation, which has the same peers.
    pub fn restart(&mut self, n: usize) {
        for m in 0..self.nodes.len() {
            self.sever(n, m);
        }
        self.incarnations += 1;
        let id = format!("host{n:04}again{}", self.incarnations);
        let node = &mut self.nodes[n];
        node.mesh = Mesh::new(Config::default(), id.into(), n as u64 + 1000);
        node.connections.clear();
        node.timers.clear();
        node.view.clear();
        node.addresses.clear();
        node.waiting.clear();
        node.told = 0;
        node.sends = 0;
        let url = node.url.clone().map(ByteString::from);
        self.queue.retain(|_, parcel| match parcel {
            Parcel::Input(m, _) | Parcel::Ping(m, _) | Parcel::Pong(m, _) => *m != n,
        });
        self.input(n, Input::SetUrl(url));
    }

    /// A host that has crashed, or was closed, begins a new life without peers: it advertises that url.
    pub fn revive(&mut self, n: usize, url: Option<String>) {
        self.nodes[n].crashed = false;
        self.silent.remove(&n);
        self.nodes[n].paused = false;
        self.nodes[n].peers.clear();
        self.nodes[n].url = url;
        self.last.retain(|(m, _), _| *m != n);
        self.nodes[n].log.clear();
        self.restart(n);
    }

    pub fn sockets_between(&self, a: usize, b: usize) -> usize {
        self.wires
            .iter()
            .filter(|((n, _), (m, _))| *n == a && *m == b)
            .count()
    }

    /// How many events wait for the program of host `n`.
    pub fn waiting(&self, n: usize) -> usize {
        self.nodes[n].waiting.len()
    }

    /// The number of the next event that the program of host `n` will apply.
    pub fn told(&self, n: usize) -> u64 {
        self.nodes[n].told
    }

    /// The program of host `n` says by hand what it has applied, although it is paused.
    pub fn applied(&mut self, n: usize, upto: u64, part: u32, replies: Vec<(u64, u32, Reply)>) {
        let mut out = Vec::new();
        let applied = Input::Applied {
            upto,
            part,
            replies,
        };
        self.nodes[n].mesh.handle(self.now, applied, &mut out);
        self.nodes[n].mesh.flush(&mut out);
        for output in out {
            self.perform(n, output);
        }
        self.schedule(n);
    }

    /// A binary frame that host `n` would never send reaches host `m`.
    pub fn inject(&mut self, n: usize, m: usize, frame: &[u8]) {
        let link = self.end_of_wire(n, m);
        let bytes = bytes::Bytes::copy_from_slice(frame);
        let input = Input::ReceivedBinary { link, bytes };
        self.later(LATENCY, Parcel::Input(m, input));
    }

    /// The same with a text frame.
    pub fn inject_text(&mut self, n: usize, m: usize, text: String) {
        let link = self.end_of_wire(n, m);
        let text = text.into();
        self.later(LATENCY, Parcel::Input(m, Input::Received { link, text }));
    }

    /// The link of host `m` to host `n`.
    fn end_of_wire(&self, n: usize, m: usize) -> LinkId {
        let mut wires = self.wires.iter();
        let wire = wires.find(|((a, _), (b, _))| (*a, *b) == (n, m));
        wire.map(|(_, (_, link))| *link).expect("connected")
    }

    /// The program of host `n` applies what it was told.
    pub fn apply(&mut self, n: usize) {
        while !self.nodes[n].waiting.is_empty() {
            let node = &mut self.nodes[n];
            let mut replies = Vec::new();
            while let Some(event) = node.waiting.pop_front() {
                let number = node.told;
                node.told += 1;
                let here = |id: &Option<ByteString>| {
                    id.as_ref().is_some_and(|id| node.peers.contains(&**id))
                };
                match &event {
                    Event::Deliver { to, payload, .. } | Event::Request { to, payload, .. }
                        if !here(to) =>
                    {
                        let all = 0..payload.count();
                        replies.extend(all.map(|i| (number, i, Reply::NoSuchPeer)));
                    }
                    Event::Deliver { payload, .. }
                    | Event::Note { payload, .. }
                    | Event::Publish { payload, .. }
                    | Event::Request { payload, .. } => {
                        if let Some(text) = &node.throws {
                            let all = 0..payload.count();
                            replies.extend(
                                all.map(|i| (number, i, Reply::Threw(text.clone().into()))),
                            );
                        }
                    }
                    Event::Lookup { id } if here(id) => replies.push((number, 0, Reply::Here)),
                    Event::List => {
                        let ids: Vec<&str> = node.peers.iter().map(String::as_str).collect();
                        replies.push((
                            number,
                            0,
                            Reply::Ids(format!("[{}]", ids.join(",")).into()),
                        ));
                    }
                    Event::Connected { key, .. } => assert!(
                        node.connections.insert(key.to_string()),
                        "connected twice: {key}"
                    ),
                    Event::Disconnected { key } => {
                        assert!(node.connections.remove(&**key), "was not connected: {key}")
                    }
                    Event::TimerStarted { key } => {
                        assert!(node.timers.insert(key.to_string()), "timer runs: {key}")
                    }
                    Event::TimerStopped { key } => {
                        assert!(node.timers.remove(&**key), "no timer: {key}")
                    }
                    Event::Located { id, url } => {
                        drop(node.addresses.insert(id.to_string(), url.to_string()))
                    }
                    Event::Forgotten { id } => drop(node.addresses.remove(&**id)),
                    Event::NetworkId { id } => node.network = id.as_ref().map(ToString::to_string),
                    _ => {}
                }
                node.view.apply(&event);
                node.log.push(event);
            }
            node.view.check();
            let upto = node.told;
            let mut out = Vec::new();
            let part = 0;
            let applied = Input::Applied {
                upto,
                part,
                replies,
            };
            node.mesh.handle(self.now, applied, &mut out);
            node.mesh.flush(&mut out);
            for output in out {
                self.perform(n, output);
            }
            self.schedule(n);
        }
    }

    /// Runs until nothing is under way and no timer is due before `until`.
    pub fn run_until(&mut self, until: Time) {
        loop {
            let due = self.deadlines.first().copied();
            let next = self.queue.keys().next().map(|(at, _)| *at);
            let tick = due.filter(|(at, _)| next.is_none_or(|next| *at < next));
            match (tick, next) {
                (Some((at, n)), _) if at <= until => {
                    self.now = self.now.max(at);
                    self.input(n, Input::Tick);
                }
                (None, Some(at)) if at <= until => {
                    self.now = at;
                    match self.queue.pop_first() {
                        Some((_, Parcel::Input(n, input))) => {
                            if let Input::Received { link, .. }
                            | Input::ReceivedBinary { link, .. }
                            | Input::Opened { link, .. }
                            | Input::Accepted { link, .. } = &input
                            {
                                self.heard.insert((n, *link), at);
                            }
                            self.input(n, input);
                        }
                        Some((_, Parcel::Ping(n, link))) => {
                            self.heard.insert((n, link), at);
                            if let Some((m, link)) = self.wires.get(&(n, link)).copied() {
                                self.carry(n, m, Parcel::Pong(m, link));
                            }
                        }
                        Some((_, Parcel::Pong(n, link))) => {
                            self.heard.insert((n, link), at);
                        }
                        None => {}
                    }
                }
                _ => break,
            }
        }
        self.now = self.now.max(until);
    }

    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Runs long enough for everything that answers to have answered, not for any timeout.
    pub fn settle(&mut self) {
        self.run_for(Duration::from_millis(100));
    }

    pub fn join(&mut self, n: usize, url: &str) -> u64 {
        let call = self.call(n);
        self.input(
            n,
            Input::Join {
                call,
                url: url.into(),
            },
        );
        call
    }

    pub fn find(&mut self, n: usize, id: &str) -> u64 {
        let call = self.call(n);
        self.input(
            n,
            Input::Find {
                call,
                id: Some(id.into()),
            },
        );
        call
    }

    /// Peers come to live on host `n`, which tells so.
    pub fn create(&mut self, n: usize, ids: impl IntoIterator<Item = String>) {
        let ids: Vec<String> = ids.into_iter().collect();
        self.nodes[n].peers.extend(ids.iter().cloned());
        let ids = ids.into_iter().map(|id| Some(id.into())).collect();
        self.input(n, Input::Created { ids });
    }

    /// A peer does not live on host `n` any more, which tells so.
    pub fn remove(&mut self, n: usize, id: &str) {
        self.nodes[n].peers.remove(id);
        let ids = vec![Some(id.into())];
        self.input(n, Input::Removed { ids });
    }

    /// Ends a host without a word, for ever.
    pub fn crash(&mut self, n: usize) {
        for m in 0..self.nodes.len() {
            self.sever(n, m);
        }
        self.dead.insert(url(n));
        self.silent.insert(n);
        // It does not dial either.
        self.nodes[n].crashed = true;
        if let Some(at) = self.nodes[n].deadline.take() {
            self.deadlines.remove(&(at, n));
        }
    }

    pub fn close(&mut self, n: usize) -> u64 {
        let call = self.call(n);
        self.input(n, Input::Close { call });
        call
    }

    pub fn list(&mut self, n: usize) -> u64 {
        let call = self.call(n);
        self.input(n, Input::List { call });
        call
    }

    /// Begins any call. Gives its number.
    pub fn call_with(&mut self, n: usize, input: impl Fn(u64) -> Input) -> u64 {
        let call = self.call(n);
        self.input(n, input(call));
        call
    }

    /// Nothing that host `n` says arrives any more.
    pub fn silence(&mut self, n: usize) {
        self.silent.insert(n);
    }

    /// It does again.
    pub fn speak(&mut self, n: usize) {
        self.silent.remove(&n);
    }

    fn call(&mut self, n: usize) -> u64 {
        self.nodes[n].calls += 1;
        self.nodes[n].calls
    }

    pub fn send(&mut self, n: usize, from: &str, to: &str, message: &str) -> u64 {
        self.send_run(n, from, to, Payload::one(Some(message.into())))
    }

    /// Sends several messages as one run. Gives the number of the first one.
    pub fn send_run(&mut self, n: usize, from: &str, to: &str, payload: Payload) -> u64 {
        let seq = self.nodes[n].sends;
        self.nodes[n].sends += u64::from(payload.count());
        let (from, to) = (Some(from.into()), Some(to.into()));
        self.input(
            n,
            Input::Send {
                seq,
                from,
                to,
                payload,
            },
        );
        seq
    }

    /// Sends a message that may wait for its host.
    pub fn send_patiently(&mut self, n: usize, to: &str, message: &str) -> u64 {
        let seq = self.nodes[n].sends;
        self.nodes[n].sends += 1;
        let (from, to) = (Some("\"a\"".into()), Some(to.into()));
        let payload = Payload::one(Some(message.into()));
        let input = Input::SendPatiently {
            seq,
            from,
            to,
            payload,
        };
        self.input(n, input);
        seq
    }

    pub fn publish(&mut self, n: usize, channel: &str, payload: Payload) {
        let channel = Some(channel.into());
        self.input(n, Input::Publish { channel, payload });
    }

    /// What was collected leaves.
    pub fn flush(&mut self, n: usize) {
        let mut out = Vec::new();
        self.nodes[n].mesh.flush(&mut out);
        for output in out {
            self.perform(n, output);
        }
        self.schedule(n);
    }

    /// How a call ended, if it has.
    pub fn result(
        &self,
        n: usize,
        wanted: u64,
    ) -> Option<Result<distribus_mesh::Answer, distribus_mesh::CallError>> {
        self.nodes[n].log.iter().find_map(|e| match e {
            Event::Done { call, result } if *call == wanted => Some(result.clone()),
            _ => None,
        })
    }

    /// How a send ended, if it has: once only.
    pub fn outcome(&self, n: usize, wanted: u64) -> Option<Result<(), distribus_mesh::SendError>> {
        let mut found = self.nodes[n].log.iter().filter_map(|e| match e {
            Event::Settled { seq, count } if (*seq..seq + count).contains(&wanted) => Some(Ok(())),
            Event::Failed { seq, error } if *seq == wanted => Some(Err(error.clone())),
            _ => None,
        });
        let first = found.next();
        assert!(
            found.next().is_none(),
            "send {wanted} of host {n} ended twice"
        );
        first
    }

    /// The messages that arrived at host `n` for that peer.
    pub fn arrived(&self, n: usize, peer: &str) -> Vec<String> {
        let here = |e: &Event| match e {
            Event::Deliver {
                to: Some(to),
                payload,
                ..
            } if &**to == peer => payload.clone().into_json(),
            _ => Vec::new(),
        };
        let messages = self.nodes[n].log.iter().flat_map(here).flatten();
        messages.map(|m| m.to_string()).collect()
    }

    /// The messages of channels that host `n` has heard.
    pub fn published(&self, n: usize) -> Vec<String> {
        let heard = |e: &Event| match e {
            Event::Publish { payload, .. } => payload.clone().into_json(),
            _ => Vec::new(),
        };
        let messages = self.nodes[n].log.iter().flat_map(heard).flatten();
        messages.map(|m| m.to_string()).collect()
    }

    /// Joins all hosts into one network, one after the other, by the first.
    pub fn connect_all(&mut self) {
        for n in 1..self.nodes.len() {
            let call = self.join(n, &url(0));
            self.settle();
            assert_eq!(self.result(n, call), Some(Ok(distribus_mesh::Answer::Done)));
        }
    }

    pub fn assert_full_mesh(&self) {
        let all: BTreeSet<usize> = (0..self.nodes.len()).collect();
        self.assert_mesh_of(&all);
    }

    /// Each of these hosts is connected with each other one by one socket, and with nobody else. Between a 0.4.0 host and another host
    /// there may be two, when both dialled at the same moment.
    pub fn assert_mesh_of(&self, hosts: &BTreeSet<usize>) {
        let mut sockets: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for ((n, _), (m, _)) in &self.wires {
            *sockets.entry((*n, *m)).or_default() += 1;
        }
        for n in hosts {
            let others = || hosts.iter().filter(|m| *m != n);
            let urls: BTreeSet<String> = others().map(|m| url(*m)).collect();
            assert_eq!(self.nodes[*n].connections, urls, "connections of host {n}");
            for m in others() {
                let count = sockets.get(&(*n, *m)).copied().unwrap_or_default();
                let v1 = self.v1_hosts.contains(n) || self.v1_hosts.contains(m);
                let fine = if v1 { 1..3 } else { 1..2 };
                assert!(fine.contains(&count), "{count} sockets between {n} and {m}");
            }
        }
    }
}
