//! The program of a host: it applies what its mesh tells it, sometimes slowly, sometimes in parts, and its listeners sometimes throw.

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Config, Event, Input, Outcome, Payload, Reply, Time};

use super::model::{Life, contents};
use super::notes::Notebook;
use super::{Task, Waiting, World};

#[derive(Default)]
pub struct Program {
    pub waiting: Waiting,
    /// The number of the first event that waits.
    first: u64,
    /// How many of its messages have been applied.
    part: u32,
    /// It is going to look, or is at work.
    busy: bool,
    /// It does nothing before that.
    pub paused: Time,
    pub notebook: Notebook,
}

/// How much of one session's messages may wait for a program: the window. No run of the simulation is larger.
const WINDOW: usize = 8 << 20;

/// What the largest run takes when only little may wait, what any run takes beside its messages, and how many messages one has.
const LARGEST: usize = 32 * 1024;
const RUN: usize = 300;

/// What a program says of its state, once before and once after a connection was lost: there is always room for it.
const STATES: usize = 2 * 400;
const MOST: usize = 300;

impl World {
    /// What waits for a program stays within what it has granted to all others.
    pub fn assert_bounded(&self, n: usize) {
        let size = |event: &Event| event.payload().map_or(0, Payload::size);
        let waiting: usize = self.hosts[n].program.waiting.iter().map(size).sum();
        let most = WINDOW * (self.hosts.len() - 1);
        assert!(
            waiting <= most,
            "{waiting} bytes wait for the program of host {n}"
        );
    }

    /// What waits for another host stays within the limits. A run may be larger when nothing else waits, and to say that there is no room
    /// takes as much again.
    pub fn assert_queues(&self, n: usize) {
        let Config {
            max_queue_bytes: bytes,
            max_in_flight: messages,
            ..
        } = self.profile.config;
        for queue in self.hosts[n].mesh.queues() {
            assert!(
                queue.bytes <= (2 * bytes).max(LARGEST) + RUN + STATES
                    && queue.messages <= (2 * messages).max(MOST) + 1 + 2,
                "host {n}: {queue:?}"
            );
        }
    }

    /// Lets the program know that there is something to do.
    pub fn wake(&mut self, n: usize) {
        let (now, life) = (self.now, self.hosts[n].life);
        let program = &mut self.hosts[n].program;
        if program.busy || program.waiting.is_empty() {
            return;
        }
        program.busy = true;
        let paused = program.paused;
        let lag = if self.chance(30) { 3_000 } else { 20 };
        let at = (now + self.micros(0, lag)).max(paused);
        self.at(at, Task::Apply { n, life });
    }

    pub fn apply(&mut self, n: usize, life: Life) {
        if !self.hosts[n].alive || self.hosts[n].life != life {
            return;
        }
        let paused = self.hosts[n].program.paused;
        if paused > self.now {
            return self.at(paused, Task::Apply { n, life });
        }
        // How much before the mesh is told.
        let mut left = match self.rng.u32(0..10) {
            0..7 => u32::MAX,
            7 => 1,
            _ => self.rng.u32(1..200),
        };
        let mut replies = Vec::new();
        while left > 0
            && let Some(event) = self.hosts[n].program.waiting.pop_front()
        {
            let number = self.hosts[n].program.first;
            let count = event.payload().map_or(1, Payload::count);
            let part = self.hosts[n].program.part;
            let stop = count.min(part.saturating_add(left));
            left -= stop - part;
            self.event(n, &event, number, part, stop, &mut replies);
            let program = &mut self.hosts[n].program;
            if stop < count {
                program.part = stop;
                program.waiting.push_front(event);
            } else {
                program.part = 0;
                program.first += 1;
            }
        }
        let program = &self.hosts[n].program;
        let (upto, part) = (program.first, program.part);
        if self.chance(80) {
            return self.applied(n, life, upto, part, replies);
        }
        let slow = self.chance(10);
        let after = self.micros(1, if slow { 500_000 } else { 2_000 });
        self.later(
            after,
            Task::Applied {
                n,
                life,
                upto,
                part,
                replies,
            },
        );
    }

    /// A handler has returned.
    pub fn reply(&mut self, n: usize, life: Life, host: ByteString, number: u64) {
        if !self.hosts[n].alive || self.hosts[n].life != life {
            return;
        }
        let outcome = match self.profile.wide.then(|| self.rng.u32(0..10)) {
            Some(0) => Outcome::Threw,
            Some(1) => Outcome::NoHandler,
            _ => Outcome::Answered,
        };
        let text = format!("\"{host} {number}\"");
        self.model.replies(format!("j{text}"), outcome);
        let input = Input::Reply {
            host,
            number,
            outcome,
            payload: Payload::one(Some(text.into())),
        };
        self.input(n, life, input);
    }

    pub fn applied(
        &mut self,
        n: usize,
        life: Life,
        upto: u64,
        part: u32,
        replies: Vec<(u64, u32, Reply)>,
    ) {
        if !self.hosts[n].alive || self.hosts[n].life != life {
            return;
        }
        self.hosts[n].program.busy = false;
        self.input(
            n,
            life,
            Input::Applied {
                upto,
                part,
                replies,
            },
        );
        self.wake(n);
    }

    /// Messages `part..stop` of an event.
    fn event(
        &mut self,
        n: usize,
        event: &Event,
        number: u64,
        part: u32,
        stop: u32,
        replies: &mut Vec<(u64, u32, Reply)>,
    ) {
        let life = self.hosts[n].life;
        self.hosts[n].view.apply(event);
        let messages = |payload: &Payload| {
            let all = contents(payload).into_iter().enumerate();
            all.skip(part as usize).take((stop - part) as usize)
        };
        let text = |raw: &Option<distribus_mesh::Raw>| {
            raw.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        match event {
            Event::Deliver { to, from, payload }
            | Event::Request {
                to, from, payload, ..
            } => {
                let (to, from) = (text(to), text(from));
                for (index, content) in messages(payload) {
                    if !self.hosts[n].peers.contains(&to) {
                        self.model.not_here(life, &from, &content);
                        replies.push((number, index as u32, Reply::NoSuchPeer));
                        continue;
                    }
                    let throws = self.throws(number, index, replies);
                    self.model.delivered(life, &from, &to, &content, throws);
                    if let Event::Request {
                        host,
                        number: first,
                        ..
                    } = event
                        && !throws
                    {
                        let (host, number) = (host.clone(), first + index as u64);
                        let most = if self.chance(20) { 500_000 } else { 2_000 };
                        let task = Task::Reply {
                            n,
                            life,
                            host,
                            number,
                        };
                        let after = self.micros(1, most);
                        self.later(after, task);
                    }
                }
            }
            Event::Publish {
                channel, payload, ..
            } => {
                let channel = text(channel);
                for (index, content) in messages(payload) {
                    self.throws(number, index, replies);
                    self.model.heard(life, &channel, &content);
                }
            }
            Event::Lookup { id } if self.hosts[n].peers.contains(&text(id)) => {
                replies.push((number, 0, Reply::Here));
            }
            Event::List => {
                let ids: Vec<&str> = self.hosts[n].peers.iter().map(String::as_str).collect();
                replies.push((number, 0, Reply::Ids(format!("[{}]", ids.join(",")).into())));
            }
            Event::Connected { key, url, host } => {
                let text = |t: &Option<ByteString>| t.as_ref().map(ToString::to_string);
                let (url, host) = (text(url), text(host));
                let connections = &mut self.hosts[n].connections;
                let before = connections.insert(key.to_string(), (url, host.clone()));
                assert!(before.is_none(), "host {n} is connected twice: {key}");
                if let Some(host) = host {
                    self.tell_state(n, host);
                }
            }
            Event::Disconnected { key } => {
                let before = self.hosts[n].connections.remove(&**key);
                let before = before.unwrap_or_else(|| panic!("host {n} was not connected: {key}"));
                if let Some(host) = before.1 {
                    let notebook = &mut self.hosts[n].program.notebook;
                    notebook.known.remove(&host);
                    notebook.told.remove(&host);
                }
            }
            Event::Note {
                host,
                head,
                payload,
            } => {
                let head = text(head);
                for (index, content) in messages(payload) {
                    if !self.take_note(n, host, &head, &content) {
                        replies.push((number, index as u32, Reply::NoSuchPeer));
                    }
                }
            }
            Event::Failed { seq, error } => self.note_ended(n, *seq..seq + 1, Some(error)),
            Event::Settled { seq, count } => self.note_ended(n, *seq..seq + count, None),
            Event::Done { call, .. } => self.call_ended(n, *call),
            Event::TimerStarted { key } => {
                assert!(
                    self.hosts[n].timers.insert(key.to_string()),
                    "host {n}: timer runs: {key}"
                );
            }
            Event::TimerStopped { key } => {
                assert!(
                    self.hosts[n].timers.remove(&**key),
                    "host {n}: no timer: {key}"
                );
            }
            _ => {}
        }
    }

    /// Whether messages to that peer have come to a host and wait for its program.
    pub fn has_to_apply(&self, n: usize, peer: &str) -> bool {
        self.hosts[n]
            .program
            .waiting
            .iter()
            .any(|event| match event {
                Event::Deliver { to, .. } | Event::Request { to, .. } => {
                    to.as_deref() == Some(peer)
                }
                _ => false,
            })
    }

    fn throws(&mut self, number: u64, index: usize, replies: &mut Vec<(u64, u32, Reply)>) -> bool {
        let percent = self.profile.throws;
        if !self.chance(percent) {
            return false;
        }
        let text = if self.rng.bool() {
            "\"oops\""
        } else {
            "\"Peer not found, says a listener\""
        };
        replies.push((number, index as u32, Reply::Threw(text.into())));
        true
    }

    pub fn pause(&mut self, n: usize, time: Duration) {
        let until = self.now + time;
        self.hosts[n].program.paused = until;
    }
}
