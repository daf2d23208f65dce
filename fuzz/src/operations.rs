//! A mesh that is told all sorts of things, by its program and by strangers, in any order that its driver allows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::wire::v2;
use distribus_mesh::{
    Config, DialError, Event, Input, LinkId, Mesh, Nearness, Outcome, Output, Payload, Reply, Time,
};

/// Chooses, as the bytes say; zero when there are no more.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most.max(1)
    }

    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = self.below(most).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Dialling,
    Open,
    Closing,
}

/// The mesh, and what its driver and its program know.
struct Driver {
    mesh: Mesh,
    now: Time,
    links: BTreeMap<LinkId, LinkState>,
    told: u64,
    applied: u64,
    last: Option<Event>,
    ended: BTreeSet<u64>,
    done: BTreeSet<u64>,
    sends: u64,
    calls: u64,
    connections: BTreeSet<ByteString>,
    timers: BTreeSet<ByteString>,
}

const HOSTS: [&str; 4] = ["0a", "5b", "fc", "me"];
const URLS: [&str; 4] = ["ws://a:1", "ws://b:1", "ws://c:1", "ws://me:1"];

/// What a mesh makes of any sequence of calls and frames: it does not panic, every send and call ends once at most, and what it tells about
/// connections and timers can be true.
pub fn mesh(data: &[u8]) {
    let mut choices = Choices(data);
    let seed = u64::from(choices.byte());
    let mut config = Config::default();
    if seed % 2 == 1 {
        // Nearly everything is too much.
        (config.max_queue_bytes, config.max_in_flight) = (1500, 4);
        (config.max_payload, config.max_id_length) = (1000, 8);
    }
    if seed % 4 >= 2 {
        config.heartbeat_interval = Duration::from_secs(1);
        config.heartbeat_timeout = Duration::from_secs(3);
    }
    let mesh = Mesh::new(config, "5me".into(), seed);
    let mut driver = Driver {
        mesh,
        now: Duration::ZERO,
        links: BTreeMap::new(),
        told: 0,
        applied: 0,
        last: None,
        ended: BTreeSet::new(),
        done: BTreeSet::new(),
        sends: 0,
        calls: 0,
        connections: BTreeSet::new(),
        timers: BTreeSet::new(),
    };
    driver.input(Input::SetUrl(Some(URLS[3].into())));
    for _ in 0..400 {
        if choices.0.is_empty() {
            break;
        }
        driver.operation(&mut choices);
    }
}

impl Driver {
    fn operation(&mut self, choices: &mut Choices) {
        match choices.byte() % 20 {
            0 => {
                let link = self.mesh.next_link();
                self.links.insert(link, LinkState::Open);
                self.input(Input::Accepted {
                    link,
                    near: Nearness::Elsewhere,
                });
            }
            1 => {
                let link = self.mesh.next_link();
                self.links.insert(link, LinkState::Open);
                self.input(Input::Accepted {
                    link,
                    near: Nearness::Elsewhere,
                });
                self.greeting(link, choices);
            }
            2 => {
                if let Some(link) = self.link(choices, LinkState::Open) {
                    self.greeting(link, choices);
                }
            }
            3 | 4 => {
                if let Some(link) = self.link(choices, LinkState::Open) {
                    self.answer(link, choices);
                }
            }
            5 => {
                if let Some(link) = self.link(choices, LinkState::Open) {
                    self.request(link, choices);
                }
            }
            6..9 => {
                if let Some(link) = self.link(choices, LinkState::Open) {
                    let bytes = frame(choices);
                    self.input(Input::ReceivedBinary { link, bytes });
                }
            }
            9 => {
                if let Some(link) = self.link(choices, LinkState::Open) {
                    let bytes = Bytes::copy_from_slice(choices.bytes(64));
                    self.input(Input::ReceivedBinary { link, bytes });
                }
            }
            10 => {
                if let Some(link) = self.link(choices, LinkState::Open)
                    && let Ok(text) = std::str::from_utf8(choices.bytes(200))
                {
                    let text = text.into();
                    self.input(Input::Received { link, text });
                }
            }
            11 => {
                if let Some(link) = self.link(choices, LinkState::Dialling) {
                    self.links.insert(link, LinkState::Open);
                    self.input(Input::Opened {
                        link,
                        near: Nearness::Elsewhere,
                    });
                }
            }
            12 => {
                if let Some(link) = self.link(choices, LinkState::Dialling) {
                    self.links.remove(&link);
                    let error = DialError::default();
                    self.input(Input::DialFailed { link, error });
                }
            }
            13 => {
                let state = if choices.byte() & 1 == 0 {
                    LinkState::Open
                } else {
                    LinkState::Closing
                };
                if let Some(link) = self.link(choices, state) {
                    self.links.remove(&link);
                    self.input(Input::Closed { link });
                }
            }
            14 | 15 => self.apply(choices),
            16 => {
                let step = [1, 900, 5_000, 61_000, 400_000][choices.below(5)];
                let until = self.now + Duration::from_millis(step);
                let mut ticks = 0;
                while let Some(at) = self.mesh.deadline().filter(|at| *at <= until) {
                    self.now = self.now.max(at);
                    self.input(Input::Tick);
                    ticks += 1;
                    assert!(ticks < 100_000, "the clock does not move on");
                }
                self.now = until;
            }
            17 => {
                let payload = payload(choices);
                let seq = self.sends;
                self.sends += u64::from(payload.count());
                let (from, to) = (Some("\"me\"".into()), Some(id(choices)));
                self.input(match seq % 4 {
                    0 | 2 => Input::Send {
                        seq,
                        from,
                        to,
                        payload,
                    },
                    1 => Input::Request {
                        seq,
                        from,
                        to,
                        payload,
                    },
                    _ => Input::SendPatiently {
                        seq,
                        from,
                        to,
                        payload,
                    },
                });
            }
            18 => {
                let (channel, payload) = (Some(id(choices)), payload(choices));
                self.input(Input::Reply {
                    host: HOSTS[self.told as usize % 4].into(),
                    number: self.told,
                    outcome: Outcome::Answered,
                    payload: payload.clone(),
                });
                self.input(Input::Publish { channel, payload });
            }
            _ => self.call(choices),
        }
        if choices.byte() & 3 != 0 {
            self.flush();
        }
    }

    fn call(&mut self, choices: &mut Choices) {
        self.calls += 1;
        let call = self.calls;
        let url: ByteString = URLS[choices.below(4)].into();
        let input = match choices.byte() % 8 {
            0..2 => Input::Join { call, url },
            2 => Input::Retry { url },
            3 => Input::Find {
                call,
                id: Some(id(choices)),
            },
            4 => Input::List { call },
            5 => Input::Close { call },
            6 => Input::Disconnect { key: url },
            _ => Input::CancelTimer { key: url },
        };
        self.input(input);
    }

    fn apply(&mut self, choices: &mut Choices) {
        let waiting = self.told - self.applied;
        let upto = self.told - (choices.below(3) as u64).min(waiting);
        let reply = match choices.byte() % 5 {
            0 => Reply::NoSuchPeer,
            1 => Reply::Threw("\"Peer not found\"".into()),
            2 => Reply::Here,
            3 => Reply::Ids("[1]".into()),
            _ => {
                self.applied = upto;
                return self.input(Input::Applied {
                    upto,
                    part: 0,
                    replies: Vec::new(),
                });
            }
        };
        let replies = match upto.checked_sub(1).filter(|event| *event >= self.applied) {
            Some(event) => vec![(event, 0, reply)],
            None => Vec::new(),
        };
        self.applied = upto;
        let part = if upto < self.told {
            choices.byte().into()
        } else {
            0
        };
        self.input(Input::Applied {
            upto,
            part,
            replies,
        });
    }

    fn link(&self, choices: &mut Choices, state: LinkState) -> Option<LinkId> {
        let links: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, s)| **s == state)
            .map(|(l, _)| *l)
            .collect();
        links.get(choices.below(links.len())).copied()
    }

    fn host(choices: &mut Choices, answer: bool) -> String {
        let session = match choices.byte() % 4 {
            0 => String::new(),
            kind => format!(
                ",\"session\":{{\"id\":\"s{}\",\"new\":{},\"received\":{},\"seen\":{},\"window\":{}}}",
                choices.byte() % 3,
                kind == 1,
                choices.byte() % 4,
                choices.byte() % 4,
                [0, 1, 100, 1 << 23][choices.below(4)]
            ),
        };
        let more = match (choices.byte() % 4, answer) {
            (0, true) => ",\"duplicate\":true",
            (0, false) => ",\"replace\":true",
            _ => "",
        };
        let n = choices.below(4);
        format!(
            "{{\"id\":\"{}\",\"url\":\"{}\",\"versions\":[2]{session}{more}}}",
            HOSTS[n], URLS[n]
        )
    }

    fn greeting(&mut self, link: LinkId, choices: &mut Choices) {
        let host = Self::host(choices, false);
        let url = match choices.byte() % 5 {
            4 => String::new(),
            n => format!("\"url\":\"{}\",", URLS[usize::from(n)]),
        };
        let text = format!("{{\"id\":1,\"message\":{{\"method\":\"greeting\",\"params\":{{{url}\"host\":{host}}}}}}}").into();
        self.input(Input::Received { link, text });
    }

    fn answer(&mut self, link: LinkId, choices: &mut Choices) {
        let number = choices.byte() % 32;
        let message = match choices.byte() % 5 {
            0 => "null".to_owned(),
            1 => format!("\"{}\"", URLS[choices.below(4)]),
            2 => format!(
                "[\"{}\",\"{}\"]",
                URLS[choices.below(4)],
                URLS[choices.below(4)]
            ),
            _ => format!("{{\"host\":{}}}", Self::host(choices, true)),
        };
        let error = [
            "null",
            "null",
            "null",
            "\"oops\"",
            "\"Error: Peer not found\"",
        ][choices.below(5)];
        let text = format!("{{\"id\":{number},\"message\":{message},\"error\":{error}}}").into();
        self.input(Input::Received { link, text });
    }

    fn request(&mut self, link: LinkId, choices: &mut Choices) {
        let method = [
            "join", "hosts", "find", "list", "goodbye", "send", "publish", "ping",
        ][choices.below(8)];
        let (url, peer) = (URLS[choices.below(4)], id(choices));
        let params = format!(
            "{{\"url\":\"{url}\",\"urls\":[\"{url}\"],\"id\":{peer},\"to\":{peer},\"message\":1}}"
        );
        let id = if choices.byte() & 1 == 0 {
            "\"id\":9,"
        } else {
            ""
        };
        let text =
            format!("{{{id}\"message\":{{\"method\":\"{method}\",\"params\":{params}}}}}").into();
        self.input(Input::Received { link, text });
    }

    fn input(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.mesh.handle(self.now, input, &mut out);
            self.perform(out, &mut inputs);
        }
    }

    fn flush(&mut self) {
        let mut out = Vec::new();
        self.mesh.flush(&mut out);
        let mut inputs = Vec::new();
        self.perform(out, &mut inputs);
        assert!(inputs.is_empty());
    }

    fn perform(&mut self, out: Vec<Output>, inputs: &mut Vec<Input>) {
        for output in out {
            match output {
                Output::Dial { link, .. } => {
                    assert!(self.links.insert(link, LinkState::Dialling).is_none());
                }
                Output::TransmitBinary { bytes, .. } => {
                    assert!(
                        v2::decode(&bytes).is_ok(),
                        "we break our own rules: {bytes:?}"
                    );
                }
                Output::Transmit { text, .. } => {
                    assert!(
                        serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok(),
                        "{text}"
                    );
                }
                Output::Close { link, .. } => match self.links.get_mut(&link) {
                    Some(LinkState::Dialling) => {
                        self.links.remove(&link);
                        inputs.push(Input::Closed { link });
                    }
                    Some(state) => *state = LinkState::Closing,
                    None => {}
                },
                Output::Beat { bytes, .. } => assert!(v2::decode(&bytes).is_ok()),
                Output::Ping { .. } | Output::Owed { .. } | Output::Greeted { .. } => {}
                // Half of them have been silent.
                Output::Probe { link } => inputs.push(Input::Heard {
                    link,
                    at: if link.0 % 2 == 0 {
                        self.now
                    } else {
                        Time::ZERO
                    },
                }),
                Output::Event(event) => self.event(event),
            }
        }
    }

    fn event(&mut self, event: Event) {
        self.told += 1;
        match &event {
            Event::Settled { seq, count } | Event::Accepted { seq, count, .. } => {
                (*seq..seq + count).for_each(|seq| self.end(seq))
            }
            Event::Failed { seq, .. } => self.end(*seq),
            Event::Done { call, .. } => {
                assert!(
                    *call <= self.calls && self.done.insert(*call),
                    "call {call} ended twice"
                );
            }
            Event::Connected { key, .. } => assert!(
                self.connections.insert(key.clone()),
                "connected twice: {key}"
            ),
            Event::Disconnected { key } => {
                assert!(self.connections.remove(key), "was not connected: {key}")
            }
            Event::TimerStarted { key } => {
                assert!(self.timers.insert(key.clone()), "timer runs: {key}")
            }
            Event::TimerStopped { key } => assert!(self.timers.remove(key), "no timer: {key}"),
            _ => {}
        }
        self.last = Some(event);
    }

    fn end(&mut self, seq: u64) {
        assert!(
            seq < self.sends && self.ended.insert(seq),
            "send {seq} ended twice"
        );
    }
}

fn id(choices: &mut Choices) -> ByteString {
    ["\"p\"", "\"q\"", "7", "\"__proto__\"", "null"][choices.below(5)].into()
}

fn payload(choices: &mut Choices) -> Payload {
    match choices.byte() % 4 {
        0 => Payload::Json {
            texts: "1,\"a,]\",{}".into(),
            count: 3,
        },
        1 => Payload::Undefined {
            count: 1 + u32::from(choices.byte()),
        },
        2 => Payload::Text(vec!["text".into(), "".into()]),
        _ => Payload::Json {
            texts: "1".into(),
            count: 1,
        },
    }
}

/// A frame that is well formed: what it says may be nonsense all the same.
fn frame(choices: &mut Choices) -> Bytes {
    let mut frame = v2::Frame::default();
    for _ in 0..=choices.byte() % 3 {
        let number = u64::from(choices.byte() % 12);
        match choices.byte() % 5 {
            0 | 1 => frame.send(number, &Some(id(choices)), &None, &payload(choices)),
            2 => frame.publish(number, &Some(id(choices)), &payload(choices)),
            3 => {
                let exceptions = (0..choices.byte() % 3)
                    .map(|_| v2::Exception {
                        first: u64::from(choices.byte() % 16),
                        count: u32::from(choices.byte() % 4),
                        code: [
                            v2::Code::NoSuchPeer,
                            v2::Code::Threw,
                            v2::Code::ThrewNotFound,
                        ][choices.below(3)],
                    })
                    .collect();
                let window = [0, 1, 1 << 23][choices.below(3)];
                frame.ack(&v2::Ack {
                    upto: number,
                    window,
                    exceptions,
                });
            }
            _ => frame.seen(number),
        }
    }
    frame.take()
}
