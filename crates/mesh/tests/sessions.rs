//! What passes between two of our hosts: in runs, numbered, acknowledged, and said again after a loss.

mod support;

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::{BinaryKind, CloseReason, Config, Event, Input, Payload, Reply, SendError};
use support::{Net, url};

fn network(hosts: usize) -> Net {
    let mut net = Net::new(hosts);
    for n in 0..hosts {
        net.nodes[n].peers.insert(format!("\"peer{n}\""));
    }
    net.connect_all();
    for n in 1..hosts {
        net.find(0, &format!("\"peer{n}\""));
    }
    net.settle();
    net
}

fn run(numbers: std::ops::Range<u32>) -> Payload {
    let count = numbers.len() as u32;
    let texts: Vec<String> = numbers.map(|n| n.to_string()).collect();
    Payload::Json {
        texts: texts.join(",").into(),
        count,
    }
}

fn numbers(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| n.to_string()).collect()
}

fn assert_settled(net: &Net, seqs: std::ops::Range<u64>) {
    for seq in seqs {
        assert_eq!(net.outcome(0, seq), Some(Ok(())), "send {seq}");
    }
}

#[test]
fn a_run_takes_one_frame_and_its_acknowledgement_another() {
    let mut net = network(2);
    let before = net.frames;
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..200));
    net.settle();
    assert_eq!(net.frames - before, 2);
    assert_eq!(net.arrived(1, "\"peer1\""), numbers(0..200));
    assert_settled(&net, first..first + 200);
}

#[test]
fn what_is_said_in_a_turn_shares_frames_up_to_a_good_size() {
    let mut net = network(2);
    let before = net.frames;
    net.nodes[0].batching = true;
    for n in 0..100 {
        net.send(0, "\"a\"", "\"peer1\"", &n.to_string());
        net.publish(0, "\"c\"", run(n..n + 1));
    }
    assert_eq!(net.frames - before, 0);
    net.flush(0);
    assert_eq!(net.frames - before, 1);
    for n in 0..300 {
        net.send(0, "\"a\"", "\"peer1\"", &n.to_string());
    }
    assert_eq!(net.frames - before, 2);
    net.flush(0);
    assert_eq!(net.frames - before, 3);
}

#[test]
fn every_form_of_message_arrives_as_it_was() {
    let mut net = network(2);
    let text = |t: &'static str| ByteString::from_static(t);
    let payloads = [
        Payload::Json {
            texts: text("1,\"\\ud800\",{\"é\":[\"😀\"]}"),
            count: 3,
        },
        Payload::Undefined { count: 2 },
        Payload::Text(vec![text("plain"), text(""), text("é\u{0}😀\"\\")]),
        Payload::Binary {
            items: vec![Bytes::from_static(&[0, 255]), Bytes::new()],
            kind: BinaryKind::Buffer,
        },
        Payload::Binary {
            items: vec![Bytes::from_static(&[1])],
            kind: BinaryKind::Uint8Array,
        },
    ];
    for payload in &payloads {
        net.send_run(0, "7", "\"peer1\"", payload.clone());
    }
    net.settle();
    let arrived: Vec<Payload> = net.nodes[1]
        .log
        .iter()
        .filter_map(|e| match e {
            Event::Deliver { from, payload, .. } => {
                assert_eq!(from.as_deref(), Some("7"));
                Some(payload.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(arrived, payloads);
}

#[test]
fn a_v1_host_gets_each_message_as_its_json() {
    let mut net = Net::new(2);
    net.v1_hosts.insert(1);
    net.nodes[1].peers.insert("\"peer1\"".to_owned());
    net.connect_all();
    net.send_run(0, "\"a\"", "\"peer1\"", run(0..3));
    let bytes = Payload::Binary {
        items: vec![Bytes::from_static(&[7])],
        kind: BinaryKind::Buffer,
    };
    net.send_run(0, "\"a\"", "\"peer1\"", bytes);
    net.publish(0, "\"c\"", run(3..5));
    net.settle();
    let arrived = net.arrived(1, "\"peer1\"");
    // The test's 0.4.0 host sorts the members.
    assert_eq!(
        arrived,
        ["0", "1", "2", "{\"data\":[7],\"type\":\"Buffer\"}"]
    );
    let published = |e: &&Event| matches!(e, Event::Publish { .. });
    assert_eq!(net.nodes[1].log.iter().filter(published).count(), 2);
    assert_settled(&net, 0..4);
}

#[test]
fn what_was_not_received_is_said_again() {
    let mut net = network(2);
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..10));
    net.sever(0, 1); // before the frame arrives
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.arrived(1, "\"peer1\""), numbers(0..10));
    assert_settled(&net, first..first + 10);
}

#[test]
fn what_was_received_is_not_delivered_twice() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..10));
    net.run_for(Duration::from_millis(5));
    net.sever(0, 1);
    net.run_for(Duration::from_millis(5));
    net.nodes[1].paused = false;
    net.apply(1); // while the link is down: the acknowledgement has to wait
    net.run_for(Duration::from_millis(5));
    assert_eq!(net.outcome(0, first), None);
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.arrived(1, "\"peer1\""), numbers(0..10));
    assert_settled(&net, first..first + 10);
}

#[test]
fn outcomes_other_than_the_usual_survive_a_lost_acknowledgement() {
    let mut net = network(2);
    net.nodes[1].throws = Some("\"oops\"".into());
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..3));
    net.run_for(Duration::from_micros(1500)); // delivered and acknowledged, the acknowledgement is under way
    net.sever(0, 1);
    assert_eq!(net.outcome(0, first), None);
    net.run_for(Duration::from_secs(3));
    for seq in first..first + 3 {
        assert_eq!(net.outcome(0, seq), Some(Err(SendError::Threw)));
    }
}

#[test]
fn what_is_published_while_a_host_is_lost_reaches_it_later_in_order() {
    let mut net = network(2);
    net.publish(0, "\"c\"", run(0..2));
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    net.publish(0, "\"c\"", run(2..4));
    net.run_for(Duration::from_secs(3));
    net.publish(0, "\"c\"", run(4..5));
    net.settle();
    let published: Vec<ByteString> = net.nodes[1]
        .log
        .iter()
        .filter_map(|e| match e {
            Event::Publish { payload, .. } => Some(payload.clone().into_json()),
            _ => None,
        })
        .flatten()
        .flatten()
        .collect();
    assert_eq!(published, numbers(0..5));
}

#[test]
fn a_host_that_comes_back_as_another_incarnation_leaves_the_outcome_unknown() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let seq = net.send(0, "\"a\"", "\"peer1\"", "1");
    net.run_for(Duration::from_millis(5));
    net.restart(1);
    net.nodes[1].paused = false;
    net.join(1, &url(0));
    net.run_for(Duration::from_secs(3));
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Unknown { .. }))
    ));
    let seq = net.send(0, "\"a\"", "\"peer1\"", "2");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
    assert_eq!(
        net.arrived(1, "\"peer1\"").last().map(String::as_str),
        Some("2")
    );
}

#[test]
fn a_host_that_never_comes_back_leaves_the_outcome_unknown() {
    let mut net = network(2);
    let timeout = Duration::from_secs(10);
    let config = distribus_mesh::Config {
        reconnect_timeout: timeout,
        ..distribus_mesh::Config::default()
    };
    net.input(0, Input::Configure(config));
    net.dead.insert(url(1));
    net.dead.insert(url(0));
    let seq = net.send(0, "\"a\"", "\"peer1\"", "1");
    net.sever(0, 1);
    net.run_for(timeout + Duration::from_secs(5));
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Unknown { .. }))
    ));
}

#[test]
fn who_does_not_listen_is_reported_after_the_request_timeout() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..2));
    net.run_for(Duration::from_secs(59));
    assert_eq!(net.outcome(0, first), None);
    net.run_for(Duration::from_secs(2));
    for seq in first..first + 2 {
        assert!(matches!(
            net.outcome(0, seq),
            Some(Err(SendError::Timeout { .. }))
        ));
    }
    // The late acknowledgement changes nothing: `outcome` would notice a second end.
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert!(net.outcome(0, first).is_some());
}

#[test]
fn a_program_that_takes_nothing_stops_what_is_said_to_it_and_nothing_else() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let megabyte = || Payload::Text(vec!["x".repeat(1 << 20).into()]);
    for _ in 0..20 {
        net.send_run(0, "\"a\"", "\"peer1\"", megabyte());
    }
    net.run_for(Duration::from_millis(20));
    net.nodes[1].paused = false;
    let waiting = net.nodes[1].mesh.held() >> 20;
    assert!((4..10).contains(&waiting), "{waiting} MiB went out");
    // Control is not held up: a question about a peer is answered at once.
    let find = net.find(0, "\"nobody\"");
    net.settle();
    assert!(net.result(0, find).is_some());
    net.settle();
    assert_eq!(net.arrived(1, "\"peer1\"").len(), 20);
    assert_settled(&net, 0..20);
}

#[test]
fn listeners_that_have_returned_are_acknowledged_before_the_whole_run_is_through() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..4));
    net.run_for(Duration::from_millis(5));
    let event = net.told(1);
    net.applied(1, event, 2, vec![(event, 1, Reply::NoSuchPeer)]);
    net.run_for(Duration::from_millis(2));
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert_eq!(net.outcome(0, first + 2), None);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    // The second message was returned, and the peer turned out to be there after all; but it must not come after the third.
    let id = Some("\"peer1\"".into());
    assert_eq!(
        net.outcome(0, first + 1),
        Some(Err(SendError::NotFound { id }))
    );
    assert_settled(&net, first + 2..first + 4);
}

#[test]
fn a_run_to_a_peer_that_has_moved_follows_it_in_order() {
    let mut net = network(3);
    net.nodes[1].peers.remove("\"peer1\"");
    net.nodes[2].peers.insert("\"peer1\"".to_owned());
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..50));
    net.send_run(0, "\"a\"", "\"peer1\"", run(50..60));
    net.run_for(Duration::from_millis(3));
    net.send_run(0, "\"a\"", "\"peer1\"", run(60..70));
    net.settle();
    assert_eq!(net.arrived(2, "\"peer1\""), numbers(0..70));
    assert_settled(&net, first..first + 70);
}

#[test]
fn a_frame_that_breaks_the_rules_ends_the_link() {
    for frame in [
        &[][..],
        &[0, 1],
        &[0, 1, 200, 1],
        // A run that says 1 and holds 2.
        &[0, 1, 10, 1, 1, b'7', 1, b'7', 0, 1, b'1', b',', b'2'],
        // One that closes brackets that it has not opened.
        &[
            0, 1, 12, 1, 1, b'7', 1, b'7', 0, 2, b'1', b']', b',', b'[', b'2',
        ],
        // A number of a message that would leave a gap.
        &[0, 1, 8, 9, 1, b'7', 1, b'7', 0, 1, b'1'],
        // An acknowledgement of what was never said.
        &[0, 3, 2, 9, 9],
    ] {
        let mut net = network(2);
        net.inject(0, 1, frame);
        net.run_for(Duration::from_millis(5));
        assert!(net.nodes[1].connections.is_empty(), "{frame:?}");
        assert_eq!(net.closed, [(1, CloseReason::Fault)], "{frame:?}");
        net.run_for(Duration::from_secs(3));
        net.assert_full_mesh();
    }
}

#[test]
fn a_frame_that_breaks_the_rules_ends_the_session_on_both_sides() {
    let mut net = network(2);
    net.find(0, "\"peer1\"");
    net.settle();
    net.nodes[1].paused = true;
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(0..3));
    net.run_for(Duration::from_millis(5));
    // Its numbers have a hole.
    net.inject(0, 1, &[0, 1, 8, 9, 1, b'7', 1, b'7', 0, 1, b'1']);
    net.run_for(Duration::from_millis(5));
    for seq in first..first + 3 {
        let outcome = net.outcome(0, seq);
        assert!(
            matches!(outcome, Some(Err(SendError::Unknown { .. }))),
            "{outcome:?}"
        );
    }
    net.nodes[1].paused = false;
    net.apply(1);
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run(3..6));
    net.settle();
    assert_eq!(net.arrived(1, "\"peer1\""), numbers(0..6));
    assert_settled(&net, first..first + 3);
}

#[test]
fn an_id_that_is_too_long_ends_the_link_as_too_large() {
    let mut net = network(2);
    let config = Config {
        max_id_length: 3,
        ..Config::default()
    };
    net.input(1, Input::Configure(config));
    net.inject(0, 1, b"\0\x01\x0d\x01\x06123456\x017\0\x011");
    net.run_for(Duration::from_millis(5));
    assert_eq!(net.closed, [(1, CloseReason::TooLarge)]);
}

#[test]
fn records_of_kinds_to_come_are_skipped() {
    let mut net = network(2);
    net.inject(0, 1, &[0, 99, 3, 1, 2, 3]);
    net.settle();
    net.assert_full_mesh();
    let seq = net.send(0, "\"a\"", "\"peer1\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
}

#[test]
fn closing_says_first_what_waits() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let megabyte = || Payload::Text(vec!["x".repeat(1 << 20).into()]);
    for _ in 0..20 {
        net.publish(0, "\"c\"", megabyte());
    }
    let close = net.close(0);
    net.run_for(Duration::from_millis(5));
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert!(net.result(0, close).is_some());
    let published = |e: &&Event| matches!(e, Event::Publish { .. });
    assert_eq!(net.nodes[1].log.iter().filter(published).count(), 20);
}

#[test]
fn what_waits_for_lost_hosts_is_bounded() {
    let mut net = network(3);
    let max_queue_bytes = 8 << 20;
    let config = Config {
        max_queue_bytes,
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    net.dead.insert(url(0)); // nobody comes back for a while
    net.sever(0, 1);
    net.sever(0, 2);
    net.run_for(Duration::from_millis(10));
    for _ in 0..64 {
        net.publish(0, "\"c\"", Payload::Text(vec!["x".repeat(1 << 20).into()]));
    }
    net.dead.clear();
    net.run_for(Duration::from_secs(10));
    let heard = |n: usize| {
        let published = |e: &&Event| matches!(e, Event::Publish { .. });
        net.nodes[n].log.iter().filter(published).count()
    };
    let both = heard(1) + heard(2);
    assert!((7..=10).contains(&both), "{both} MiB waited");
}
