//! One host at work: the mesh behind its lock, and the performing of what it wants done.
//!
//! Every input goes through [`Shared::run`]: lock, let the mesh handle the inputs, perform the outputs in their order
//! (text frames go to outboxes, events to the queue), unlock; then write what was touched, ring for the program and
//! set the alarm, each only when needed. Nothing blocks and nothing is called back while the lock is held.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::{Arc, Weak};
use std::time::Instant;

use bytestring::ByteString;
use distribus_mesh::{Config, DialError, Event, Input, LinkId, Mesh, Output, Time};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::byte_stream::ByteStream;
use crate::links::Links;
use crate::listener::Listening;
use crate::outbox::Link;
use crate::queue::{EventQueue, Gate};
use crate::system_error::{code, own_error};
use crate::{HANDSHAKE_TIMEOUT, connection, dialer, runtime, timers};

/// The status of a close frame that says that all is well.
const NORMAL_CLOSURE: u16 = 1000;

/// A list that has grown longer than that is given back after use.
const KEEP_OUTPUTS: usize = 4096;

type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the handles and (weakly) the tasks of a host share.
pub(crate) struct Shared {
    me: Weak<Shared>,
    id: ByteString,
    epoch: Instant,
    entropy: RandomState,
    state: Mutex<State>,
    pub(crate) gate: Arc<Gate>,
    alarm: Arc<Notify>,
    pub(crate) listening: Mutex<Option<Listening>>,
    wake: Mutex<Option<Wake>>,
}

struct State {
    /// None after the shutdown.
    mesh: Option<Mesh>,
    links: Links,
    queue: EventQueue,
    /// The program has been rung for and has not emptied the queue since.
    rung: bool,
    /// When the timer task will look again.
    alarm: Option<Time>,
    /// How often listening has ended: what was accepted before is not wanted after.
    listenings_ended: u64,
    /// Always empty between rounds; kept for their memory.
    outputs: Vec<Output>,
}

/// What is left to do when the lock is free again.
#[derive(Default)]
struct Aftermath {
    touched: Vec<Arc<Link>>,
    ring: bool,
    alarm: bool,
}

/// What the timer task waits for.
pub(crate) enum Alarm {
    At(Time),
    Never,
    Ended,
}

impl Shared {
    pub(crate) fn new(config: Config, wake: Wake) -> Arc<Shared> {
        // Keyed by the system's random numbers, so its hashes are random numbers for us.
        let entropy = RandomState::new();
        let id = ByteString::from(format!("{:016x}{:016x}", entropy.hash_one("id"), entropy.hash_one("ID")));
        let mesh = Mesh::new(config, id.clone(), entropy.hash_one("seed"));
        let shared = Arc::new_cyclic(|me| Shared {
            me: me.clone(),
            id,
            epoch: Instant::now(),
            entropy,
            state: Mutex::new(State {
                mesh: Some(mesh),
                links: Links::default(),
                queue: EventQueue::default(),
                rung: false,
                alarm: None,
                listenings_ended: 0,
                outputs: Vec::new(),
            }),
            gate: Arc::default(),
            alarm: Arc::default(),
            listening: Mutex::new(None),
            wake: Mutex::new(Some(wake)),
        });
        match runtime::handle() {
            Ok(runtime) => {
                runtime.spawn(timers::run(shared.me.clone(), shared.alarm.clone(), shared.epoch));
            }
            Err(error) => tracing::error!(%error, "the threads for the network could not be started"),
        }
        shared
    }

    pub(crate) fn id(&self) -> &ByteString {
        &self.id
    }

    /// Handles the inputs in their order, performs what comes of them, and writes.
    pub(crate) fn run(&self, inputs: impl Iterator<Item = Input>) {
        let aftermath = self.state.lock().round(self, inputs);
        self.finish(aftermath);
    }

    /// [`run`](Self::run), then [`take`](Self::take), in one locking and without ringing for what is taken anyway.
    pub(crate) fn exchange(
        &self,
        inputs: impl Iterator<Item = Input>,
        max_bytes: usize,
        events: &mut Vec<Event>,
    ) -> u64 {
        let mut state = self.state.lock();
        let mut aftermath = state.round(self, inputs);
        let taken = state.take(self, max_bytes, events);
        state.rung = !state.queue.is_empty();
        aftermath.ring = false;
        drop(state);
        self.finish(aftermath);
        taken
    }

    pub(crate) fn take(&self, max_bytes: usize, events: &mut Vec<Event>) -> u64 {
        self.state.lock().take(self, max_bytes, events)
    }

    /// Messages have arrived on a link. Returns whether reading should pause.
    pub(crate) fn received(&self, link: LinkId, texts: &mut Vec<ByteString>) -> bool {
        let mut state = self.state.lock();
        if !state.links.is_open(link) {
            texts.clear();
            return false;
        }
        let aftermath = state.round(self, texts.drain(..).map(|text| Input::Received { link, text }));
        let full = state.queue.is_full();
        if full {
            self.gate.close();
        }
        drop(state);
        self.finish(aftermath);
        full
    }

    /// A link has ended.
    pub(crate) fn closed(&self, link: LinkId) {
        let mut state = self.state.lock();
        if state.links.remove(link) {
            let aftermath = state.round(self, [Input::Closed { link }].into_iter());
            drop(state);
            self.finish(aftermath);
        }
    }

    /// How often listening has ended so far.
    pub(crate) fn listenings_ended(&self) -> u64 {
        self.state.lock().listenings_ended
    }

    pub(crate) fn is_down(&self) -> bool {
        self.state.lock().mesh.is_none()
    }

    /// Somebody has connected and been upgraded, while listening had ended `listening` times; `received` came after the
    /// request.
    pub(crate) async fn accepted(&self, stream: Box<dyn ByteStream>, received: Vec<u8>, listening: u64) {
        let Ok(runtime) = runtime::handle() else { return };
        let link = Link::new(stream, Role::Server, 0);
        let socket = connection::accepted(link.clone(), received).await;
        let mut state = self.state.lock();
        if state.listenings_ended != listening {
            return;
        }
        let Some(id) = state.mesh.as_mut().map(Mesh::next_link) else { return };
        state.links.add_accepted(id, link.clone());
        let aftermath = state.round(self, [Input::Accepted { link: id }].into_iter());
        drop(state);
        runtime.spawn(connection::run(id, link, socket, self.me.clone(), self.gate.clone()));
        self.finish(aftermath);
    }

    /// Listening has ended: ends what was accepted.
    pub(crate) fn end_accepted(&self) {
        let mut state = self.state.lock();
        state.listenings_ended += 1;
        let ended = state.links.remove_accepted();
        let closed = ended.iter().map(|&(link, _)| Input::Closed { link });
        let aftermath = state.round(self, closed);
        drop(state);
        for (_, link) in &ended {
            link.kill();
        }
        self.finish(aftermath);
    }

    /// One more try for every link with something to write.
    pub(crate) fn write_now(&self) {
        let links = self.state.lock().links.all_open();
        for link in links {
            link.drain_last();
        }
    }

    /// Ticks if it is time to, and says when to look again.
    pub(crate) fn tick(&self) -> Alarm {
        let mut state = self.state.lock();
        let now = self.epoch.elapsed();
        let mut aftermath = Aftermath::default();
        if state.deadline().is_some_and(|deadline| deadline <= now) {
            aftermath = state.round(self, [Input::Tick].into_iter());
            aftermath.alarm = false;
        }
        // A deadline that has passed again already gets its tick a little later, never in a tight loop.
        state.alarm = state.deadline().map(|deadline| deadline.max(now + timers::SHORTEST));
        let alarm = match (&state.mesh, state.alarm) {
            (None, _) => Alarm::Ended,
            (Some(_), None) => Alarm::Never,
            (Some(_), Some(time)) => Alarm::At(time),
        };
        drop(state);
        self.finish(aftermath);
        alarm
    }

    /// Ends everything, without events.
    pub(crate) fn shutdown(&self) {
        let wake = self.wake.lock().take();
        let mut state = self.state.lock();
        let mesh = state.mesh.take();
        let links = mem::take(&mut state.links);
        state.queue.clear();
        state.listenings_ended += 1;
        drop(state);
        let listening = self.listening.lock().take();
        self.gate.open();
        self.alarm.notify_one();
        drop((listening, links, mesh, wake));
    }

    /// What has to wait for the lock to be free.
    fn finish(&self, aftermath: Aftermath) {
        for link in &aftermath.touched {
            link.drain();
        }
        if aftermath.alarm {
            self.alarm.notify_one();
        }
        if aftermath.ring {
            let wake = self.wake.lock().clone();
            if let Some(wake) = wake {
                wake();
            }
        }
    }

    /// Dials in a task of its own, which becomes the link's task.
    fn dial(&self, state: &mut State, link: LinkId, url: ByteString) -> Result<(), DialError> {
        let runtime = runtime::handle().map_err(|error| {
            own_error(code(&error), "the threads for the network could not be started")
        })?;
        let (host, gate) = (self.me.clone(), self.gate.clone());
        let seed = self.entropy.hash_one(link);
        let task = runtime.spawn(async move {
            let dialled = dialer::dial(&url, seed, HANDSHAKE_TIMEOUT).await;
            let Some(shared) = host.upgrade() else { return };
            match dialled {
                Err(error) => shared.dial_failed(link, error),
                Ok(dialled) if shared.opened(link, &dialled.link) => {
                    drop(shared);
                    tokio::spawn(connection::run(link, dialled.link, dialled.socket, host, gate));
                }
                Ok(_) => {}
            }
        });
        state.links.add_dialling(link, task.abort_handle());
        Ok(())
    }

    fn dial_failed(&self, link: LinkId, error: DialError) {
        let mut state = self.state.lock();
        if state.links.remove(link) {
            let aftermath = state.round(self, [Input::DialFailed { link, error }].into_iter());
            drop(state);
            self.finish(aftermath);
        }
    }

    /// A dial has come to its end. False: nobody wants the link any more.
    fn opened(&self, id: LinkId, link: &Arc<Link>) -> bool {
        let mut state = self.state.lock();
        if !state.links.open(id, link.clone()) {
            return false;
        }
        let aftermath = state.round(self, [Input::Opened { link: id }].into_iter());
        drop(state);
        self.finish(aftermath);
        true
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl State {
    fn deadline(&self) -> Option<Time> {
        self.mesh.as_ref().and_then(Mesh::deadline)
    }

    /// Handles the inputs and what comes of them, all under the lock.
    fn round(&mut self, shared: &Shared, inputs: impl Iterator<Item = Input>) -> Aftermath {
        let mut aftermath = Aftermath::default();
        let mut outputs = mem::take(&mut self.outputs);
        // What the performing of an output has to tell the mesh.
        let mut news = VecDeque::new();
        self.links.begin();
        let now = shared.epoch.elapsed();
        if let Some(mesh) = &mut self.mesh {
            inputs.for_each(|input| mesh.handle(now, input, &mut outputs));
        }
        self.perform(shared, &mut outputs, &mut aftermath.touched, &mut news);
        while let Some(input) = news.pop_front() {
            if let Some(mesh) = &mut self.mesh {
                mesh.handle(now, input, &mut outputs);
            }
            self.perform(shared, &mut outputs, &mut aftermath.touched, &mut news);
        }
        outputs.shrink_to(KEEP_OUTPUTS);
        self.outputs = outputs;

        if !self.rung && !self.queue.is_empty() {
            self.rung = true;
            aftermath.ring = true;
        }
        let deadline = self.deadline();
        if deadline.is_some_and(|deadline| self.alarm.is_none_or(|alarm| deadline < alarm)) {
            self.alarm = deadline;
            aftermath.alarm = true;
        }
        aftermath
    }

    fn perform(
        &mut self,
        shared: &Shared,
        outputs: &mut Vec<Output>,
        touched: &mut Vec<Arc<Link>>,
        news: &mut VecDeque<Input>,
    ) {
        for output in outputs.drain(..) {
            match output {
                Output::Transmit { link, text } => {
                    if let Some(link) = self.links.touch(link, touched) {
                        link.push_text(&text);
                    }
                }
                Output::Event(event) => self.queue.push(event),
                Output::Close { link } => {
                    if let Some(link) = self.links.touch(link, touched) {
                        link.seal(Some(NORMAL_CLOSURE));
                    } else if self.links.abort(link) {
                        news.push_back(Input::Closed { link });
                    }
                }
                Output::Dial { link, url } => {
                    if let Err(error) = shared.dial(self, link, url) {
                        news.push_back(Input::DialFailed { link, error });
                    }
                }
            }
        }
    }

    fn take(&mut self, shared: &Shared, max_bytes: usize, events: &mut Vec<Event>) -> u64 {
        let taken = self.queue.take(max_bytes, events);
        self.rung &= !self.queue.is_empty();
        if !self.queue.is_full() {
            shared.gate.open();
        }
        taken
    }
}

#[cfg(test)]
#[path = "../tests/pieces/driver.rs"]
mod tests;
