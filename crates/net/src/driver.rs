//! A host's state: the mesh behind one lock, what waits for the program, and the links.

mod backlog;
mod events;
mod links;
mod performing;
mod room;
mod timer;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bytestring::ByteString;
use distribus_mesh::{Config, Event, Input, LinkId, Mesh, Output, Raw, Time};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::driver::backlog::Backlog;
use crate::driver::performing::{Parts, Performing};
use crate::driver::room::Room;
use crate::driver::timer::{Rung, Timer};
use crate::holdings::Holdings;
use crate::host::{Host, Intake};
use crate::limits::Limits;
use crate::link::Link;
use crate::read_loop::ReadLoop;
use crate::schemes::Schemes;
use crate::stats::{HostStats, LinkStats};
use crate::ws::credentials::Credentials;
use crate::ws::listener::Server;
use crate::ws::tcp::Tcp;

type Wake = Box<dyn Fn() + Send + Sync>;

/// What all tasks and handles of one host share.
pub struct Shared {
    pub id: ByteString,
    clock: Clock,
    limits: Mutex<Limits>,
    holdings: Holdings,
    pub credentials: Credentials,
    pub schemes: Schemes<Shared>,
    state: Mutex<State>,
    wake: Wake,
    /// Whether links are held up until acknowledgements are read.
    held_up: AtomicBool,
    /// Who reads plain sockets, when the runtime does not.
    read_loop: Option<Arc<dyn ReadLoop>>,
    room: Room,
    timer: Timer,
    myself: Weak<Shared>,
}

struct State {
    mesh: Mesh,
    outputs: Vec<Output>,
    parts: Parts,
    /// When the timer is to ring.
    armed: Option<Time>,
    server: Option<Server>,
    down: bool,
}

impl Shared {
    pub fn new(config: Config, wake: Wake, read_loop: Option<Arc<dyn ReadLoop>>) -> Arc<Shared> {
        let id: ByteString = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into();
        let backlog = Backlog::new(config.max_queue_bytes);
        let mesh = Mesh::new(config, id.clone(), fastrand::u64(..));
        let shared = Arc::new_cyclic(|myself| Shared {
            id,
            clock: Clock::begin(),
            limits: Mutex::default(),
            holdings: Holdings::default(),
            credentials: Credentials::default(),
            schemes: Schemes::default(),
            state: Mutex::new(State {
                mesh,
                outputs: Vec::new(),
                parts: Parts {
                    backlog,
                    ..Parts::default()
                },
                armed: None,
                server: None,
                down: false,
            }),
            wake,
            held_up: AtomicBool::new(false),
            read_loop,
            room: Room::default(),
            timer: Timer::default(),
            myself: Weak::clone(myself),
        });
        shared.set_limits(Limits::default());
        shared.schemes.put("ws", Tcp);
        shared.timer.start(Arc::downgrade(&shared));
        shared
    }

    pub fn set_limits(&self, limits: Limits) {
        self.holdings.set_limits(&limits);
        *self.limits.lock() = limits;
    }

    /// Hands inputs to the mesh, in order, and performs what it puts out. `more`: others follow soon, so that what makes no full frame
    /// can wait for them.
    pub fn input(&self, inputs: impl IntoIterator<Item = Input>, more: bool) {
        let mut state = self.state.lock();
        if state.down {
            return;
        }
        state.parts.inputs.extend(inputs);
        self.turn(state, more);
        if more
            && self.held_up.load(Ordering::Relaxed)
            && let Some(read_loop) = &self.read_loop
        {
            // The program is busy saying more, and its thread is the one that reads.
            read_loop.read_now();
        }
    }

    /// Handles all inputs that wait, then, without the lock, writes to the links that have something to write.
    fn turn(&self, mut guard: MutexGuard<'_, State>, more: bool) {
        let mut turn = Performing {
            now: self.clock.now(),
            dial: &|link, to, stopped| {
                if let Some(shared) = self.myself.upgrade() {
                    self.schemes.dial(shared, link, to, stopped);
                }
            },
            dirty: Vec::new(),
            waiting: 0,
        };
        let state = &mut *guard;
        state.handle(&mut turn, more);
        let room_made = self.room.owe(state.mesh.owed()) | self.room.hold(state.mesh.held());
        let held_up = !state.mesh.held_up().is_empty();
        self.held_up.store(held_up, Ordering::Relaxed);
        if state.arm() {
            self.timer.rearm();
        }
        let wake = state.parts.events.wake();
        self.room.add(turn.waiting);
        drop(guard);
        for link in turn.dirty {
            link.flush();
        }
        if wake {
            (self.wake)();
        }
        if room_made {
            self.room.announce();
        }
    }

    pub fn frames_sent(&self) -> u64 {
        self.state.lock().parts.frames
    }

    /// What has been done so far, and what waits.
    pub fn stats(&self) -> HostStats {
        let state = self.state.lock();
        let links = &state.parts.links;
        let queues = state.mesh.queues().into_iter().map(|queue| {
            let link = queue.link.and_then(|link| links.open(link));
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
            traffic: links.traffic(),
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

    /// Whether a send to that peer would fail because too much is in flight.
    pub fn refuses(&self, to: &Option<Raw>) -> bool {
        self.state.lock().mesh.refuses(to)
    }

    /// Moves waiting events, about that many bytes of them. Returns how many were taken in all.
    pub fn take(&self, max_bytes: usize, events: &mut Vec<Event>) -> u64 {
        let (bytes, taken) = self.state.lock().parts.events.take(max_bytes, events);
        self.room.remove(bytes);
        taken
    }

    /// Exchanges the server. Returns the one that was there.
    pub fn serve(&self, server: Option<Server>) -> Option<Server> {
        let mut state = self.state.lock();
        if state.down {
            return server;
        }
        std::mem::replace(&mut state.server, server)
    }

    /// Accepts no more connections. Those that are there stay.
    pub fn stop_accepting(&self) {
        if let Some(server) = &self.state.lock().server {
            server.stop_accepting();
        }
    }

    pub fn is_serving(&self) -> bool {
        self.state.lock().server.is_some()
    }

    pub fn flush_all(&self) {
        let state = self.state.lock();
        let open: Vec<Arc<dyn Link>> = state.parts.links.all_open().cloned().collect();
        drop(state);
        for link in open {
            link.flush();
        }
    }

    /// Ends everything at once, without events.
    pub fn shutdown(&self) {
        let mut state = self.state.lock();
        state.down = true;
        let links = state.parts.links.take();
        let server = state.server.take();
        state.parts.events.clear();
        state.parts.inputs = VecDeque::new();
        drop(state);
        drop(server);
        for open in links.all_open() {
            open.kill();
        }
        self.timer.end();
        self.room.end();
    }
}

impl State {
    /// Hands the mesh all inputs that wait, those included that performing brings, and performs what it puts out.
    fn handle(&mut self, turn: &mut Performing<'_>, more: bool) {
        let State {
            mesh,
            outputs,
            parts,
            ..
        } = self;
        parts.backlog.look(&parts.links, &mut parts.inputs);
        let mut flushed = more;
        loop {
            if let Some(input) = parts.inputs.pop_front() {
                mesh.handle(turn.now, input, outputs);
            } else if !flushed {
                flushed = true;
                mesh.flush(outputs);
            } else {
                break;
            }
            for output in outputs.drain(..) {
                turn.perform(output, parts);
            }
            parts.backlog.report(&mut parts.inputs);
        }
    }

    /// Adopts the mesh's deadline. True when the timer is to ring earlier than it knows.
    fn arm(&mut self) -> bool {
        let Some(deadline) = self.mesh.deadline() else {
            return false;
        };
        let earlier = self.armed.is_none_or(|armed| deadline < armed);
        if earlier {
            self.armed = Some(deadline);
        }
        earlier
    }
}

impl Intake for Shared {
    fn received(&self, link: LinkId, batch: Vec<Input>) {
        let mut state = self.state.lock();
        if state.parts.links.contains(link) {
            state.parts.inputs.extend(batch);
            self.turn(state, false);
        }
    }

    fn has_room(&self, link: LinkId) -> bool {
        self.room.is_there() && !(self.room.is_held() && self.state.lock().mesh.is_crowded(link))
    }

    fn room(&self, link: LinkId) -> impl Future<Output = ()> + Send {
        self.room.wait(move || self.has_room(link))
    }
}

impl Host for Shared {
    fn limits(&self) -> Limits {
        *self.limits.lock()
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn read_loop(&self) -> Option<&Arc<dyn ReadLoop>> {
        self.read_loop.as_ref()
    }

    fn accepted(&self, open: Arc<dyn Link>) -> Option<LinkId> {
        let near = open.nearness();
        let mut state = self.state.lock();
        if state.down {
            return None;
        }
        let link = state.mesh.next_link();
        state.parts.links.accepted(link, open);
        state.parts.inputs.push_back(Input::Accepted { link, near });
        self.turn(state, false);
        Some(link)
    }

    fn opened(&self, link: LinkId, open: Arc<dyn Link>) -> bool {
        let near = open.nearness();
        let mut state = self.state.lock();
        if !state.parts.links.opened(link, open) {
            return false;
        }
        state.parts.inputs.push_back(Input::Opened { link, near });
        self.turn(state, false);
        true
    }

    fn ended(&self, link: LinkId, input: Input) {
        let mut state = self.state.lock();
        if state.parts.links.remove(link) {
            state.parts.backlog.forget(link);
            state.parts.inputs.push_back(input);
            self.turn(state, false);
        }
    }

    fn written(&self, link: LinkId) {
        let state = self.state.lock();
        if state.parts.backlog.contains(link) {
            self.turn(state, false);
        }
    }

    fn is_held_up(&self, link: LinkId) -> bool {
        self.state.lock().mesh.held_up().contains(&link)
    }
}

impl Rung for Shared {
    fn next(&self) -> Option<Instant> {
        let armed = self.state.lock().armed?;
        self.clock.at(armed)
    }

    fn ring(&self) {
        let mut state = self.state.lock();
        if state.down {
            return;
        }
        state.armed = None;
        state.parts.inputs.push_back(Input::Tick);
        self.turn(state, false);
    }
}
