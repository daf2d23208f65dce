//! Peers are where their hosts are, whatever these hosts are called, and wherever they have gone.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, Config, Event, Input, SendError};
use support::{Net, url};

const WORKER: &str = "\"worker\"";

/// Sends to the worker, and gives how that ends within 5 seconds.
fn attempt(net: &mut Net, n: usize) -> Option<Result<(), SendError>> {
    let seq = net.send(n, "\"me\"", WORKER, "1");
    net.run_for(Duration::from_secs(5));
    net.outcome(n, seq)
}

fn assert_reached(net: &mut Net, n: usize) {
    assert_eq!(attempt(net, n), Some(Ok(())), "from host {n}");
}

/// Hosts in one network; the worker lives on that one.
fn network(hosts: usize, home: usize) -> Net {
    let mut net = Net::new(hosts);
    net.nodes[home].peers.insert(WORKER.into());
    net.connect_all();
    net
}

fn lives(net: &mut Net, n: usize) {
    net.create(n, [WORKER.to_owned()]);
}

/// The worker's host has said goodbye, or is about to, when it is asked: the worker is started again on host 2.
fn moves_while_it_is_looked_for(leave: impl Fn(&mut Net)) {
    // Whatever is under way when it begins to leave.
    for micros in (0..5_000).step_by(250) {
        let mut net = network(3, 1);
        let seq = net.send(0, "\"me\"", WORKER, "0");
        net.run_for(Duration::from_micros(micros));
        leave(&mut net);
        net.run_for(Duration::from_secs(1));
        assert!(net.outcome(0, seq).is_some(), "after {micros} µs");
        assert_eq!(
            net.nodes[0].addresses.get(WORKER),
            None,
            "after {micros} µs"
        );
        net.remove(1, WORKER);
        lives(&mut net, 2);
        assert_eq!(attempt(&mut net, 0), Some(Ok(())), "after {micros} µs");
    }
}

#[test]
fn a_peer_is_found_elsewhere_after_its_host_has_left_while_it_was_asked() {
    moves_while_it_is_looked_for(|net| {
        net.close(1);
    });
}

#[test]
fn a_peer_is_found_elsewhere_after_its_host_was_drained_while_it_was_asked() {
    moves_while_it_is_looked_for(|net| {
        net.call_with(1, |call| Input::Drain { call });
        net.run_for(Duration::from_millis(3));
        net.close(1);
    });
}

#[test]
fn a_host_that_is_leaving_does_not_say_that_a_peer_is_there() {
    let mut net = network(2, 1);
    net.call_with(1, |call| Input::Drain { call });
    let call = net.find(0, WORKER);
    net.settle();
    assert!(matches!(net.result(0, call), Some(Err(_))));
}

#[test]
fn an_answer_after_a_goodbye_is_not_remembered() {
    let mut net = Net::new(2);
    // A 0.4.0 host answers also when it has said goodbye.
    net.v1_hosts.insert(1);
    net.connect_all();
    let call = net.find(0, WORKER);
    net.inject_text(1, 0, r#"{"id":77,"message":{"method":"goodbye"}}"#.into());
    for id in 0..50 {
        let answer = format!(r#"{{"id":{id},"message":"{}","error":null}}"#, url(1));
        net.inject_text(1, 0, answer);
    }
    net.run_for(Duration::from_millis(3));
    assert!(matches!(net.result(0, call), Some(Err(_))));
    assert_eq!(net.nodes[0].addresses.get(WORKER), None);
}

#[test]
fn a_host_that_listens_later_keeps_its_peers_when_its_connection_is_lost() {
    let mut net = Net::new(1);
    let n = net.add(None);
    lives(&mut net, n);
    net.join(n, &url(0));
    net.settle();
    assert_reached(&mut net, 0);
    net.nodes[n].url = Some(url(n));
    net.input(n, Input::SetUrl(Some(url(n).into())));
    net.sever(0, n);
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.nodes[0].addresses.get(WORKER), Some(&url(n)));
    assert_reached(&mut net, 0);
    let call = net.find(0, WORKER);
    let found = Some(Ok(Answer::Url(Some(url(n).into()))));
    assert_eq!(net.result(0, call), found);
}

#[test]
fn peers_of_two_hosts_with_one_url_are_reached_after_both_have_changed_their_names() {
    const URL: &str = "ws://0.0.0.0:3000";
    let mut net = Net::new(1);
    for n in 1..3 {
        net.add(Some(URL.into()));
        net.reached.insert((n, URL.into()), n);
        net.create(n, [format!("\"peer{n}\"")]);
        net.join(n, &url(0));
        net.run_for(Duration::from_secs(3));
    }
    let reach = |net: &mut Net| {
        for n in 1..3 {
            let seq = net.send(0, "\"me\"", &format!("\"peer{n}\""), "1");
            net.run_for(Duration::from_secs(5));
            assert_eq!(net.outcome(0, seq), Some(Ok(())), "peer of host {n}");
        }
    };
    reach(&mut net);
    for first in [1, 2, 1, 2] {
        // The other one is first to come back, and gets the url.
        net.dead.insert(url(0));
        net.sever(0, first);
        net.settle();
        net.sever(0, 3 - first);
        net.run_for(Duration::from_millis(900));
        net.dead.clear();
        net.join(3 - first, &url(0));
        net.run_for(Duration::from_secs(5));
        net.join(first, &url(0));
        net.run_for(Duration::from_secs(20));
        reach(&mut net);
    }
}

#[test]
fn a_host_that_moves_to_another_port_keeps_its_peers_when_its_connection_is_lost() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    assert_reached(&mut net, 2);
    let elsewhere = url(7);
    net.nodes[1].url = Some(elsewhere.clone());
    net.input(1, Input::SetUrl(Some(elsewhere.clone().into())));
    for m in [0, 2] {
        net.sever(1, m);
    }
    net.run_for(Duration::from_secs(5));
    for n in [0, 2] {
        net.join(1, &url(n));
        net.run_for(Duration::from_secs(2));
        assert_eq!(net.nodes[n].addresses.get(WORKER), Some(&elsewhere));
        assert_reached(&mut net, n);
    }
}

#[test]
fn an_address_at_a_host_that_was_started_anew_is_forgotten() {
    let mut net = network(2, 1);
    assert_reached(&mut net, 0);
    net.nodes[1].peers.clear();
    net.restart(1);
    net.join(1, &url(0));
    net.settle();
    assert!(net.nodes[0].addresses.is_empty());
}

// Peers whose hosts are lost.

#[test]
fn a_peer_on_a_living_host_wins_over_the_address_of_a_lost_one() {
    for elsewhere in [true, false] {
        let mut net = network(3, 1);
        assert_reached(&mut net, 0);
        net.crash(1);
        net.run_for(Duration::from_secs(3));
        assert!(matches!(
            attempt(&mut net, 0),
            Some(Err(SendError::Unreachable { .. }))
        ));
        // Started again elsewhere, or without listening.
        let n = net.add(elsewhere.then(|| url(9)));
        net.join(n, &url(2));
        net.run_for(Duration::from_secs(2));
        lives(&mut net, n);
        let before = net.now;
        let seq = net.send(0, "\"me\"", WORKER, "1");
        net.settle();
        assert_eq!(net.outcome(0, seq), Some(Ok(())), "at {before:?}");
    }
}

#[test]
fn it_does_so_although_something_is_under_way_to_the_lost_one() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    net.nodes[1].paused = true;
    let first = net.send(0, "\"me\"", WORKER, "\"first\"");
    net.run_for(Duration::from_millis(5));
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    lives(&mut net, 2);
    let second = net.send(0, "\"me\"", WORKER, "\"second\"");
    net.settle();
    assert_eq!(net.outcome(0, first), None);
    assert_eq!(net.outcome(0, second), Some(Ok(())));
    assert_eq!(net.arrived(2, WORKER), ["\"second\""]);
    // The lost one comes back: what had arrived there is acknowledged, and nothing comes twice.
    net.dead.clear();
    net.nodes[1].paused = false;
    net.apply(1);
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert_eq!(net.arrived(1, WORKER), ["1", "\"first\""]);
    assert_reached(&mut net, 0);
    assert_eq!(net.arrived(2, WORKER), ["\"second\"", "1"]);
}

#[test]
fn what_comes_back_from_the_lost_one_does_not_come_after_what_was_sent_later() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    net.swallowed.insert((0, 1));
    let first = net.send(0, "\"me\"", WORKER, "\"first\"");
    net.run_for(Duration::from_millis(5));
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    net.sever(1, 0);
    net.remove(1, WORKER);
    lives(&mut net, 2);
    let second = net.send(0, "\"me\"", WORKER, "\"second\"");
    net.settle();
    assert_eq!(net.outcome(0, second), Some(Ok(())));
    net.swallowed.clear();
    net.dead.clear();
    net.run_for(Duration::from_secs(5));
    let id = Some(WORKER.into());
    assert_eq!(net.outcome(0, first), Some(Err(SendError::NotFound { id })));
    assert_eq!(net.arrived(2, WORKER), ["\"second\""]);
    assert_reached(&mut net, 0);
}

#[test]
fn thousands_of_sends_to_a_lost_host_do_not_cost_a_search_each() {
    let mut net = network(10, 1);
    let others: Vec<String> = (0..2_000).map(|n| format!("\"other {n}\"")).collect();
    net.create(1, others.clone());
    assert_reached(&mut net, 0);
    for id in &others {
        net.find(0, id);
    }
    net.settle();
    net.crash(1);
    net.run_for(Duration::from_secs(3));
    let before = net.frames;
    let mut last = 0;
    for _ in 0..5_000 {
        last = net.send(0, "\"me\"", WORKER, "1");
        net.run_for(Duration::from_micros(100));
    }
    net.settle();
    assert!(net.outcome(0, last).is_some());
    let frames = net.frames - before;
    assert!(frames < 100, "{frames} frames for one peer");
    let before = net.frames;
    for id in others.iter().cycle().take(10_000) {
        last = net.send(0, "\"me\"", id, "1");
    }
    net.settle();
    assert!(matches!(
        net.outcome(0, last),
        Some(Err(SendError::Unreachable { .. }))
    ));
    let frames = net.frames - before;
    assert!(frames < 10_000, "{frames} frames for many peers");
}

#[test]
fn a_living_host_that_says_nothing_does_not_hold_up_the_rejection() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    net.crash(1);
    net.run_for(Duration::from_secs(3));
    net.nodes[2].paused = true;
    let seq = net.send(0, "\"me\"", WORKER, "1");
    net.run_for(Duration::from_millis(2_100));
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Unreachable { .. }))
    ));
}

#[test]
fn what_was_found_on_a_lost_host_is_still_answered_from_memory_unless_a_living_one_has_it() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    net.crash(1);
    net.run_for(Duration::from_secs(3));
    let call = net.find(0, WORKER);
    net.settle();
    let at = |n| Some(Ok(Answer::Url(Some(url(n).into()))));
    assert_eq!(net.result(0, call), at(1));
    net.run_for(Duration::from_secs(2));
    lives(&mut net, 2);
    let call = net.find(0, WORKER);
    net.settle();
    assert_eq!(net.result(0, call), at(2));
}

// Messages that wait for lost hosts.

#[test]
fn what_waits_for_a_lost_host_goes_to_its_next_incarnation() {
    for late in [0, 50, 2_000] {
        let mut net = network(3, 1);
        assert_reached(&mut net, 0);
        net.nodes[1].peers.clear();
        net.dead.insert(url(1));
        net.restart(1);
        net.run_for(Duration::from_secs(1));
        let seqs = ["\"1\"", "\"2\"", "\"3\""].map(|m| net.send_patiently(0, WORKER, m));
        net.run_for(Duration::from_secs(1));
        net.dead.clear();
        net.join(1, &url(2));
        net.run_for(Duration::from_millis(late));
        lives(&mut net, 1);
        net.run_for(Duration::from_secs(5));
        for seq in seqs {
            assert_eq!(net.outcome(0, seq), Some(Ok(())), "created after {late} ms");
        }
        assert_eq!(net.arrived(1, WORKER)[1..], ["\"1\"", "\"2\"", "\"3\""]);
    }
}

#[test]
fn what_waits_for_a_lost_host_goes_to_where_its_peer_lives_now() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    net.crash(1);
    net.run_for(Duration::from_secs(3));
    let seqs = ["\"1\"", "\"2\"", "\"3\""].map(|m| net.send_patiently(0, WORKER, m));
    net.run_for(Duration::from_secs(10));
    assert_eq!(net.outcome(0, seqs[0]), None);
    lives(&mut net, 2);
    net.run_for(Duration::from_secs(5));
    for seq in seqs {
        assert_eq!(net.outcome(0, seq), Some(Ok(())));
    }
    assert_eq!(net.arrived(2, WORKER), ["\"1\"", "\"2\"", "\"3\""]);
    assert_eq!(net.nodes[0].mesh.under_way(), 0);
}

#[test]
fn what_waits_for_a_host_that_is_given_up_was_not_delivered() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    let config = Config {
        reconnect_timeout: Duration::from_secs(10),
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    net.crash(1);
    net.run_for(Duration::from_secs(3));
    let seq = net.send_patiently(0, WORKER, "1");
    net.run_for(Duration::from_secs(20));
    let (id, url) = (Some(WORKER.into()), url(1).into());
    assert_eq!(
        net.outcome(0, seq),
        Some(Err(SendError::Unreachable { id, url }))
    );
    assert_eq!(net.nodes[0].mesh.under_way(), 0);
}

#[test]
fn what_waits_for_a_peer_that_the_next_incarnation_does_not_have_is_not_found() {
    let mut net = network(3, 1);
    assert_reached(&mut net, 0);
    net.nodes[1].peers.clear();
    net.dead.insert(url(1));
    net.restart(1);
    net.run_for(Duration::from_secs(1));
    let seq = net.send_patiently(0, WORKER, "1");
    net.dead.clear();
    net.join(1, &url(2));
    net.run_for(Duration::from_secs(8));
    let id = Some(WORKER.into());
    assert_eq!(net.outcome(0, seq), Some(Err(SendError::NotFound { id })));
}

#[test]
fn what_waits_is_a_timeout_in_the_end_wherever_it_has_waited() {
    let mut net = network(3, 1);
    let config = Config {
        request_timeout: Duration::from_secs(10),
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    assert_reached(&mut net, 0);
    net.crash(1);
    net.run_for(Duration::from_secs(3));
    let seq = net.send_patiently(0, WORKER, "1");
    net.run_for(Duration::from_secs(11));
    assert!(matches!(
        net.outcome(0, seq),
        Some(Err(SendError::Timeout { .. }))
    ));
    lives(&mut net, 2);
    assert_reached(&mut net, 0);
    assert_eq!(net.arrived(2, WORKER), ["1"]);
    let forgotten = net.nodes[0].log.iter();
    let forgotten = forgotten.filter(|e| matches!(e, Event::Forgotten { .. }));
    assert_eq!(forgotten.count(), 0, "it has only moved");
}
