//! Forming a network.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, CallError, Event, Input, Payload};
use support::{LATENCY, Net, url};

#[test]
fn two_hosts_know_each_other_after_join() {
    let mut net = Net::new(2);
    net.connect_all();
    net.assert_full_mesh();
}

#[test]
fn a_join_reaches_every_host() {
    let mut net = Net::new(6);
    net.connect_all();
    net.assert_full_mesh();
}

#[test]
fn hosts_that_join_at_the_same_moment_all_meet() {
    for hosts in 2..8 {
        let mut net = Net::new(hosts);
        for n in 1..hosts {
            net.join(n, &url(0));
        }
        net.settle();
        net.assert_full_mesh();
    }
}

#[test]
fn hosts_that_join_each_other_settle_on_one_connection() {
    let mut net = Net::new(2);
    let (a, b) = (net.join(0, &url(1)), net.join(1, &url(0)));
    net.settle();
    assert_eq!(net.result(0, a), Some(Ok(Answer::Done)));
    assert_eq!(net.result(1, b), Some(Ok(Answer::Done)));
    net.assert_full_mesh();
}

#[test]
fn everyone_joins_everyone_at_once() {
    let mut net = Net::new(6);
    for n in 0..6 {
        for m in 0..6 {
            net.join(n, &url(m));
        }
    }
    net.settle();
    net.assert_full_mesh();
}

#[test]
fn two_networks_become_one() {
    let mut net = Net::new(4);
    net.join(0, &url(1));
    net.join(2, &url(3));
    net.settle();
    net.join(1, &url(2));
    net.settle();
    net.assert_full_mesh();
}

#[test]
fn the_promise_resolves_when_the_mesh_is_complete() {
    let mut net = Net::new(4);
    for n in 1..3 {
        net.join(n, &url(0));
        net.settle();
    }
    let call = net.join(3, &url(0));
    while net.result(3, call).is_none() {
        net.run_for(support::LATENCY);
    }
    net.assert_full_mesh();
}

#[test]
fn a_greeting_is_answered_only_after_the_program_has_applied_it() {
    let mut net = Net::new(2);
    net.nodes[1].paused = true;
    let call = net.join(0, &url(1));
    net.settle();
    assert_eq!(
        net.result(0, call),
        None,
        "host 1 has not seen the connection yet"
    );
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
}

#[test]
fn a_host_behind_two_urls_counts_once() {
    let mut net = Net::new(2);
    net.connect_all();
    // The same host under another name: as if localhost and 127.0.0.1.
    net.nodes[0].url = Some("ws://localhost:3000".into());
    let call = net.join(1, "ws://localhost:3000");
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    assert_eq!(net.nodes[1].connections.len(), 1);
    assert_eq!(net.sockets_between(0, 1), 1);
}

#[test]
fn joining_oneself_is_no_connection() {
    let mut net = Net::new(1);
    net.nodes[0].url = Some("ws://localhost:3000".into());
    let call = net.join(0, "ws://localhost:3000");
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
    assert!(net.nodes[0].connections.is_empty());
    assert_eq!(net.sockets_between(0, 0), 0);
}

#[test]
fn a_failed_join_says_why_and_leaves_nothing() {
    let mut net = Net::new(1);
    let call = net.join(0, "ws://127.0.0.1:9");
    net.settle();
    let Some(Err(CallError::Dial(error))) = net.result(0, call) else {
        panic!("{:?}", net.result(0, call))
    };
    assert_eq!(error.code, "ECONNREFUSED");
    assert!(net.nodes[0].connections.is_empty() && net.nodes[0].timers.is_empty());
}

#[test]
fn joining_again_waits_for_the_connection_that_is_being_made() {
    let mut net = Net::new(2);
    let (a, b) = (net.join(0, &url(1)), net.join(0, &url(1)));
    assert_eq!(net.result(0, b), None);
    net.settle();
    assert_eq!(
        (net.result(0, a), net.result(0, b)),
        (Some(Ok(Answer::Done)), Some(Ok(Answer::Done)))
    );
    assert_eq!(net.sockets_between(0, 1), 1);
}

fn network(net: &mut Net, n: usize, id: Option<&str>) {
    net.nodes[n].network = id.map(str::to_owned);
    net.input(n, Input::SetNetworkId(id.map(Into::into)));
}

#[test]
fn network_ids_must_match_or_are_inherited() {
    for (joiner, acceptor, refusal) in [
        (Some("\"foo\""), Some("\"foo\""), None),
        (Some("\"f\\u006fo\""), Some("\"foo\""), None),
        (None, Some("\"foo\""), None),
        (Some("null"), Some("\"foo\""), None),
        (Some("\"\""), Some("\"foo\""), None),
        (None, None, None),
        (
            Some("\"foo\""),
            Some("\"bar\""),
            Some("Network id mismatch (foo !== bar)"),
        ),
        (
            Some("\"foo\""),
            None,
            Some("Network id mismatch (foo !== undefined)"),
        ),
        (
            Some("\"foo\""),
            Some("null"),
            Some("Network id mismatch (foo !== null)"),
        ),
        (
            Some("7"),
            Some("\"7\""),
            Some("Network id mismatch (7 !== 7)"),
        ),
    ] {
        let mut net = Net::new(2);
        network(&mut net, 0, joiner);
        network(&mut net, 1, acceptor);
        let call = net.join(0, &url(1));
        net.settle();
        match refusal {
            None => {
                assert_eq!(
                    net.result(0, call),
                    Some(Ok(Answer::Done)),
                    "{joiner:?} {acceptor:?}"
                );
                assert_eq!(net.nodes[0].network.as_deref(), acceptor);
                net.assert_full_mesh();
            }
            Some(text) => {
                assert_eq!(
                    net.result(0, call),
                    Some(Err(CallError::Refused { text: text.into() }))
                );
                assert_eq!(net.nodes[0].network.as_deref(), joiner);
                assert!(net.nodes[0].connections.is_empty() && net.nodes[1].connections.is_empty());
            }
        }
    }
}

#[test]
fn a_host_that_does_not_listen_is_registered_under_its_id() {
    let mut net = Net::new(1);
    let client = net.add(None);
    net.nodes[client].peers.insert("\"tablet\"".into());
    net.join(client, &url(0));
    net.settle();
    assert_eq!(
        net.nodes[0].connections.iter().collect::<Vec<_>>(),
        ["host0001"]
    );
    let call = net.find(0, "\"tablet\"");
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Url(None))));
    let seq = net.send(0, "\"a\"", "\"tablet\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
}

#[test]
fn a_connected_host_is_joined_by_another_name() {
    for (first, second) in [(0, 1), (1, 0)] {
        let mut net = Net::new(2);
        let alias = "ws://alias:1";
        net.reached.insert((second, alias.to_owned()), first);
        net.join(first, &url(second));
        net.settle();
        net.publish(first, "\"c\"", Payload::one(Some("1".into())));
        net.publish(second, "\"c\"", Payload::one(Some("1".into())));
        let call = net.join(second, alias);
        net.publish(first, "\"c\"", Payload::one(Some("2".into())));
        net.publish(second, "\"c\"", Payload::one(Some("2".into())));
        net.run_for(Duration::from_secs(5));
        assert_eq!(net.result(second, call), Some(Ok(Answer::Done)));
        net.assert_full_mesh();
        for n in 0..2 {
            assert_eq!(net.published(n), ["1", "2"]);
            let lost = |e: &Event| matches!(e, Event::TimerStarted { .. });
            assert!(!net.nodes[n].log.iter().any(lost));
        }
    }
}

#[test]
fn hosts_that_each_register_the_other_one_s_connection_keep_the_same_one() {
    let mut net = Net::new(2);
    net.join(0, &url(1));
    net.settle();
    let link = net.link(0, 1).expect("connected");
    // Host 1 has lost the connection, host 0 does not know.
    net.swallowed.insert((1, 0));
    let key = url(0).into();
    net.input(1, Input::Disconnect { key });
    net.swallowed.clear();
    net.join(1, &url(0));
    // So host 1 is told to wait for a connection of host 0, and insists after a second: when host 0 dials as well.
    net.run_for(3 * LATENCY);
    assert!(net.nodes[0].connections.contains(&url(1)));
    net.input(0, Input::Closed { link });
    net.run_for(Duration::from_secs(1) + 2 * LATENCY);
    let registered = [0, 1].map(|n| net.nodes[n].connections.len());
    assert_eq!((registered, net.sockets_between(0, 1)), ([1, 1], 2));
    net.run_for(Duration::from_secs(1));
    net.assert_full_mesh();
}
