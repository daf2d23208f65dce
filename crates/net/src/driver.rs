//! A host's state: the mesh behind one lock, what waits for the program, and the links.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use bytestring::ByteString;
use distribus_mesh::wire::routed::is_routed;
use distribus_mesh::{Config, Event, Input, LinkId, Mesh, Output, Raw, Time};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::limits::Limits;
use crate::read_loop::ReadLoop;
use crate::stats::{HostStats, LinkStats};
use crate::ws::connection::{Link, Traffic};
use crate::ws::credentials::Credentials;
use crate::ws::dialer;
use crate::ws::listener::Server;

/// Sockets are not read while more than this waits for the program.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// The mesh hears of what waits to be written to a link when it is more than this, and when it is not any more.
const BACKLOG: usize = 256 * 1024;

/// What an event costs beside its texts, about.
const EVENT_BYTES: usize = 128;

type Wake = Box<dyn Fn() + Send + Sync>;

/// What all tasks and handles of one host share.
pub struct Shared {
    pub id: ByteString,
    start: Instant,
    limits: Mutex<Limits>,
    pub credentials: Credentials,
    state: Mutex<State>,
    wake: Wake,
    /// Whether links are held up until acknowledgements are read.
    held_up: AtomicBool,
    /// Who reads the sockets, when the runtime does not.
    pub read_loop: Option<Arc<dyn ReadLoop>>,
    /// Bytes that wait for the program.
    waiting: AtomicUsize,
    /// Bytes of answers that wait for the program.
    owed: AtomicUsize,
    room: Notify,
    /// Rung when a deadline comes earlier than the timer task knows.
    pub rearm: Arc<Notify>,
    /// Dropped on shutdown: ends the timer task.
    alive: Mutex<Option<watch::Sender<()>>>,
    myself: Weak<Shared>,
}

struct State {
    mesh: Mesh,
    outputs: Vec<Output>,
    inputs: VecDeque<Input>,
    events: VecDeque<Event>,
    taken: u64,
    /// The program has been woken and has not emptied the queue yet.
    awake: bool,
    links: HashMap<LinkId, Entry>,
    /// Links to which much waits to be written, as far as the mesh knows.
    slow: HashMap<LinkId, usize>,
    /// What has gone over links that have ended.
    traffic: Traffic,
    armed: Option<Time>,
    /// How many frames were handed to links.
    frames: u64,
    server: Option<Server>,
    down: bool,
}

enum Entry {
    /// Being dialled; the sender's end stops it.
    Dialling {
        _stop: watch::Sender<()>,
    },
    Open(Arc<dyn Link>),
}

impl Shared {
    pub fn new(config: Config, wake: Wake, read_loop: Option<Arc<dyn ReadLoop>>) -> Arc<Shared> {
        let id: ByteString = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into();
        let mesh = Mesh::new(config, id.clone(), fastrand::u64(..));
        let (alive, ended) = watch::channel(());
        let rearm = Arc::new(Notify::new());
        let shared = Arc::new_cyclic(|myself| Shared {
            id,
            start: Instant::now(),
            limits: Mutex::default(),
            credentials: Credentials::default(),
            state: Mutex::new(State {
                mesh,
                outputs: Vec::new(),
                inputs: VecDeque::new(),
                events: VecDeque::new(),
                taken: 0,
                awake: false,
                links: HashMap::new(),
                slow: HashMap::new(),
                traffic: Traffic::default(),
                armed: None,
                frames: 0,
                server: None,
                down: false,
            }),
            wake,
            held_up: AtomicBool::new(false),
            read_loop,
            waiting: AtomicUsize::new(0),
            owed: AtomicUsize::new(0),
            room: Notify::new(),
            rearm: Arc::clone(&rearm),
            alive: Mutex::new(Some(alive)),
            myself: Weak::clone(myself),
        });
        crate::timers::spawn(Arc::downgrade(&shared), rearm, ended);
        shared
    }

    /// The host's clock.
    pub fn now(&self) -> Time {
        self.start.elapsed()
    }

    pub fn at(&self, time: Time) -> Option<Instant> {
        self.start.checked_add(time)
    }

    pub fn limits(&self) -> Limits {
        *self.limits.lock()
    }

    pub fn set_limits(&self, limits: Limits) {
        *self.limits.lock() = limits;
    }

    /// Gives inputs to the mesh, in order, and does what it says.
    pub fn input(&self, inputs: impl IntoIterator<Item = Input>) {
        self.input_more(inputs, false);
    }

    /// As [`input`](Shared::input); `more`: others will follow soon, so that what makes no full frame can wait for them.
    pub fn input_more(&self, inputs: impl IntoIterator<Item = Input>, more: bool) {
        let mut state = self.state.lock();
        if state.down {
            return;
        }
        state.inputs.extend(inputs);
        self.turn_more(state, more);
        if more
            && self.held_up.load(Ordering::Relaxed)
            && let Some(read_loop) = &self.read_loop
        {
            // The program is busy saying more, and its thread is the one that reads.
            read_loop.read_now();
        }
    }

    pub fn frames_sent(&self) -> u64 {
        self.state.lock().frames
    }

    pub fn is_held_up(&self, link: LinkId) -> bool {
        self.state.lock().mesh.held_up().contains(&link)
    }

    fn turn(&self, guard: parking_lot::MutexGuard<'_, State>) {
        self.turn_more(guard, false);
    }

    /// Gives what a link brought to the mesh, unless the mesh has been told already that the link has ended.
    pub fn received(&self, link: LinkId, inputs: Vec<Input>) {
        let mut state = self.state.lock();
        if state.links.contains_key(&link) {
            state.inputs.extend(inputs);
            self.turn(state);
        }
    }

    /// Handles all inputs that wait, then, without the lock, writes to the links that have something to write.
    fn turn_more(&self, mut guard: parking_lot::MutexGuard<'_, State>, more: bool) {
        let state = &mut *guard;
        let now = self.now();
        let mut dirty: Vec<Arc<dyn Link>> = Vec::new();
        let mut waiting = 0;
        let mut flushed = more;
        let mut slowed = false;
        if !state.slow.is_empty() {
            state.look_at_slow();
        }
        loop {
            if let Some(input) = state.inputs.pop_front() {
                state.mesh.handle(now, input, &mut state.outputs);
            } else if !flushed {
                flushed = true;
                state.mesh.flush(&mut state.outputs);
            } else {
                break;
            }
            for output in state.outputs.drain(..) {
                match output {
                    Output::Transmit { link, text } => {
                        if let Some(Entry::Open(open)) = state.links.get(&link) {
                            state.frames += 1;
                            let waiting = open.push_text(&text);
                            touch(&mut dirty, open);
                            if waiting > BACKLOG {
                                state.slow.insert(link, waiting);
                                slowed = true;
                            }
                        }
                    }
                    Output::TransmitBinary { link, bytes } => {
                        if let Some(Entry::Open(open)) = state.links.get(&link) {
                            state.frames += 1;
                            let waiting = open.push_binary(&bytes);
                            touch(&mut dirty, open);
                            // Sessions bound everything else themselves.
                            if waiting > BACKLOG && is_routed(&bytes) {
                                state.slow.insert(link, waiting);
                                slowed = true;
                            }
                        }
                    }
                    Output::Beat { link, bytes } => {
                        if let Some(Entry::Open(open)) = state.links.get(&link) {
                            state.frames += 1;
                            open.push_beat(Some(&bytes));
                            touch(&mut dirty, open);
                        }
                    }
                    Output::Ping { link } => {
                        if let Some(Entry::Open(open)) = state.links.get(&link) {
                            state.frames += 1;
                            open.push_beat(None);
                            touch(&mut dirty, open);
                        }
                    }
                    Output::Probe { link } => {
                        if let Some(Entry::Open(open)) = state.links.get(&link) {
                            let at = if open.has_unread() {
                                now
                            } else {
                                open.heard().saturating_duration_since(self.start)
                            };
                            let silence = now.saturating_sub(at);
                            tracing::debug!(link = link.0, ?silence, "link is looked at");
                            state.inputs.push_back(Input::Heard { link, at });
                        }
                    }
                    Output::Event(event) => {
                        waiting += size(&event);
                        state.events.push_back(event);
                    }
                    Output::Dial { link, url } => {
                        let (stop, stopped) = watch::channel(());
                        state.links.insert(link, Entry::Dialling { _stop: stop });
                        if let Some(shared) = self.myself.upgrade() {
                            dialer::spawn(shared, link, url, stopped);
                        }
                    }
                    Output::Close { link } => match state.links.get(&link) {
                        Some(Entry::Open(open)) => {
                            open.close();
                            touch(&mut dirty, open);
                        }
                        Some(Entry::Dialling { .. }) => {
                            state.links.remove(&link);
                            state.inputs.push_back(Input::Closed { link });
                        }
                        None => {}
                    },
                }
            }
            if std::mem::take(&mut slowed) {
                state.tell_slow();
            }
        }
        let owed = state.mesh.owed();
        let owed_before = self.owed.swap(owed, Ordering::Relaxed);
        let held_up = !state.mesh.held_up().is_empty();
        self.held_up.store(held_up, Ordering::Relaxed);
        let deadline = state.mesh.deadline();
        if let Some(deadline) = deadline
            && state.armed.is_none_or(|armed| deadline < armed)
        {
            state.armed = Some(deadline);
            self.rearm.notify_one();
        }
        let wake = !state.awake && !state.events.is_empty();
        state.awake |= wake;
        self.waiting.fetch_add(waiting, Ordering::Relaxed);
        drop(guard);
        for link in dirty {
            link.flush();
        }
        if wake {
            (self.wake)();
        }
        if owed < owed_before && owed_before > MAX_WAITING / 2 {
            self.room.notify_waiters();
        }
    }

    /// Much was to be written to that link, and is not any more.
    pub fn written(&self, link: LinkId) {
        let state = self.state.lock();
        if state.slow.contains_key(&link) {
            self.turn(state);
        }
    }

    /// What has been done so far, and what waits.
    pub fn stats(&self) -> HostStats {
        let state = self.state.lock();
        let open = |link: &LinkId| match state.links.get(link) {
            Some(Entry::Open(open)) => Some(open),
            _ => None,
        };
        let mut traffic = state.traffic;
        for entry in state.links.values() {
            if let Entry::Open(open) = entry {
                traffic += open.traffic();
            }
        }
        let queues = state.mesh.queues().into_iter().map(|queue| {
            let link = queue.link.and_then(|link| open(&link));
            let traffic = link.map(|l| l.traffic()).unwrap_or_default();
            let unwritten = link.map_or(0, |l| l.waiting());
            LinkStats {
                queue,
                traffic,
                unwritten,
            }
        });
        HostStats {
            mesh: state.mesh.stats().clone(),
            traffic,
            under_way: state.mesh.under_way(),
            links: queues.collect(),
        }
    }

    /// Whether it would be better to publish no more for now.
    pub fn is_pressed(&self) -> bool {
        self.state.lock().mesh.is_pressed()
    }

    /// Whether a lost host is just being dialled.
    pub fn is_seeking(&self) -> bool {
        self.state.lock().mesh.is_seeking()
    }

    /// Whether a send to that peer would fail because too much is under way.
    pub fn refuses(&self, to: &Option<Raw>) -> bool {
        self.state.lock().mesh.refuses(to)
    }

    /// When the timer task shall ring next.
    pub fn armed(&self) -> Option<Time> {
        self.state.lock().armed
    }

    pub fn tick(&self) {
        let mut state = self.state.lock();
        if state.down {
            return;
        }
        state.armed = None;
        state.inputs.push_back(Input::Tick);
        self.turn(state);
    }

    /// Moves waiting events, about that many bytes of them.
    pub fn take(&self, max_bytes: usize, events: &mut Vec<Event>) -> u64 {
        let mut state = self.state.lock();
        let mut bytes = 0;
        let mut count = 0;
        while bytes < max_bytes
            && let Some(event) = state.events.pop_front()
        {
            bytes += size(&event);
            count += 1;
            events.push(event);
        }
        state.taken += count;
        if count == 0 {
            state.awake = false;
        }
        let taken = state.taken;
        drop(state);
        let before = self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        if before > MAX_WAITING && before - bytes <= MAX_WAITING {
            self.room.notify_waiters();
        }
        taken
    }

    /// Whether the program is not too far behind.
    pub fn has_room(&self) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        waiting + self.owed.load(Ordering::Relaxed) <= MAX_WAITING
    }

    /// Waits until the program has caught up.
    pub async fn room(&self) {
        loop {
            let room = self.room.notified();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    /// Enters a link that somebody else opened. `None` when this host is shut down.
    pub fn accepted(&self, open: Arc<dyn Link>) -> Option<LinkId> {
        let mut state = self.state.lock();
        if state.down {
            return None;
        }
        let link = state.mesh.next_link();
        state.links.insert(link, Entry::Open(open));
        state.inputs.push_back(Input::Accepted { link });
        self.turn(state);
        Some(link)
    }

    /// Enters a link that we dialled. False when nobody wants it any more.
    pub fn opened(&self, link: LinkId, open: Arc<dyn Link>) -> bool {
        let mut state = self.state.lock();
        match state.links.get_mut(&link) {
            Some(entry @ Entry::Dialling { .. }) => *entry = Entry::Open(open),
            _ => return false,
        }
        state.inputs.push_back(Input::Opened { link });
        self.turn(state);
        true
    }

    /// The link has ended, or did not come about: the mesh is told once.
    pub fn ended(&self, link: LinkId, input: Input) {
        let mut state = self.state.lock();
        if let Some(entry) = state.links.remove(&link) {
            if let Entry::Open(open) = entry {
                state.traffic += open.traffic();
            }
            state.slow.remove(&link);
            state.inputs.push_back(input);
            self.turn(state);
        }
    }

    /// Exchanges the server. Gives back the one that was there.
    pub fn serve(&self, server: Option<Server>) -> Option<Server> {
        let mut state = self.state.lock();
        if state.down {
            return server;
        }
        std::mem::replace(&mut state.server, server)
    }

    /// Takes no more connections. Those that are there stay.
    pub fn stop_accepting(&self) {
        if let Some(server) = &self.state.lock().server {
            server.stop_accepting();
        }
    }

    pub fn is_serving(&self) -> bool {
        self.state.lock().server.is_some()
    }

    pub fn flush_all(&self) {
        let open: Vec<Arc<dyn Link>> = self
            .state
            .lock()
            .links
            .values()
            .filter_map(|entry| {
                if let Entry::Open(open) = entry {
                    Some(Arc::clone(open))
                } else {
                    None
                }
            })
            .collect();
        for link in open {
            link.flush();
        }
    }

    /// Ends everything, without telling anybody.
    pub fn shutdown(&self) {
        let mut state = self.state.lock();
        state.down = true;
        let links = std::mem::take(&mut state.links);
        let server = state.server.take();
        state.events = VecDeque::new();
        state.inputs = VecDeque::new();
        drop(state);
        drop(server);
        for entry in links.into_values() {
            if let Entry::Open(open) = entry {
                open.kill();
            }
        }
        self.alive.lock().take();
        self.waiting.store(0, Ordering::Relaxed);
        self.room.notify_waiters();
    }
}

impl State {
    /// Tells the mesh of links to which much waits to be written, before anything else.
    fn tell_slow(&mut self) {
        for (link, bytes) in &self.slow {
            let (link, bytes) = (*link, *bytes);
            self.inputs.push_front(Input::Backlog { link, bytes });
        }
    }

    /// Looks what has been written meanwhile.
    fn look_at_slow(&mut self) {
        let links = &self.links;
        for (link, bytes) in &mut self.slow {
            *bytes = match links.get(link) {
                Some(Entry::Open(open)) => open.waiting(),
                _ => 0,
            };
            if *bytes <= BACKLOG {
                *bytes = 0;
            }
        }
        self.tell_slow();
        self.slow.retain(|_, bytes| *bytes > 0);
    }
}

/// Notes a link that has something to write, once in a row.
fn touch(dirty: &mut Vec<Arc<dyn Link>>, link: &Arc<dyn Link>) {
    if !dirty.iter().rev().take(8).any(|d| Arc::ptr_eq(d, link)) {
        dirty.push(Arc::clone(link));
    }
}

fn size(event: &Event) -> usize {
    let length = |r: &Option<ByteString>| r.as_ref().map_or(0, |r| r.len());
    EVENT_BYTES
        + match event {
            Event::Deliver { to, from, payload }
            | Event::Request {
                to, from, payload, ..
            } => length(to) + length(from) + payload.size(),
            Event::Reply { payload, .. } => payload.size(),
            Event::Publish {
                channel, payload, ..
            } => length(channel) + payload.size(),
            Event::Note { head, payload, .. } => length(head) + payload.size(),
            Event::Lookup { id } => length(id),
            _ => 0,
        }
}
