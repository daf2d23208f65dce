//! What comes from outside and is longer, or more, than anybody has to take.

mod support;

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::wire::v2::{Frame, Interest, Place, Record};
use distribus_mesh::{
    Config, Event, Input, Limits, LinkId, Mesh, Nearness, NoteKind, Outcome, Output, Payload, Raw,
    SendError, Topic,
};
use support::{Net, url};

type Time = Duration;

const MB: usize = 1024 * 1024;

fn pair() -> Net {
    let mut net = Net::new(2);
    net.connect_all();
    net
}

/// A pair of which each side listens to what it says, and host 1 to a channel.
fn listening() -> Net {
    let mut net = Net::new(2);
    for n in 0..2 {
        let interests = true;
        let config = Config {
            interests,
            ..Config::default()
        };
        net.input(n, Input::Configure(config));
    }
    net.input(
        1,
        Input::Subscribe {
            topic: topic("fine", false),
        },
    );
    net.connect_all();
    net
}

fn topic(name: &str, pattern: bool) -> Topic {
    let name = name.to_owned().into();
    Topic { name, pattern }
}

fn frame(record: &Record) -> Bytes {
    let mut frame = Frame::default();
    frame.record(record);
    frame.take()
}

fn one() -> Payload {
    Payload::one(Some("1".into()))
}

/// A head with these arguments.
fn head(letter: char, args: &[&str]) -> Option<Raw> {
    let args = serde_json::to_string(args).expect("JSON");
    let text = format!("{letter}{args}");
    Some(serde_json::to_string(&text).expect("JSON").into())
}

fn note(letter: char, args: &[&str]) -> Record {
    Record::Note {
        first: 1,
        head: head(letter, args),
        payload: one(),
    }
}

/// Host 0 says that to host 1. Whether that has ended their session.
fn breaks(record: &Record) -> bool {
    let mut net = pair();
    let before = net.nodes[1].log.len();
    // Nothing is acknowledged that host 0 knows nothing of.
    net.nodes[1].paused = true;
    net.inject(0, 1, &frame(record));
    net.run_for(Duration::from_millis(5));
    let broken = net.link(1, 0).is_none();
    net.nodes[1].paused = false;
    net.apply(1);
    let told = &net.nodes[1].log[before..];
    if broken {
        assert!(
            told.iter().all(|e| e.payload().is_none()),
            "nothing of it is told"
        );
        let key = url(0).into();
        assert!(told.contains(&Event::Disconnected { key }));
    }
    // They meet again, in a session that works.
    net.run_for(Duration::from_secs(5));
    let seq = net.send(1, "\"a\"", "\"nobody\"", "1");
    net.settle();
    assert!(net.outcome(1, seq).is_some());
    broken
}

#[test]
fn heads_of_notes_and_the_names_in_them_are_as_long_as_ids_may_be() {
    let most = Limits::default().id;
    let (fine, long) = ("*".repeat(most), "*".repeat(most + 1));
    // As long as it can become: what takes six characters in JSON, and seven in JSON within JSON.
    let wide = "\u{1}".repeat(most);
    for letter in ['b', 'l', 'w', 'g', 'm', '?'] {
        assert!(!breaks(&note(letter, &[&fine])), "{letter}");
        assert!(!breaks(&note(letter, &[&wide, &wide])), "{letter}");
        assert!(breaks(&note(letter, &[&long])), "{letter}");
        assert!(breaks(&note(letter, &["fine", &long])), "{letter}");
        assert!(breaks(&note(letter, &[&"x".repeat(10 * MB)])), "{letter}");
        assert!(breaks(&note(letter, &vec!["x"; 10 * MB / 4])), "{letter}");
    }
    let head = Some(format!("\"w{}\"", "7".repeat(10 * MB)).into());
    assert!(breaks(&Record::Note {
        first: 1,
        head,
        payload: one(),
    }));
}

#[test]
fn a_note_that_names_what_its_receiver_does_not_take_is_refused_at_its_sender() {
    let mut net = Net::new(2);
    let config = Config {
        max_id_length: 10,
        ..Config::default()
    };
    net.input(1, Input::Configure(config));
    net.connect_all();
    for (seq, name) in [(0, "0123456789"), (1, "0123456789x")] {
        let note = Input::Note {
            seq,
            host: "host0001".into(),
            head: head('m', &[name, "group"]),
            kind: NoteKind::Job,
            payload: one(),
        };
        net.input(0, note);
    }
    net.settle();
    assert_eq!(net.outcome(0, 0), Some(Ok(())));
    let id = None;
    assert_eq!(net.outcome(0, 1), Some(Err(SendError::TooLarge { id })));
    assert!(net.link(0, 1).is_some());
}

fn interest(changes: Vec<(bool, Topic)>) -> Record {
    Record::Interest(Interest {
        whole: true,
        more: false,
        changes: changes.into_iter().collect(),
    })
}

/// Which of these channels host 1 hears of when host 0 publishes, after it has said that it listens to that.
fn hears(changes: Vec<(bool, Topic)>) -> Vec<String> {
    let mut net = listening();
    net.inject(1, 0, &frame(&interest(changes)));
    net.run_for(Duration::from_millis(5));
    for channel in ["\"fine\"", "\"other\""] {
        net.publish(0, channel, Payload::one(Some(channel.into())));
    }
    net.settle();
    net.published(1)
}

#[test]
fn a_name_in_an_interest_that_is_too_long_costs_nothing_and_loses_nothing() {
    let long = "x".repeat(10 * MB);
    let fine = || (true, topic("fine", false));
    assert_eq!(hears(vec![fine()]), ["\"fine\""]);
    // No channel has such a name.
    assert_eq!(
        hears(vec![(true, topic(&long, false)), fine()]),
        ["\"fine\""]
    );
    assert_eq!(
        hears(vec![(false, topic(&long, true)), fine()]),
        ["\"fine\""]
    );
    // But it may match some.
    let pattern = (true, topic(&long.replace('x', "*"), true));
    assert_eq!(hears(vec![fine(), pattern]), ["\"fine\"", "\"other\""]);
}

#[test]
fn what_is_kept_of_an_interest_does_not_keep_its_frame() {
    let mut net = listening();
    let long = topic(&"x".repeat(10 * MB), false);
    let bytes = frame(&interest(vec![(true, topic("fine", false)), (true, long)]));
    let link = net.link(0, 1).expect("connected");
    let input = Input::ReceivedBinary {
        link,
        bytes: bytes.clone(),
    };
    net.input(0, input);
    assert!(bytes.is_unique());
}

#[test]
fn a_search_for_an_id_that_is_too_long_finds_nothing_and_asks_nobody() {
    let mut net = Net::new(2);
    let config = Config {
        directory: true,
        ..Config::default()
    };
    for n in 0..2 {
        net.input(n, Input::Configure(config.clone()));
    }
    net.connect_all();
    let id: Option<Raw> = Some(format!("\"{}\"", "x".repeat(10 * MB)).into());
    let (number, asker) = (7, ByteString::from("host0000"));
    net.tap = Some(Vec::new());
    for record in [
        Record::Look {
            number,
            id: id.clone(),
        },
        Record::Ask { number, asker, id },
    ] {
        let before = net.frames;
        net.inject(0, 1, &frame(&record));
        net.run_for(Duration::from_millis(5));
        net.flush(1);
        assert!(net.frames > before, "it is answered");
    }
    let asked = |e: &Event| matches!(e, Event::Lookup { .. });
    assert!(!net.nodes[1].log.iter().any(asked));
    assert!(net.link(1, 0).is_some());
}

#[test]
fn numbers_that_nobody_can_mean_break_the_protocol() {
    let most = (1 << 53) - 1;
    let two = || Payload::Undefined { count: 2 };
    let request = |number| Record::Request {
        first: 1,
        to: Some("\"nobody\"".into()),
        from: None,
        number,
        payload: two(),
    };
    let reply = |number| Record::Reply {
        first: 1,
        number,
        outcome: Outcome::NoHandler,
        payload: two(),
    };
    assert!(!breaks(&request(most - 1)));
    assert!(breaks(&request(most)));
    assert!(!breaks(&reply(most - 1)));
    assert!(breaks(&reply(most)));
    let gap = |first, count| Record::Gap { first, count };
    assert!(!breaks(&gap(1, 1)));
    assert!(breaks(&gap(0, 1)));
    assert!(breaks(&gap(1, 0)));
    assert!(!breaks(&Record::Place(Place::Drop(1023))));
    assert!(breaks(&Record::Place(Place::Drop(1024))));
}

// Version 1.

/// One host, and a link over which somebody says these things to it.
struct Alone {
    mesh: Mesh,
    link: LinkId,
    events: u64,
}

impl Alone {
    fn new() -> Alone {
        let mut mesh = Mesh::new(Config::default(), "host".into(), 1);
        let link = mesh.next_link();
        let mut out = Vec::new();
        let url = Some("ws://host".into());
        mesh.handle(Time::ZERO, Input::SetUrl(url), &mut out);
        mesh.handle(
            Time::ZERO,
            Input::Accepted {
                link,
                near: Nearness::Elsewhere,
            },
            &mut out,
        );
        let events = 0;
        Alone { mesh, link, events }
    }

    /// What comes of it, when the program has applied what it was told.
    fn hear(&mut self, text: String) -> Vec<Output> {
        let (link, text) = (self.link, text.into());
        self.input(Input::Received { link, text })
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.mesh.handle(Time::ZERO, input, &mut out);
        let told = out.iter().filter(|o| matches!(o, Output::Event(_)));
        self.events += told.count() as u64;
        let applied = Input::Applied {
            upto: self.events,
            part: 0,
            replies: Vec::new(),
        };
        self.mesh.handle(Time::ZERO, applied, &mut out);
        out
    }
}

fn question(method: &str, params: &str) -> String {
    format!(r#"{{"id":"q","message":{{"method":"{method}","params":{params}}}}}"#)
}

/// The texts among these.
fn texts(out: &[Output]) -> Vec<&str> {
    out.iter()
        .filter_map(|o| match o {
            Output::Transmit { text, .. } => Some(&**text),
            _ => None,
        })
        .collect()
}

fn dials(out: &[Output]) -> Vec<&str> {
    out.iter()
        .filter_map(|o| match o {
            Output::Dial { url, .. } => Some(&**url),
            _ => None,
        })
        .collect()
}

/// A url of that many bytes.
fn url_of(length: usize) -> String {
    format!("ws://a:1/{}", "x".repeat(length - 9))
}

#[test]
fn a_url_longer_than_2048_bytes_is_dialled_for_nobody() {
    let (fine, long) = (url_of(2048), url_of(2049));
    for method in ["join", "hosts", "members"] {
        let params = |url: &str| match method {
            "join" => format!(r#"{{"url":"{url}"}}"#),
            "hosts" => format!(r#"{{"urls":["{url}"]}}"#),
            _ => format!(r#"{{"members":[{{"url":"{url}","id":"b"}},{{"url":"{url}"}}]}}"#),
        };
        let out = Alone::new().hear(question(method, &params(&fine)));
        assert_eq!(dials(&out)[0], fine, "{method}");
        let out = Alone::new().hear(question(method, &params(&long)));
        assert_eq!(dials(&out), [""; 0], "{method}");
        assert_eq!(texts(&out).len(), 1, "{method} is answered");
    }
    let out = Alone::new().hear(question("join", &format!(r#"{{"url":"{long}"}}"#)));
    assert!(texts(&out)[0].contains("The url is too long"));
}

#[test]
fn who_names_itself_by_what_is_too_long_is_taken_for_one_without_that_name() {
    let connected = |url: &str, id: &str| {
        let session = r#""versions":[2],"session":{"id":"s","new":true}"#;
        let params = format!(r#"{{"url":"{url}","host":{{"id":"{id}",{session}}}}}"#);
        let out = Alone::new().hear(question("greeting", &params));
        out.into_iter().find_map(|o| match o {
            Output::Event(Event::Connected { key, host, .. }) => Some((key, host)),
            _ => None,
        })
    };
    let (fine, long) = (url_of(2048), url_of(2049));
    let (id, long_id) = ("i".repeat(64), "i".repeat(65));
    let name = |text: &str| ByteString::from(text.to_owned());
    assert_eq!(connected(&fine, &id), Some((name(&fine), Some(name(&id)))));
    assert_eq!(connected(&long, &id), Some((name(&id), Some(name(&id)))));
    assert_eq!(connected(&fine, &long_id), Some((name(&fine), None)));
    assert_eq!(connected(&long, &long_id), None);
}

#[test]
fn what_is_too_long_in_version_1_is_refused_without_being_repeated() {
    let long = "x".repeat(MB);
    let said = |text: String| {
        let out = Alone::new().hear(text);
        let told = out.iter().any(|o| matches!(o, Output::Event(_)));
        (texts(&out).concat(), told)
    };
    for (text, expected) in [
        (question(&long, "{}"), "Unknown method"),
        (question("find", &format!(r#"{{"id":"{long}"}}"#)), "null"),
        (
            question("send", &format!(r#"{{"to":"{long}"}}"#)),
            "too long",
        ),
        (
            question("publish", &format!(r#"{{"channel":"{long}"}}"#)),
            "too long",
        ),
    ] {
        let (answer, told) = said(text);
        assert!(answer.contains(expected) && answer.len() < 100, "{answer}");
        assert!(!told);
    }
}

/// What host 0 makes of that answer of a 0.4.0 host to its question for a peer.
fn found(answer: &str) -> (bool, Vec<String>) {
    let mut alone = Alone::new();
    let greeting = question("greeting", r#"{"url":"ws://old"}"#);
    alone.hear(greeting);
    let id = Some("\"peer\"".into());
    let out = alone.input(Input::Find { call: 1, id });
    let asked = texts(&out)[0].to_owned();
    let number = asked.split([':', ',']).nth(1).expect("a number");
    let out = alone.hear(format!(
        r#"{{"id":{number},"message":{answer},"error":null}}"#
    ));
    let done = |o: &Output| matches!(o, Output::Event(Event::Done { result: Ok(_), .. }));
    let located = out.iter().filter_map(|o| match o {
        Output::Event(Event::Located { url, .. }) => Some(url.to_string()),
        _ => None,
    });
    (out.iter().any(done), located.collect())
}

#[test]
fn a_peer_whose_host_names_a_url_that_is_too_long_is_found_at_that_host() {
    assert_eq!(found("null"), (false, vec![]));
    let fine = url_of(2048);
    assert_eq!(found(&format!("\"{fine}\"")), (true, vec![fine]));
    let long = format!("\"{}\"", url_of(10 * MB));
    assert_eq!(found(&long), (true, vec!["ws://old".to_owned()]));
}
