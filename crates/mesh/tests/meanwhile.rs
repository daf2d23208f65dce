//! What happens while something else is under way: joins during reconnects, closing during joins.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, CallError, Config, Input, Mesh, Nearness, Output};
use support::{Net, url};

fn pair() -> Net {
    let mut net = Net::new(2);
    net.nodes[1].peers.insert("\"peer1\"".into());
    net.join(0, &url(1));
    net.settle();
    net.find(0, "\"peer1\"");
    net.settle();
    net
}

#[test]
fn a_host_that_inherits_the_network_id_meets_everyone() {
    let mut net = Net::new(4);
    for n in 0..3 {
        net.nodes[n].network = Some("\"foo\"".into());
        net.input(n, Input::SetNetworkId(Some("\"foo\"".into())));
    }
    net.join(1, &url(0));
    net.settle();
    net.join(2, &url(0));
    net.settle();
    let call = net.join(3, &url(0));
    while net.result(3, call).is_none() {
        net.run_for(support::LATENCY);
    }
    assert_eq!(net.result(3, call), Some(Ok(Answer::Done)));
    assert_eq!(net.nodes[3].network.as_deref(), Some("\"foo\""));
    net.assert_full_mesh();
}

#[test]
fn a_failed_join_does_not_end_the_reconnecting() {
    let mut net = pair();
    net.dead.insert(url(1));
    net.sever(0, 1);
    net.settle();
    let call = net.join(0, &url(1));
    net.settle();
    assert!(matches!(net.result(0, call), Some(Err(CallError::Dial(_)))));
    assert_eq!(net.nodes[0].timers.len(), 1, "the host is still waited for");
    net.dead.clear();
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert!(net.nodes[0].timers.is_empty());
}

#[test]
fn a_failed_join_does_not_make_the_other_side_remember_for_ever() {
    let mut net = pair();
    net.nodes[0].peers.insert("\"peer0\"".into());
    net.find(1, "\"peer0\"");
    net.settle();
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    net.join(1, &url(0));
    net.run_for(Duration::from_secs(310));
    assert!(net.nodes[1].addresses.is_empty() && net.nodes[1].timers.is_empty());
}

#[test]
fn a_join_that_is_under_way_when_the_reconnect_is_due_serves_it() {
    let mut net = pair();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(999));
    net.dead.insert(url(1));
    net.join(0, &url(1)); // fails after the reconnect has become due
    net.run_for(Duration::from_millis(100));
    net.dead.clear();
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
}

#[test]
fn a_reconnect_can_be_cancelled_while_it_dials() {
    let mut net = pair();
    net.dead.insert(url(1));
    net.sever(0, 1);
    while net.nodes[0].timers.is_empty() {
        net.run_for(Duration::from_micros(100));
    }
    while !net.nodes[0].timers.is_empty() {
        net.run_for(Duration::from_micros(100));
    }
    net.input(0, Input::CancelTimer { key: url(1).into() });
    net.run_for(Duration::from_secs(1));
    assert!(net.nodes[0].timers.is_empty());
    assert!(net.nodes[0].addresses.is_empty());
}

#[test]
fn a_join_that_waits_for_the_dial_of_a_cancelled_reconnect_goes_on() {
    let mut net = pair();
    net.sever(0, 1);
    while net.nodes[0].timers.is_empty() {
        net.run_for(Duration::from_micros(100));
    }
    while !net.nodes[0].timers.is_empty() {
        net.run_for(Duration::from_micros(100));
    }
    let call = net.join(0, &url(1));
    net.input(0, Input::CancelTimer { key: url(1).into() });
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
    net.assert_full_mesh();
}

#[test]
fn close_does_not_wait_for_a_stranger_that_connects_meanwhile() {
    let mut out = Vec::new();
    let mut mesh = Mesh::new(Config::default(), "host-a".into(), 1);
    let (member, stranger) = (mesh.next_link(), mesh.next_link());
    let at = Duration::from_secs;
    mesh.handle(
        at(0),
        Input::Accepted {
            link: member,
            near: Nearness::Elsewhere,
        },
        &mut out,
    );
    let greeting = r#"{"id":1,"message":{"method":"greeting","params":{"url":"ws://b"}}}"#;
    let greets = Input::Received {
        link: member,
        text: greeting.into(),
    };
    mesh.handle(at(0), greets, &mut out);
    mesh.handle(at(1), Input::Close { call: 7 }, &mut out);
    mesh.handle(
        at(2),
        Input::Accepted {
            link: stranger,
            near: Nearness::Elsewhere,
        },
        &mut out,
    );
    assert!(
        matches!(out.last(), Some(Output::Close { link, .. }) if *link == stranger),
        "{out:?}"
    );
}

#[test]
fn close_ends_when_a_host_said_goodbye_before_it_was_joined() {
    let mut out = Vec::new();
    let mut mesh = Mesh::new(Config::default(), "host-a".into(), 1);
    let join = Input::Join {
        call: 1,
        url: "ws://b".into(),
    };
    mesh.handle(Duration::ZERO, join, &mut out);
    let Some(Output::Dial { link, .. }) = out.pop() else {
        panic!("{out:?}");
    };
    mesh.handle(
        Duration::ZERO,
        Input::Opened {
            link,
            near: Nearness::Elsewhere,
        },
        &mut out,
    );
    let goodbye = Input::Received {
        link,
        text: r#"{"id":1,"message":{"method":"goodbye"}}"#.into(),
    };
    mesh.handle(Duration::ZERO, goodbye, &mut out);
    mesh.handle(Duration::ZERO, Input::Close { call: 2 }, &mut out);
    let mut now = Duration::ZERO;
    while let Some(deadline) = mesh.deadline() {
        now = now.max(deadline);
        assert!(now < Duration::from_secs(120));
        mesh.handle(now, Input::Tick, &mut out);
    }
    mesh.handle(now, Input::Closed { link }, &mut out);
    let done = |wanted| move |output: &&Output| matches!(output, Output::Event(distribus_mesh::Event::Done { call, .. }) if *call == wanted);
    assert_eq!(out.iter().filter(done(1)).count(), 1);
    assert_eq!(out.iter().filter(done(2)).count(), 1);
}

#[test]
fn a_join_that_is_being_announced_when_the_host_closes_fails() {
    let mut net = Net::new(3);
    net.join(2, &url(1));
    net.settle();
    net.nodes[1].paused = true;
    let call = net.join(2, &url(0));
    net.settle();
    assert_eq!(net.nodes[2].connections.len(), 2);
    assert_eq!(net.result(2, call), None);
    let close = net.close(2);
    net.run_for(Duration::from_secs(10));
    assert_eq!(net.result(2, call), Some(Err(CallError::Closed)));
    assert_eq!(net.result(2, close), Some(Ok(Answer::Done)));
}
