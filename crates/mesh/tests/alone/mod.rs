//! One host, whose other hosts are played by the test.
#![allow(dead_code, reason = "each test uses what it needs of this")]

use std::collections::BTreeMap;
use std::time::Duration;

use distribus_mesh::{
    Answer, Config, DialError, Event, Input, LinkId, Mesh, Nearness, Output, Reach, Reply,
};

/// One host, and what it does about what it is told.
pub struct Alone {
    pub mesh: Mesh,
    pub now: Duration,
    /// Dials that go on.
    pub dials: BTreeMap<LinkId, String>,
    /// How far those may lead that have begun, in order.
    pub reaches: Vec<Reach>,
    pub begun: Vec<String>,
    pub said: Vec<(LinkId, String)>,
    pub events: Vec<Event>,
    /// What its program says when it is asked whether a url may be dialled.
    pub allows: bool,
    /// It applies nothing for now.
    pub is_busy: bool,
    applied: usize,
}

impl Alone {
    pub fn new() -> Alone {
        Alone::with(Config::default())
    }

    pub fn with(config: Config) -> Alone {
        let config = Config {
            reconnect_timeout: Duration::from_secs(30),
            ..config
        };
        Alone {
            mesh: Mesh::new(config, "victim".into(), 1),
            now: Duration::ZERO,
            dials: BTreeMap::new(),
            reaches: Vec::new(),
            begun: Vec::new(),
            said: Vec::new(),
            events: Vec::new(),
            allows: false,
            is_busy: false,
            applied: 0,
        }
    }

    pub fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        self.mesh.handle(self.now, input, &mut out);
        self.mesh.flush(&mut out);
        self.perform(out);
        if !self.is_busy {
            self.apply();
        }
    }

    fn perform(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Dial { link, url, reach } => {
                    self.reaches.push(reach);
                    self.begun.push(url.to_string());
                    self.dials.insert(link, url.to_string());
                }
                Output::Transmit { link, text } => self.said.push((link, text.to_string())),
                Output::Close { link, .. } => {
                    self.dials.remove(&link);
                    self.input(Input::Closed { link });
                }
                Output::Event(event) => self.events.push(event),
                _ => {}
            }
        }
    }

    /// The program applies what it is told.
    pub fn apply(&mut self) {
        while self.applied < self.events.len() {
            let news = self.events.iter().enumerate().skip(self.applied);
            let asked = news.filter(|(_, e)| self.allows && matches!(e, Event::MayDial { .. }));
            let replies = asked.map(|(n, _)| (n as u64, 0, Reply::Dial)).collect();
            self.applied = self.events.len();
            let (upto, part) = (self.applied as u64, 0);
            let applied = Input::Applied {
                upto,
                part,
                replies,
            };
            let mut out = Vec::new();
            self.mesh.handle(self.now, applied, &mut out);
            self.perform(out);
        }
    }

    /// The urls about which the program was asked whether they may be dialled.
    pub fn asked(&self) -> Vec<&str> {
        let urls = self.events.iter().filter_map(|event| match event {
            Event::MayDial { url } => Some(&**url),
            _ => None,
        });
        urls.collect()
    }

    pub fn hear(&mut self, link: LinkId, text: String) {
        let text = text.into();
        self.input(Input::Received { link, text });
    }

    /// A host of this version connects, and says hello.
    pub fn member(&mut self, id: &str) -> LinkId {
        self.member_from(Nearness::Elsewhere, id, None)
    }

    /// It connects from so near, and says that it is at that url.
    pub fn member_from(&mut self, near: Nearness, id: &str, url: Option<&str>) -> LinkId {
        let link = self.mesh.next_link();
        self.input(Input::Accepted { link, near });
        let session = format!(r#"{{"id":"{id}","new":true,"received":0,"seen":0,"window":1000}}"#);
        let host = format!(r#"{{"id":"{id}","number":1,"versions":[2],"session":{session}}}"#);
        let url = url.map_or(String::new(), |url| format!(r#""url":"{url}","#));
        self.hear(
            link,
            format!(
                r#"{{"id":1,"message":{{"method":"greeting","params":{{{url}"host":{host}}}}}}}"#
            ),
        );
        link
    }

    /// The host that is dialled over that link has been reached, so near, and answers the greeting with this about itself.
    pub fn answer(&mut self, link: LinkId, near: Nearness, us: &str) {
        self.dials.remove(&link);
        self.input(Input::Opened { link, near });
        let hello = self.said.iter().rev().find(|(l, _)| *l == link);
        let hello: serde_json::Value =
            serde_json::from_str(&hello.expect("a greeting").1).expect("JSON");
        let answer = format!(
            r#"{{"id":{},"message":{{"host":{us}}},"error":null}}"#,
            hello["id"]
        );
        self.hear(link, answer);
    }

    /// It tells of so many hosts.
    pub fn tell(&mut self, link: LinkId, name: &str, count: usize) {
        self.tell_urls(link, &urls(name, count).collect::<Vec<String>>());
    }

    pub fn tell_urls(&mut self, link: LinkId, urls: &[String]) {
        let members = urls.iter().map(|url| format!(r#"{{"url":"{url}"}}"#));
        let members = members.collect::<Vec<_>>().join(",");
        self.hear(
            link,
            format!(r#"{{"message":{{"method":"members","params":{{"members":[{members}]}}}}}}"#),
        );
    }

    pub fn fail(&mut self, link: LinkId) {
        self.dials.remove(&link);
        let error = DialError {
            code: "ECONNREFUSED".into(),
            ..DialError::default()
        };
        self.input(Input::DialFailed { link, error });
    }

    pub fn fail_all(&mut self) {
        for link in self.dials.keys().copied().collect::<Vec<_>>() {
            self.fail(link);
        }
    }

    /// Time passes. Whoever is dialled refuses, if wanted.
    pub fn run_for(&mut self, time: Duration, refuses: bool) {
        let until = self.now + time;
        while let Some(at) = self.mesh.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
            if refuses {
                self.fail_all();
            }
        }
        self.now = until;
        self.input(Input::Tick);
    }

    pub fn is_done(&self, wanted: u64) -> bool {
        let done = |e: &Event| matches!(e, Event::Done { call, result: Ok(Answer::Done) } if *call == wanted);
        self.events.iter().any(done)
    }
}

pub fn urls(name: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("ws://{name}{n}"))
}

pub fn join(call: u64, url: &str) -> Input {
    let url = url.to_owned().into();
    Input::Join { call, url }
}
