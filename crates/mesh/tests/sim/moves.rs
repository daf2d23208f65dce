//! Hosts that begin to listen late, stop listening, move to other urls, drain and are replaced, and whose peers are started elsewhere.

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::Input;

use super::quiet::is_wanted;
use super::script::{Action, MS};
use super::{Task, World};

/// How a process comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It has begun to drain with that call, and then closes.
    Drain(u64),
    /// It has begun to close, and then ends.
    Close,
}

impl World {
    /// A url that nobody has had; sometimes one that somebody had.
    fn next_name(&mut self, n: usize) -> ByteString {
        // Whoever still takes it for its own would not join it.
        let advertised =
            |name: &&ByteString| self.hosts.iter().any(|h| h.url.as_ref() == Some(name));
        let free = self.released.iter().filter(|name| !advertised(name));
        let free: Vec<ByteString> = free.cloned().collect();
        if self.chance(25)
            && let Some(name) = self.rng.choice(free)
        {
            self.released.retain(|other| *other != name);
            return name;
        }
        self.ports += 1;
        format!("ws://host{n}:{}", self.ports).into()
    }

    /// A host that does not listen begins to.
    pub fn listen(&mut self, n: usize) {
        if !self.hosts[n].alive || self.hosts[n].leaving.is_some() || self.hosts[n].name.is_some() {
            return;
        }
        let name = self.next_name(n);
        self.trace(|_| format!("host {n} listens at {name}"));
        let host = &mut self.hosts[n];
        (host.name, host.url) = (Some(name.clone()), Some(name.clone()));
        (host.listening, host.life) = (true, host.life);
        host.urls.push(name.clone());
        let life = host.life;
        self.input(n, life, Input::SetUrl(Some(name)));
    }

    /// A host stops listening: the connections that it has accepted end without a goodbye. It may forget to tell that its url is none.
    pub fn stop_listening(&mut self, n: usize) {
        let Some(name) = self.hosts[n].name.take() else {
            return;
        };
        self.trace(|_| format!("host {n} does not listen at {name} any more"));
        self.released.push(name);
        let accepted = |at: &usize| {
            let conn = &self.conns[*at];
            conn.ends[1].0 == n && conn.ends[1].1 == self.hosts[n].life && !conn.cut
        };
        for conn in (0..self.conns.len()).filter(accepted).collect::<Vec<_>>() {
            self.cut(conn);
        }
        if self.hosts[n].alive && self.chance(50) {
            self.hosts[n].url = None;
            let life = self.hosts[n].life;
            self.input(n, life, Input::SetUrl(None));
        }
    }

    /// One of these happens to a host.
    pub fn act_move(&mut self, n: usize, m: usize) {
        if self.profile.gentle {
            // Nothing but links may be lost then.
            return if is_wanted("late") {
                self.listen(n)
            } else {
                self.change_state(n)
            };
        }
        let dice = self.rng.u32(0..100);
        match dice {
            0..45 if !is_wanted("moves") => self.change_state(n),
            0..15 => self.listen(n),
            15..25 => self.stop_listening(n),
            25..45 => self.move_away(n),
            45..65 => self.drain(n),
            65..80 => self.close_amid_join(n),
            _ => self.reschedule(n, m),
        }
    }

    /// A host goes on at another url, and joins somebody from there.
    fn move_away(&mut self, n: usize) {
        self.stop_listening(n);
        let after = self.micros(0, 50 * MS);
        self.later(after, Task::Then(Action::Listen { n }));
        let more = self.micros(0, 500 * MS);
        self.later(after + more, Task::Then(Action::Join { n }));
    }

    /// A process drains its host, and is replaced. It does not wait for ever.
    fn drain(&mut self, n: usize) {
        if !self.hosts[n].alive || self.hosts[n].leaving.is_some() {
            return;
        }
        self.trace(|_| format!("host {n} drains"));
        let Some(call) = self.call(n, |call| Input::Drain { call }) else {
            return;
        };
        self.hosts[n].leaving = Some(Leaving::Drain(call));
        self.hosts[n].listening = false;
        let life = self.hosts[n].life;
        self.later(Duration::from_secs(5), Task::Then(Action::End { n, life }));
    }

    /// A process begins to join, thinks better of it, and ends.
    pub fn close_amid_join(&mut self, n: usize) {
        if !self.hosts[n].alive || self.hosts[n].leaving.is_some() {
            return;
        }
        self.then(Action::Join { n });
        let after = self.micros(0, 10 * MS);
        let life = self.hosts[n].life;
        self.later(after, Task::Then(Action::End { n, life }));
    }

    /// A process closes its host, and ends when that is done.
    pub fn end_process(&mut self, n: usize) {
        if matches!(self.hosts[n].leaving, Some(Leaving::Close)) || !self.hosts[n].alive {
            return;
        }
        self.trace(|_| format!("host {n} closes and ends"));
        self.hosts[n].leaving = Some(Leaving::Close);
        self.close_host(n);
    }

    pub fn close_host(&mut self, n: usize) {
        self.hosts[n].listening = false;
        self.hosts[n].located.clear();
        self.hosts[n].closing = self.call(n, |call| Input::Close { call });
    }

    /// A call has ended, as the program of that host is told.
    pub fn call_ended(&mut self, n: usize, call: u64) {
        let host = &mut self.hosts[n];
        let (life, leaving) = (host.life, host.leaving);
        let closed = host.closing.take_if(|closing| *closing == call).is_some();
        if closed {
            host.program.notebook.known.clear();
        }
        // Not in the middle of what it is told.
        let action = match leaving {
            Some(Leaving::Drain(drain)) if drain == call => Action::End { n, life },
            Some(Leaving::Close) if closed => Action::Exit { n, life },
            _ => return,
        };
        self.later(Duration::ZERO, Task::Then(action));
    }

    /// The process ends, and another one takes its place.
    pub fn exit(&mut self, n: usize) {
        self.crash(n);
        if self.faults {
            let after = self.micros(MS, 3_000 * MS);
            self.later(after, Task::Then(Action::Restart { n }));
        }
    }

    /// A host dies, and its peers are started on another one before anybody knows that it is dead.
    fn reschedule(&mut self, n: usize, m: usize) {
        if n == m || !self.hosts[n].alive {
            return;
        }
        let peers = self.hosts[n].peers.clone();
        self.crash(n);
        for peer in peers {
            let after = self.micros(MS, 1_000 * MS);
            self.later(after, Task::Then(Action::Create { n: m, peer }));
        }
        let after = self.micros(MS, 5_000 * MS);
        self.later(after, Task::Then(Action::Restart { n }));
    }

    /// Where the next life of a host listens: mostly where the one before did.
    pub fn choose_place(&mut self, n: usize) {
        if !self.profile.wide || !is_wanted("moves") || self.chance(60) {
            return;
        }
        if let Some(name) = self.hosts[n].name.take() {
            self.released.push(name);
        }
        let name = self.chance(70).then(|| self.next_name(n));
        (self.hosts[n].name, self.hosts[n].url) = (name.clone(), name);
    }
}
