//! The network: connections with delays of their own, which are cut, held up and refused.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::{DialError, Input, LinkId, Nearness, Time};

use super::script::TWIN;
use super::{Task, World, v1};

/// One end of a connection: a host, its life and its link.
pub type End = (usize, usize, LinkId);

#[derive(Clone, Debug)]
pub enum Frame {
    Text(ByteString),
    Binary(Bytes),
    Ping,
    Pong,
    /// The sender has closed.
    End,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Pipe {
    flight: VecDeque<(Time, Frame)>,
    last: Time,
    /// Nothing arrives for the time being.
    held: bool,
    /// Nothing that is said from now on will arrive.
    broken: bool,
}

/// A connection. Pipe 0 goes from end 0 to end 1.
#[derive(Debug)]
pub struct Conn {
    pub ends: [End; 2],
    pipes: [Pipe; 2],
    delay: [(u64, u64); 2],
    /// Which ends have been told that it is over.
    told: [bool; 2],
    /// Which ends do not want it any more.
    closing: [bool; 2],
    pub cut: bool,
    /// When something came to each end.
    heard: [Time; 2],
}

fn failure(code: &str) -> DialError {
    DialError {
        code: code.into(),
        message: format!("connect {code}"),
        ..DialError::default()
    }
}

impl World {
    /// Whether a connection between those two is possible now.
    pub fn is_open(&self, a: usize, b: usize) -> bool {
        !self.blocked.contains(&(a.min(b), a.max(b)))
    }

    pub fn dial(&mut self, from: End, url: ByteString) {
        self.dials.insert(from);
        let after = self.micros(50, 3_000);
        self.later(after, Task::Dial { from, url });
    }

    pub fn dialled(&mut self, from: End, url: &ByteString) {
        if !self.dials.contains(&from) {
            return;
        }
        let (n, _, link) = from;
        let twin = (**url == *TWIN && self.profile.twins.contains(&n)).then_some(n);
        let named = || self.hosts.iter().position(|h| h.name.as_ref() == Some(url));
        let target = twin.or_else(named);
        let refused = match target {
            Some(m) if !self.is_open(n, m) => Some((self.micros(1_000, 5_000_000), "ETIMEDOUT")),
            Some(m) if !self.hosts[m].alive || !self.hosts[m].listening => {
                Some((Duration::ZERO, "ECONNREFUSED"))
            }
            None => Some((Duration::ZERO, "ECONNREFUSED")),
            _ => None,
        };
        if let Some((after, code)) = refused {
            let error = failure(code);
            return self.later(after, Task::Refused { from, link, error });
        }
        let Some(m) = target else { return };
        let theirs = self.hosts[m].mesh.next_link();
        let to = (m, self.hosts[m].life, theirs);
        let slow = |rng: &mut fastrand::Rng, most: u64| {
            let least = rng.u64(10..200);
            (least, least + rng.u64(1..most))
        };
        let most = self.profile.jitter;
        let delay = [slow(&mut self.rng, most), slow(&mut self.rng, most)];
        self.conns.push(Conn {
            ends: [from, to],
            pipes: Default::default(),
            delay,
            told: [true, false],
            closing: [false; 2],
            cut: false,
            heard: [self.now; 2],
        });
        let conn = self.conns.len() - 1;
        self.ends.insert(to, (conn, 1));
        self.input(
            to.0,
            to.1,
            Input::Accepted {
                link: theirs,
                near: Nearness::Elsewhere,
            },
        );
        let after = self.micros(10, 2_000);
        self.later(after, Task::Opened { conn });
    }

    pub fn opened(&mut self, conn: usize) {
        let from = self.conns[conn].ends[0];
        if !self.dials.remove(&from) {
            // Nobody wants it any more.
            return self.conn_closed(conn, 1);
        }
        let (n, life, link) = from;
        if self.conns[conn].cut || self.conns[conn].told[1] {
            let error = failure("ECONNRESET");
            return self.input(n, life, Input::DialFailed { link, error });
        }
        self.conns[conn].told[0] = false;
        self.conns[conn].heard[0] = self.now;
        self.ends.insert(from, (conn, 0));
        self.input(
            n,
            life,
            Input::Opened {
                link,
                near: Nearness::Elsewhere,
            },
        );
    }

    pub fn refused(&mut self, from: End, link: LinkId, error: DialError) {
        if self.dials.remove(&from) {
            self.input(from.0, from.1, Input::DialFailed { link, error });
        }
    }

    pub fn transmit(&mut self, from: End, frame: Frame) {
        let Some((conn, side)) = self.ends.get(&from).copied() else {
            return;
        };
        let other = self.conns[conn].ends[1 - side];
        let v1 = self.hosts[from.0].v1 || self.hosts[other.0].v1;
        let frame = match frame {
            Frame::Text(text) if v1 => Frame::Text(v1::without_host(&text)),
            Frame::Binary(_) if v1 => panic!("a 0.4.0 host was told something binary"),
            frame => frame,
        };
        let (least, most) = self.conns[conn].delay[side];
        let at = self.now + self.micros(least, most);
        let pipe = &mut self.conns[conn].pipes[side];
        if pipe.broken {
            return;
        }
        pipe.last = pipe.last.max(at);
        let at = pipe.last;
        pipe.flight.push_back((at, frame));
        if !pipe.held {
            self.at(at, Task::Arrive { conn, side });
        }
    }

    /// What is due over that pipe arrives.
    pub fn arrive(&mut self, conn: usize, side: usize) {
        loop {
            let now = self.now;
            let c = &mut self.conns[conn];
            let pipe = &mut c.pipes[side];
            if pipe.held || pipe.flight.front().is_none_or(|(at, _)| *at > now) {
                return;
            }
            let Some((_, frame)) = pipe.flight.pop_front() else {
                return;
            };
            let (m, life, link) = c.ends[1 - side];
            if c.told[1 - side] {
                continue;
            }
            self.conns[conn].heard[1 - side] = now;
            match frame {
                Frame::Ping => self.transmit((m, life, link), Frame::Pong),
                Frame::Pong => {}
                Frame::Text(text) => self.input(m, life, Input::Received { link, text }),
                Frame::Binary(bytes) => {
                    self.input(m, life, Input::ReceivedBinary { link, bytes });
                }
                Frame::End => {
                    self.conn_closed(conn, 1 - side);
                    let after = self.micros(10, 1_000);
                    self.later(after, Task::Closed { conn, side });
                }
            }
        }
    }

    /// That end learns that the connection is over.
    pub fn conn_closed(&mut self, conn: usize, side: usize) {
        let late = self.can_be_late(conn);
        let c = &mut self.conns[conn];
        if c.told[side] {
            return;
        }
        let pipe = &c.pipes[1 - side];
        let more = pipe.held && !pipe.flight.is_empty();
        if late && more && !c.closing[side] && self.chance(80) {
            // The system of the other host still tries to bring what was written, though that host has given it up, or is dead.
            return self.later(Duration::from_secs(1), Task::Closed { conn, side });
        }
        let c = &mut self.conns[conn];
        c.told[side] = true;
        c.cut = true;
        c.pipes[side].broken = true;
        let end = c.ends[side];
        self.ends.remove(&end);
        // However it ended, the other end hears of it some time.
        let after = self.micros(1_000, 4_000_000);
        self.later(
            after,
            Task::Closed {
                conn,
                side: 1 - side,
            },
        );
        let (n, life, link) = end;
        self.input(n, life, Input::Closed { link });
    }

    /// The mesh wants to know when something came.
    pub fn probe(&mut self, from: End) {
        let Some((conn, side)) = self.ends.get(&from).copied() else {
            return;
        };
        let at = self.conns[conn].heard[side];
        let (n, life, link) = from;
        self.input(n, life, Input::Heard { link, at });
    }

    /// The mesh wants it closed, after what was said.
    pub fn close(&mut self, from: End) {
        if self.dials.remove(&from) {
            let (n, life, link) = from;
            return self.input(n, life, Input::Closed { link });
        }
        let Some((conn, side)) = self.ends.get(&from).copied() else {
            return;
        };
        self.transmit(from, Frame::End);
        self.conns[conn].pipes[side].broken = true;
        self.conns[conn].closing[side] = true;
        let after = self.micros(1_000, 2_000_000);
        self.later(after, Task::Closed { conn, side });
    }

    /// The connection is lost. What is under way arrives up to a random point, and the ends learn of it at different times.
    pub fn cut(&mut self, conn: usize) {
        if self.conns[conn].cut {
            return;
        }
        self.conns[conn].cut = true;
        for side in 0..2 {
            let most = self.conns[conn].pipes[side].flight.len();
            let keep = self.rng.usize(0..=most);
            let pipe = &mut self.conns[conn].pipes[side];
            pipe.flight.truncate(keep);
            pipe.broken = true;
            let quick = self.rng.bool();
            let after = self.micros(0, if quick { 5_000 } else { 3_000_000 });
            self.later(after, Task::Closed { conn, side });
        }
    }

    /// A host has died: what it said before arrives up to a random point.
    pub fn cut_all(&mut self, n: usize) {
        let life = self.hosts[n].life;
        self.dials.retain(|(m, l, _)| (*m, *l) != (n, life));
        for conn in 0..self.conns.len() {
            let Some(side) = self.conns[conn]
                .ends
                .iter()
                .position(|(m, l, _)| (*m, *l) == (n, life))
            else {
                continue;
            };
            let end = self.conns[conn].ends[side];
            self.cut(conn);
            self.conns[conn].told[side] = true;
            self.ends.remove(&end);
        }
    }

    /// Connections between those two that are not over.
    pub fn conns_between(&self, a: usize, b: usize) -> Vec<usize> {
        let between = |c: &Conn| {
            let (x, y) = (c.ends[0].0, c.ends[1].0);
            (x, y) == (a, b) || (x, y) == (b, a)
        };
        (0..self.conns.len())
            .filter(|n| !self.conns[*n].cut && between(&self.conns[*n]))
            .collect()
    }

    /// What was said over a connection that is given up may arrive after what is said over the next one. A 0.4.0 host cannot tell, nor can
    /// it be told of one: nothing is promised then.
    fn can_be_late(&self, conn: usize) -> bool {
        let v1 = |end: &End| self.hosts[end.0].v1;
        !self.conns[conn].ends.iter().any(v1)
    }

    /// Holds up what goes from host `n` to host `m`, or lets it go on.
    pub fn hold(&mut self, n: usize, m: usize, held: bool) {
        for conn in 0..self.conns.len() {
            let side = usize::from(self.conns[conn].ends[0].0 != n);
            let (from, to) = (
                self.conns[conn].ends[side].0,
                self.conns[conn].ends[1 - side].0,
            );
            if (from, to) != (n, m) {
                continue;
            }
            if held {
                self.conns[conn].pipes[side].held = true;
            } else if self.conns[conn].pipes[side].held {
                // What was sent in vain is sent again at longer and longer intervals.
                let patient = self.can_be_late(conn) && self.chance(50);
                let after = self.micros(0, if patient { 8_000_000 } else { 1 });
                self.later(after, Task::Resume { conn, side });
            }
        }
    }

    /// What was held up over that pipe arrives.
    pub fn resume(&mut self, conn: usize, side: usize) {
        let now = self.now;
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.held = false;
        for (at, _) in &mut pipe.flight {
            *at = now;
        }
        self.arrive(conn, side);
    }
}
