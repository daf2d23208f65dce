//! What a host does costs the same however many others it has lost and waits for.

mod support;

use std::time::{Duration, Instant};

use bytestring::ByteString;
use distribus_mesh::{Change, Config, Event, Input, LinkId, Mesh, Nearness, Output, Payload};

const MANY: usize = 15_000;

/// So many are waited for.
const MOST: usize = 16 * 1024;

/// A host to which others come and are lost without a goodbye. Its program applies everything at once.
struct Host {
    mesh: Mesh,
    told: u64,
    came: usize,
    log: Vec<Event>,
}

impl Host {
    fn new() -> Host {
        let mut host = Host {
            mesh: Mesh::new(Config::default(), "ours".into(), 1),
            told: 0,
            came: 0,
            log: Vec::new(),
        };
        host.input(Input::SetUrl(Some("ws://ours".into())));
        host
    }

    fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        let now = Duration::from_millis(self.came as u64 / 100);
        self.mesh.handle(now, input, &mut out);
        self.mesh.flush(&mut out);
        self.mesh.deadline();
        let events = out.into_iter().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        });
        let before = self.log.len();
        self.log.extend(events);
        self.told += (self.log.len() - before) as u64;
        if self.log.len() > before {
            let applied = Input::Applied {
                upto: self.told,
                part: 0,
                replies: Vec::new(),
            };
            self.mesh.handle(now, applied, &mut Vec::new());
            self.mesh.deadline();
        }
    }

    /// Somebody comes, with a url or without.
    fn accept(&mut self) -> LinkId {
        let n = self.came;
        self.came += 1;
        let link = self.mesh.next_link();
        self.input(Input::Accepted {
            link,
            near: Nearness::Elsewhere,
        });
        let url = if n.is_multiple_of(2) {
            format!(r#""url":"ws://{n}","#)
        } else {
            String::new()
        };
        let text = format!(
            r#"{{"id":1,"message":{{"method":"greeting","params":{{{url}"host":{{"id":"host{n:05}","number":{n},"versions":[2],"features":["interest"],"session":{{"id":"s{n}","new":true,"received":0,"seen":0,"window":1000000}}}}}}}}}}"#
        );
        self.input(Input::Received {
            link,
            text: ByteString::from(text),
        });
        link
    }

    fn lose_some(&mut self, count: usize) {
        for _ in 0..count {
            let link = self.accept();
            self.input(Input::Closed { link });
        }
    }

    fn count(&self, change: Change) -> usize {
        let is = |e: &&Event| matches!(e, Event::Member { change: c, .. } if *c == change);
        self.log.iter().filter(is).count()
    }

    /// The time that a thousand of these take, at best.
    fn time(&mut self, mut work: impl FnMut(&mut Host)) -> Duration {
        let mut measure = || {
            let since = Instant::now();
            for _ in 0..100 {
                work(self);
            }
            since.elapsed()
        };
        (0..10).map(|_| measure()).min().unwrap_or_default()
    }
}

/// Work of one kind, done by a host that has lost few and by one that has lost many.
fn assert_costs_the_same(what: &str, work: impl Fn(&mut Host)) {
    let (mut few, mut many) = (Host::new(), Host::new());
    few.lose_some(20);
    many.lose_some(MANY);
    assert_eq!(many.count(Change::Disconnect), MANY);
    let (few, many) = (few.time(&work), many.time(&work));
    println!("{what}: {few:?} and {many:?}");
    assert!(many < 6 * few, "{what}: {few:?} and {many:?} for 100");
}

#[test]
fn accepting_costs_the_same_however_many_are_lost() {
    assert_costs_the_same("accept", |host| {
        let link = host.accept();
        host.input(Input::Closed { link });
    });
}

#[test]
fn a_message_costs_the_same_however_many_are_lost() {
    assert_costs_the_same("send", |host| {
        let (from, to) = (Some("\"a\"".into()), Some("\"b\"".into()));
        let payload = Payload::one(None);
        let seq = 0;
        host.input(Input::Send {
            seq,
            from,
            to,
            payload,
        });
    });
}

#[test]
fn subscribing_costs_the_same_however_many_are_lost() {
    assert_costs_the_same("subscribe", |host| {
        let topic = distribus_mesh::Topic::read("\"c\"".into(), false);
        let same = topic.clone();
        host.input(Input::Subscribe { topic });
        host.input(Input::Unsubscribe { topic: same });
    });
}

#[test]
fn a_goodbye_costs_the_same_however_many_are_lost() {
    assert_costs_the_same("goodbye", |host| {
        let link = host.accept();
        let text = ByteString::from_static(r#"{"id":2,"message":{"method":"goodbye"}}"#);
        host.input(Input::Received { link, text });
        host.input(Input::Closed { link });
    });
}

#[test]
fn giving_up_costs_the_same_however_many_are_lost() {
    assert_costs_the_same("giving up", |host| {
        let link = host.accept();
        host.input(Input::Closed { link });
        let n = host.came - 1;
        let key = match n % 2 {
            0 => format!("ws://{n}"),
            _ => format!("host{n:05}"),
        };
        let left = host.count(Change::Leave);
        host.log.clear();
        host.input(Input::CancelTimer { key: key.into() });
        assert_eq!((left, host.count(Change::Leave)), (0, 1));
        host.log.clear();
    });
}

#[test]
fn beyond_so_many_lost_hosts_the_one_that_was_lost_first_is_given_up() {
    let mut host = Host::new();
    host.lose_some(MOST);
    assert_eq!(host.count(Change::Leave), 0);
    host.lose_some(3);
    let left = host.log.iter().filter_map(|event| match event {
        Event::Member {
            change: Change::Leave,
            host,
            ..
        } => host.as_deref(),
        _ => None,
    });
    assert_eq!(
        left.collect::<Vec<_>>(),
        ["host00000", "host00001", "host00002"]
    );
    assert_eq!(host.count(Change::Disconnect), MOST + 3);
}
