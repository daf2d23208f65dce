//! Sessions that go on, or end, when hosts meet again in unusual ways, and peers that are gone for a moment. Each of these was found by
//! the simulation.

mod support;

use std::time::Duration;

use bytes::Bytes;
use distribus_mesh::{BinaryKind, Event, Input, Nearness, Payload, Reply, SendError};
use support::{Net, url};

/// Two hosts; host 1 has joined host 0, so it is the one that dials again.
fn pair() -> Net {
    let mut net = Net::new(2);
    for n in 0..2 {
        net.nodes[n].peers.insert(format!("\"peer{n}\""));
    }
    net.connect_all();
    net.find(1, "\"peer0\"");
    net.settle();
    net
}

fn publish(net: &mut Net, n: usize, text: &str) {
    net.publish(n, "\"c\"", Payload::one(Some(text.to_owned().into())));
}

/// Host 1 dials again just while host 0 tries to reach it, in vain: it is told to wait for host 0's connection.
fn crossing() -> Net {
    let mut net = pair();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    publish(&mut net, 0, "1");
    net.dead.insert(url(1));
    net.run_for(Duration::from_micros(992_500));
    net.join(0, &url(1));
    net.run_for(Duration::from_millis(100));
    assert!(net.nodes[1].connections.is_empty());
    net
}

#[test]
fn who_waits_in_vain_for_the_other_sides_connection_goes_on_with_the_session() {
    let mut net = crossing();
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert_eq!(net.published(1), ["1"]);
}

#[test]
fn a_join_meanwhile_waits_with_it() {
    let mut net = crossing();
    let join = net.join(1, &url(0));
    net.run_for(Duration::from_millis(100));
    assert_eq!(net.result(1, join), None);
    net.run_for(Duration::from_secs(3));
    assert!(net.result(1, join).is_some_and(|r| r.is_ok()));
    net.assert_full_mesh();
    assert_eq!(net.published(1), ["1"]);
}

#[test]
fn a_connection_that_is_to_be_closed_does_not_serve_when_the_other_one_fails() {
    let mut net = pair();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    net.dead.insert(url(1));
    net.run_for(Duration::from_micros(992_500));
    net.nodes[0].paused = true;
    net.find(0, "\"nobody\""); // so that nothing is answered before the program has been told
    net.join(0, &url(1));
    net.run_for(Duration::from_millis(5));
    publish(&mut net, 0, "1");
    net.run_for(Duration::from_millis(5));
    net.nodes[0].paused = false;
    net.apply(0);
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert_eq!(net.published(1), ["1"]);
}

#[test]
fn one_side_dials_again_when_a_connection_is_lost_before_both_know_it() {
    let mut net = pair();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    net.nodes[1].paused = true; // the greeting is not answered yet
    net.join(0, &url(1));
    net.run_for(Duration::from_millis(5));
    publish(&mut net, 1, "1");
    net.sever(0, 1);
    net.run_for(Duration::from_millis(5));
    net.nodes[1].paused = false;
    net.apply(1);
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert_eq!(net.published(0), ["1"]);
}

#[test]
fn stale_news_of_who_is_behind_a_url_do_not_end_the_session_with_who_is() {
    for told in [0, 1] {
        let mut net = Net::new(3);
        net.connect_all();
        net.settle();
        net.sever(0, 1);
        net.run_for(Duration::from_millis(10));
        publish(&mut net, 0, "1");
        publish(&mut net, 1, "2");
        // Host 2 has not heard yet that somebody else lives there now.
        let member = format!(
            r#"{{"url":"{}","id":"an earlier incarnation"}}"#,
            url(1 - told)
        );
        let news =
            format!(r#"{{"message":{{"method":"members","params":{{"members":[{member}]}}}}}}"#);
        net.inject_text(2, told, news);
        net.run_for(Duration::from_millis(100));
        net.assert_full_mesh();
        assert_eq!(net.published(1), ["1"]);
        assert_eq!(net.published(0), ["2"]);
    }
}

#[test]
fn what_waits_in_a_session_of_which_the_other_side_has_not_heard_is_said_in_the_next_one() {
    let mut net = pair();
    net.restart(0);
    net.nodes[0].paused = true; // the greeting of host 1 is not answered yet
    net.run_for(Duration::from_millis(1_010));
    publish(&mut net, 0, "1");
    net.sever(0, 1);
    net.run_for(Duration::from_millis(5));
    publish(&mut net, 0, "2");
    net.nodes[0].paused = false;
    net.apply(0);
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert_eq!(net.published(1), ["1", "2"]);
}

#[test]
fn a_greeting_that_was_overtaken_by_another_connection_does_not_replace_that() {
    let mut net = pair();
    let link = net.nodes[0].mesh.next_link();
    net.input(
        0,
        Input::Accepted {
            link,
            near: Nearness::Elsewhere,
        },
    );
    let session = r#"{"id":"another","new":true}"#;
    let host = format!(r#"{{"id":"host0001","number":1,"versions":[2],"session":{session}}}"#);
    let params = format!(r#"{{"url":"{}","host":{host}}}"#, url(1));
    let text = format!(r#"{{"id":"1","message":{{"method":"greeting","params":{params}}}}}"#);
    let before = net.nodes[0].log.len();
    net.input(
        0,
        Input::Received {
            link,
            text: text.into(),
        },
    );
    net.settle();
    assert_eq!(net.nodes[0].log[before..], []);
    net.assert_full_mesh();
}

#[test]
fn a_new_incarnation_behind_the_old_url_ends_the_old_session() {
    let mut net = pair();
    net.nodes[0].paused = true;
    let seq = net.send(1, "\"a\"", "\"peer0\"", "1");
    net.run_for(Duration::from_millis(5));
    net.restart(0);
    net.nodes[0].paused = false;
    net.run_for(Duration::from_secs(3)); // host 1 dials again
    net.assert_full_mesh();
    let outcome = net.outcome(1, seq);
    assert!(
        matches!(outcome, Some(Err(SendError::Unknown { .. }))),
        "{outcome:?}"
    );
}

#[test]
fn a_message_keeps_its_form_when_a_v1_host_has_returned_it() {
    let mut net = Net::new(3);
    net.v1_hosts.insert(1);
    net.nodes[1].peers.insert("\"nomad\"".to_owned());
    net.connect_all();
    net.find(0, "\"nomad\"");
    net.settle();
    net.nodes[1].peers.clear();
    net.nodes[2].peers.insert("\"nomad\"".to_owned());
    let bytes = Payload::Binary {
        items: vec![Bytes::from_static(&[7])],
        kind: BinaryKind::Buffer,
    };
    net.send_run(0, "\"a\"", "\"nomad\"", bytes.clone());
    net.settle();
    let arrived = net.nodes[2].log.iter().any(|e| match e {
        Event::Deliver { payload, .. } => *payload == bytes,
        _ => false,
    });
    assert!(arrived, "{:?}", net.nodes[2].log);
}

#[test]
fn a_message_that_was_returned_does_not_come_after_a_later_one() {
    let mut net = pair();
    net.nodes[0].paused = true;
    let peers = std::mem::take(&mut net.nodes[0].peers);
    let first = net.send(1, "\"a\"", "\"peer0\"", "1");
    let second = net.send(1, "\"a\"", "\"peer0\"", "2");
    net.run_for(Duration::from_millis(5));
    let event = net.told(0);
    net.applied(0, event + 1, 0, vec![(event, 0, Reply::NoSuchPeer)]);
    net.nodes[0].peers = peers;
    net.nodes[0].paused = false;
    net.apply(0);
    net.settle();
    assert_eq!(net.outcome(1, second), Some(Ok(())));
    let outcome = net.outcome(1, first);
    assert!(
        matches!(outcome, Some(Err(SendError::NotFound { .. }))),
        "{outcome:?}"
    );
}

#[test]
fn a_dial_that_began_for_an_incarnation_before_looks_for_who_was_lost_since() {
    let mut net = Net::new(3);
    net.join(0, &url(2));
    net.join(1, &url(0));
    net.settle();
    // Host 0 dials the lost host 2 in vain, while that has started again and comes back by way of host 1.
    net.restart(2);
    net.hanging.insert((0, 2));
    net.blocked.insert((2, 0));
    net.run_for(Duration::from_secs(2));
    net.join(2, &url(1));
    net.settle();
    assert!(net.nodes[0].connections.contains(&url(2)));
    publish(&mut net, 0, "0");
    net.settle();
    net.blocked.extend([(1, 2), (2, 1)]);
    net.sever(1, 2);
    net.run_for(Duration::from_secs(1));
    assert!(!net.nodes[0].connections.contains(&url(2)));
    publish(&mut net, 0, "1");
    // Its attempt joins the one that is still under way.
    net.run_for(Duration::from_secs(30));
    assert_eq!(net.end_hanging(), 1);
    net.run_for(Duration::from_secs(30));
    assert_eq!(net.published(2), ["0", "1"]);
}

#[test]
fn a_session_that_ends_here_before_its_greeting_is_answered_does_not_begin_again() {
    let mut net = pair();
    net.nodes[1].paused = true; // so that nothing is acknowledged
    publish(&mut net, 0, "1");
    net.settle();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    net.nodes[1].paused = false;
    net.apply(1);
    net.nodes[0].paused = true; // the greeting is not answered yet
    net.join(1, &url(0));
    net.run_for(Duration::from_millis(10));
    let key = url(0).into();
    net.input(1, Input::CancelTimer { key });
    net.nodes[0].paused = false;
    net.apply(0);
    net.run_for(Duration::from_secs(5));
    net.assert_full_mesh();
    publish(&mut net, 0, "2");
    net.settle();
    assert_eq!(net.published(1), ["1", "2"]);
}
