//! Goodbyes, lost connections, and coming back.

mod support;

use std::time::Duration;

use distribus_mesh::{
    Answer, CallError, Change, Config, Event, Input, LinkId, Mesh, Nearness, Output, SendError,
};
use support::{Net, url};

fn pair() -> Net {
    let mut net = Net::new(2);
    for n in 0..2 {
        net.nodes[n].peers.insert(format!("\"peer{n}\""));
    }
    net.join(0, &url(1));
    net.settle();
    net.find(0, "\"peer1\"");
    net.find(1, "\"peer0\"");
    net.settle();
    net
}

#[test]
fn a_goodbye_is_known_to_both_sides_when_close_resolves() {
    let mut net = pair();
    let call = net.close(1);
    while net.result(1, call).is_none() {
        net.run_for(support::LATENCY);
    }
    assert!(net.nodes[0].connections.is_empty() && net.nodes[1].connections.is_empty());
    assert!(net.nodes[0].addresses.is_empty());
    assert!(net.nodes[0].timers.is_empty() && net.nodes[1].timers.is_empty());
    net.run_for(Duration::from_secs(600));
    assert!(net.nodes[0].connections.is_empty());
    assert_eq!(net.sockets_between(0, 1), 0);
}

#[test]
fn a_goodbye_is_answered_before_the_link_closes() {
    let mut out = Vec::new();
    let mut mesh = Mesh::new(Config::default(), "host-a".into(), 1);
    let link = mesh.next_link();
    let mut step = |input| {
        out.clear();
        mesh.handle(Duration::ZERO, input, &mut out);
        out.clone()
    };
    let hear = |text: &'static str| Input::Received {
        link,
        text: text.into(),
    };
    step(Input::Accepted {
        link,
        near: Nearness::Elsewhere,
    });
    step(hear(
        r#"{"id":1,"message":{"method":"greeting","params":{"url":"ws://b"}}}"#,
    ));
    let applied = |upto| Input::Applied {
        upto,
        part: 0,
        replies: vec![],
    };
    step(applied(2));
    // Nothing is said while the program does not know of it.
    let said = said(&step(hear(r#"{"id":2,"message":{"method":"goodbye"}}"#)));
    assert_eq!(said, Vec::<String>::new());
    let said = self::said(&step(applied(4)));
    let [ours, answer] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(ours.contains("\"goodbye\"}"), "{ours}");
    assert_eq!(answer, r#"{"id":2,"message":"goodbye","error":null}"#);
    let number: serde_json::Value = serde_json::from_str(ours).unwrap();
    let text = format!(
        r#"{{"id":{},"message":"goodbye","error":null}}"#,
        number["id"]
    );
    let out = step(Input::Received {
        link,
        text: text.into(),
    });
    assert!(matches!(out[..], [Output::Close { .. }]), "{out:?}");
}

fn said(out: &[Output]) -> Vec<String> {
    out.iter()
        .filter_map(|output| match output {
            Output::Transmit { text, .. } => Some(text.to_string()),
            _ => None,
        })
        .collect()
}

#[test]
fn closing_both_at_once_ends() {
    let mut net = pair();
    let (a, b) = (net.close(0), net.close(1));
    net.settle();
    assert_eq!(
        (net.result(0, a), net.result(1, b)),
        (Some(Ok(Answer::Done)), Some(Ok(Answer::Done)))
    );
}

#[test]
fn close_does_not_wait_for_ever_for_a_silent_host() {
    let mut net = pair();
    net.nodes[0].paused = true;
    let call = net.close(1);
    net.run_for(Duration::from_secs(6));
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
}

#[test]
fn rejoining_right_after_a_goodbye_works() {
    let mut net = pair();
    net.close(0);
    net.settle();
    let call = net.join(0, &url(1));
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
    net.assert_full_mesh();
}

#[test]
fn close_settles_what_is_pending() {
    let mut net = pair();
    net.nodes[1].paused = true;
    let find = net.find(0, "\"nobody\"");
    let send = net.send(0, "\"peer0\"", "\"nobody\"", "1");
    let join = net.join(0, "ws://127.0.0.1:9");
    net.close(0);
    assert_eq!(net.result(0, find), Some(Err(CallError::Closed)));
    assert_eq!(net.outcome(0, send), Some(Err(SendError::Closed)));
    assert_eq!(net.result(0, join), Some(Err(CallError::Closed)));
}

#[test]
fn only_the_side_that_joined_reconnects() {
    let mut net = pair();
    net.sever(0, 1);
    net.settle();
    for n in 0..2 {
        assert!(net.nodes[n].connections.is_empty());
        assert_eq!(net.nodes[n].addresses.len(), 1, "addresses stay");
        assert_eq!(net.nodes[n].timers.len(), 1);
    }
    net.run_for(Duration::from_millis(850));
    assert!(net.nodes[0].connections.is_empty(), "not before the delay");
    net.run_for(Duration::from_millis(200));
    net.assert_full_mesh();
    assert!(net.nodes[0].timers.is_empty() && net.nodes[1].timers.is_empty());
    net.run_for(Duration::from_secs(400));
    assert_eq!(
        net.nodes[0].addresses.len(),
        1,
        "what is connected is not forgotten"
    );
    assert_eq!(net.nodes[1].addresses.len(), 1);
}

#[test]
fn a_host_that_stays_away_is_forgotten() {
    let mut net = pair();
    net.dead.insert(url(1));
    net.sever(0, 1);
    net.run_for(Duration::from_secs(299));
    assert_eq!(net.nodes[0].addresses.len(), 1);
    assert_eq!(net.nodes[1].addresses.len(), 1);
    net.run_for(Duration::from_secs(3));
    for n in 0..2 {
        assert!(
            net.nodes[n].addresses.is_empty() && net.nodes[n].timers.is_empty(),
            "host {n}"
        );
    }
}

#[test]
fn attempts_follow_the_decay_but_never_storm() {
    let mut net = pair();
    let config = Config {
        reconnect_delay: Duration::from_millis(400),
        reconnect_decay: 10.0,
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    net.dead.insert(url(1));
    net.sever(0, 1);
    net.settle();
    let mut attempts = Vec::new();
    let mut running = true;
    while net.now < Duration::from_secs(4) {
        net.run_for(Duration::from_micros(500));
        let runs = !net.nodes[0].timers.is_empty();
        if running && !runs {
            attempts.push(net.now);
        }
        running = runs;
    }
    assert!(attempts.len() > 5);
    for pair in attempts.windows(2) {
        assert!(
            pair[1] - pair[0] >= Duration::from_millis(250),
            "{:?}",
            pair[1] - pair[0]
        );
    }
}

#[test]
fn the_first_attempt_after_the_timeout_forgets() {
    let mut net = pair();
    let config = Config {
        reconnect_delay: Duration::from_millis(400),
        reconnect_timeout: Duration::from_millis(200),
        ..Config::default()
    };
    for n in 0..2 {
        net.input(n, Input::Configure(config.clone()));
    }
    net.sever(0, 1);
    net.settle();
    net.run_for(Duration::from_millis(400));
    for n in 0..2 {
        let node = &net.nodes[n];
        assert!(
            node.connections.is_empty() && node.timers.is_empty() && node.addresses.is_empty(),
            "host {n}"
        );
    }
}

#[test]
fn the_program_can_end_a_connection_and_a_timer() {
    let mut net = pair();
    net.input(1, Input::Disconnect { key: url(0).into() });
    net.settle();
    assert!(net.nodes[0].connections.is_empty() && net.nodes[1].connections.is_empty());
    net.input(0, Input::CancelTimer { key: url(1).into() });
    net.run_for(Duration::from_secs(10));
    assert!(net.nodes[0].connections.is_empty() && net.nodes[0].timers.is_empty());
}

#[test]
fn a_host_that_lost_an_accepted_connection_may_join_anew() {
    // Host 0 (the smaller id) dialled host 1; host 1 loses the connection unnoticed by host 0 and joins by itself.
    let mut net = pair();
    let call = net.join(1, "ws://127.0.0.1:3000");
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    net.assert_full_mesh();
}

#[test]
fn goodbyes_are_understood_where_a_v1_host_and_ours_have_dialled_each_other() {
    for leaver in [0, 1] {
        let mut net = Net::new(2);
        net.v1_hosts.insert(1);
        net.join(0, &url(1));
        net.join(1, &url(0));
        net.settle();
        assert_eq!(net.sockets_between(0, 1), 2);
        let close = net.close(leaver);
        let mut steps = 0;
        while net.result(leaver, close).is_none() {
            net.run_for(Duration::from_micros(100));
            steps += 1;
            assert!(steps < 1000, "host {leaver} does not close");
        }
        assert!(net.nodes[1 - leaver].connections.is_empty());
        assert!(net.nodes[1 - leaver].timers.is_empty());
        net.settle();
        assert_eq!(net.sockets_between(0, 1), 0);
    }
}

#[test]
fn a_v1_host_that_says_goodbye_on_its_own_one_of_two_connections_has_left() {
    let mut out = Vec::new();
    let mut mesh = Mesh::new(Config::default(), "host-a".into(), 1);
    let mut step = |input| {
        out.clear();
        mesh.handle(Duration::ZERO, input, &mut out);
        out.clone()
    };
    let told = |out: &[Output]| -> Vec<Event> {
        let event = |o: &Output| match o {
            Output::Event(event) => Some(event.clone()),
            _ => None,
        };
        out.iter().filter_map(event).collect()
    };
    let url = || "ws://b".into();
    let dial = step(Input::Join {
        call: 1,
        url: url(),
    });
    let Some(Output::Dial { link: ours, .. }) = dial.first().cloned() else {
        panic!("{dial:?}");
    };
    // It dials us at the same moment.
    let theirs = LinkId(1000);
    step(Input::Accepted {
        link: theirs,
        near: Nearness::Elsewhere,
    });
    let hear = |link, text: &'static str| Input::Received {
        link,
        text: text.into(),
    };
    step(Input::Opened {
        link: ours,
        near: Nearness::Elsewhere,
    });
    step(hear(
        theirs,
        r#"{"id":1,"message":{"method":"greeting","params":{"url":"ws://b"}}}"#,
    ));
    let joined = told(&step(hear(ours, r#"{"id":1,"message":{},"error":null}"#)));
    assert!(
        matches!(&joined[..], [Event::Connected { .. }, ..]),
        "{joined:?}"
    );
    let left = told(&step(hear(
        theirs,
        r#"{"id":2,"message":{"method":"goodbye"}}"#,
    )));
    let gone = Event::Member {
        change: Change::Leave,
        url: Some(url()),
        host: None,
    };
    assert_eq!(left, [Event::Disconnected { key: url() }, gone]);
}
