//! Sending, finding, publishing.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, CallError, Event, Input, Payload, SendError};
use support::{Net, url};

fn network(hosts: usize) -> Net {
    let mut net = Net::new(hosts);
    for n in 0..hosts {
        net.nodes[n].peers.insert(format!("\"peer{n}\""));
    }
    net.connect_all();
    net
}

fn not_found(id: &str) -> Option<Result<(), SendError>> {
    Some(Err(SendError::NotFound {
        id: Some(id.to_owned().into()),
    }))
}

#[test]
fn a_message_arrives_and_is_acknowledged() {
    let mut net = network(3);
    let seq = net.send(0, "\"peer0\"", "\"peer2\"", "{\"a\":[1,2]}");
    net.settle();
    assert_eq!(net.arrived(2, "\"peer2\""), ["{\"a\":[1,2]}"]);
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
    assert_eq!(net.nodes[0].addresses.get("\"peer2\""), Some(&url(2)));
}

#[test]
fn undefined_stays_undefined() {
    let mut net = network(2);
    net.input(
        0,
        Input::Send {
            seq: 0,
            from: None,
            to: Some("\"peer1\"".into()),
            payload: Payload::one(None),
        },
    );
    net.settle();
    let expected = Event::Deliver {
        to: Some("\"peer1\"".into()),
        from: None,
        payload: Payload::one(None),
    };
    assert!(net.nodes[1].log.contains(&expected));
    assert_eq!(net.outcome(0, 0), Some(Ok(())));
}

#[test]
fn it_is_acknowledged_only_after_the_listeners_have_returned() {
    let mut net = network(2);
    net.nodes[1].paused = true;
    let find = net.find(0, "\"peer1\"");
    net.settle();
    assert_eq!(net.result(0, find), None);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    net.nodes[1].paused = true;
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, seq), None);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
}

#[test]
fn messages_keep_their_order_while_the_first_lookup_is_pending() {
    let mut net = network(4);
    for i in 0..50 {
        net.send(0, "\"peer0\"", "\"peer3\"", &i.to_string());
        if i % 10 == 0 {
            net.run_for(Duration::from_micros(700));
        }
    }
    net.settle();
    assert_eq!(
        net.arrived(3, "\"peer3\""),
        (0..50).map(|i| i.to_string()).collect::<Vec<_>>()
    );
}

#[test]
fn a_missing_peer_is_not_found() {
    let mut net = network(3);
    let seq = net.send(0, "\"peer0\"", "\"nobody\"", "1");
    let find = net.find(0, "\"nobody\"");
    net.settle();
    assert_eq!(net.outcome(0, seq), not_found("\"nobody\""));
    assert_eq!(
        net.result(0, find),
        Some(Err(CallError::NotFound {
            id: Some("\"nobody\"".into())
        }))
    );
    let alone = Net::new(1);
    let mut alone = alone;
    let seq = alone.send(0, "\"a\"", "\"b\"", "1");
    assert_eq!(alone.outcome(0, seq), not_found("\"b\""));
}

#[test]
fn a_search_ends_although_a_host_is_lost_or_silent_meanwhile() {
    let mut net = network(3);
    net.nodes[2].paused = true;
    let find = net.find(0, "\"nobody\"");
    net.settle();
    assert_eq!(net.result(0, find), None);
    net.sever(0, 2);
    net.settle();
    assert!(matches!(
        net.result(0, find),
        Some(Err(CallError::NotFound { .. }))
    ));

    let mut net = network(3);
    net.nodes[2].paused = true;
    let find = net.find(0, "\"nobody\"");
    net.run_for(Duration::from_secs(61));
    assert!(matches!(
        net.result(0, find),
        Some(Err(CallError::NotFound { .. }))
    ));
}

#[test]
fn a_peer_that_moved_is_looked_up_again_in_order() {
    let mut net = network(3);
    net.nodes[1].peers.insert("\"nomad\"".into());
    net.send(0, "\"peer0\"", "\"nomad\"", "0");
    net.settle();
    net.nodes[1].peers.remove("\"nomad\"");
    net.nodes[2].peers.insert("\"nomad\"".into());
    let seqs: Vec<u64> = (1..=20)
        .map(|i| {
            let seq = net.send(0, "\"peer0\"", "\"nomad\"", &i.to_string());
            net.run_for(Duration::from_micros(300));
            seq
        })
        .collect();
    net.settle();
    assert_eq!(
        net.arrived(2, "\"nomad\""),
        (1..=20).map(|i| i.to_string()).collect::<Vec<_>>()
    );
    assert!(seqs.iter().all(|seq| net.outcome(0, *seq) == Some(Ok(()))));
    assert_eq!(net.nodes[0].addresses.get("\"nomad\""), Some(&url(2)));
}

#[test]
fn a_peer_that_was_removed_is_refused_and_forgotten() {
    let mut net = network(2);
    net.find(0, "\"peer1\"");
    net.settle();
    net.nodes[1].peers.clear();
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, seq), not_found("\"peer1\""));
    assert!(net.nodes[0].addresses.is_empty());
}

#[test]
fn a_listener_that_throws_has_received_the_message() {
    let mut net = network(2);
    net.nodes[1].throws = Some("\"oops\"".into());
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Err(SendError::Threw)));
    net.nodes[1].throws = Some("\"Peer not found, says the listener\"".into());
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.settle();
    assert_eq!(
        net.outcome(0, seq),
        Some(Err(SendError::ThrewNotFound {
            id: Some("\"peer1\"".into())
        }))
    );
}

#[test]
fn the_outcome_is_unknown_when_the_connection_to_a_v1_host_is_lost_first() {
    let mut net = Net::new(2);
    net.nodes[1].peers.insert("\"peer1\"".to_owned());
    // A 0.4.0 host has no way to tell duplicates, so nothing can be said again.
    net.v1_hosts.insert(1);
    net.connect_all();
    net.find(0, "\"peer1\"");
    net.settle();
    net.nodes[1].paused = true;
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.run_for(Duration::from_millis(5));
    net.sever(0, 1);
    net.settle();
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Unknown { .. }))
    ));
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "2");
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Unreachable { .. }))
    ));
    let seq = net.send(0, "\"peer0\"", "\"nobody\"", "2");
    assert_eq!(net.outcome(0, seq), not_found("\"nobody\""));
    let find = net.find(0, "\"peer1\"");
    assert_eq!(
        net.result(0, find),
        Some(Ok(Answer::Url(Some(url(1).into()))))
    );
}

#[test]
fn a_silent_receiver_is_a_timeout() {
    let mut net = network(2);
    net.find(0, "\"peer1\"");
    net.settle();
    net.nodes[1].paused = true;
    let seq = net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.run_for(Duration::from_secs(59));
    assert_eq!(net.outcome(0, seq), None);
    net.run_for(Duration::from_secs(2));
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Timeout { .. }))
    ));
    // The late answer is dropped.
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Timeout { .. }))
    ));
}

#[test]
fn send_and_publish_keep_their_order_to_a_known_host() {
    let mut net = network(2);
    net.find(0, "\"peer1\"");
    net.settle();
    net.nodes[1].log.clear();
    net.send(0, "\"peer0\"", "\"peer1\"", "1");
    net.publish(0, "\"news\"", Payload::one(Some("2".into())));
    net.send(0, "\"peer0\"", "\"peer1\"", "3");
    net.settle();
    let told: Vec<_> = net.nodes[1]
        .log
        .iter()
        .filter_map(|e| match e {
            Event::Deliver { payload, .. } | Event::Publish { payload, .. } => {
                Some(payload.clone())
            }
            _ => None,
        })
        .flat_map(Payload::into_json)
        .flatten()
        .collect();
    assert_eq!(told, ["1", "2", "3"]);
}

#[test]
fn numbers_and_texts_are_one_id() {
    let mut net = network(2);
    net.nodes[1].peers.insert("7".into());
    net.find(0, "7");
    net.settle();
    let find = net.find(0, "\"7\"");
    assert_eq!(
        net.result(0, find),
        Some(Ok(Answer::Url(Some(url(1).into()))))
    );
}

#[test]
fn all_peers_are_listed() {
    let mut net = network(3);
    let call = net.list(0);
    net.settle();
    let Some(Ok(Answer::Ids(ids))) = net.result(0, call) else {
        panic!()
    };
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.sort();
    assert_eq!(ids, ["[\"peer1\"]", "[\"peer2\"]"]);
}

#[test]
fn many_peers_can_be_looked_up_at_once() {
    let mut net = Net::new(2);
    net.connect_all();
    let sends: Vec<u64> = (0..20_000)
        .map(|n| {
            let id = format!("\"peer{n}\"");
            net.nodes[0].peers.insert(id.clone());
            net.send(1, "\"a\"", &id, "1")
        })
        .collect();
    net.settle();
    let settled = net.nodes[1]
        .log
        .iter()
        .filter(|e| matches!(e, Event::Settled { .. }))
        .count();
    assert_eq!(settled, sends.len());
}
