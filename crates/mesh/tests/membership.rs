//! How networks of many hosts form, and what that costs.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use distribus_mesh::{Answer, Config, Event, Input};
use support::random::Random;
use support::{Net, url};

/// Long enough for notes to be compared and for what comes of it.
fn rest(net: &mut Net) {
    net.run_for(Duration::from_secs(15));
}

/// Frames for each pair of hosts, when everything has come to rest.
fn cost(net: &mut Net) -> f64 {
    rest(net);
    net.assert_full_mesh();
    let hosts = net.nodes.len();
    net.frames as f64 / (hosts * (hosts - 1) / 2) as f64
}

fn assert_joined(net: &Net, calls: &[(usize, u64)]) {
    for (n, call) in calls {
        assert_eq!(net.result(*n, *call), Some(Ok(Answer::Done)), "host {n}");
    }
}

#[test]
fn one_after_the_other_by_one_host() {
    for hosts in [50, 100] {
        let mut net = Net::new(hosts);
        net.connect_all();
        net.assert_full_mesh();
        let cost = cost(&mut net);
        println!("{hosts} hosts, one after the other by one: {cost:.2} frames a pair");
        assert!(cost < 6.0, "{hosts} hosts: {cost} frames a pair");
    }
}

#[test]
fn all_at_once_by_one_host() {
    for hosts in [50, 100, 200] {
        let mut net = Net::new(hosts);
        let calls: Vec<_> = (1..hosts).map(|n| (n, net.join(n, &url(0)))).collect();
        net.settle();
        assert_joined(&net, &calls);
        net.assert_full_mesh();
        let cost = cost(&mut net);
        println!("{hosts} hosts, all at once by one: {cost:.2} frames a pair");
        assert!(cost < 6.0, "{hosts} hosts: {cost} frames a pair");
    }
}

#[test]
fn one_after_the_other_by_any_host() {
    for hosts in [50, 100] {
        let mut random = Random(7);
        let mut net = Net::new(hosts);
        for n in 1..hosts {
            let call = net.join(n, &url(random.below(n)));
            net.settle();
            assert_joined(&net, &[(n, call)]);
        }
        net.assert_full_mesh();
        let cost = cost(&mut net);
        println!("{hosts} hosts, one after the other by any: {cost:.2} frames a pair");
        assert!(cost < 6.0, "{hosts} hosts: {cost} frames a pair");
    }
}

#[test]
fn all_at_once_by_any_host() {
    for (hosts, seed) in [(50, 1), (50, 2), (50, 3), (100, 4), (200, 5)] {
        let mut random = Random(seed);
        let mut net = Net::new(hosts);
        let mut calls = Vec::new();
        for n in 1..hosts {
            calls.push((n, net.join(n, &url(random.below(n)))));
        }
        let cost = cost(&mut net);
        assert_joined(&net, &calls);
        println!("{hosts} hosts, all at once by any: {cost:.2} frames a pair");
        assert!(cost < 6.0, "{hosts} hosts: {cost} frames a pair");
    }
}

#[test]
fn nearly_at_once_by_any_host() {
    for (hosts, seed) in [(50, 1), (50, 2), (100, 3)] {
        let mut random = Random(seed);
        let mut net = Net::new(hosts);
        let mut calls = Vec::new();
        for n in 1..hosts {
            calls.push((n, net.join(n, &url(random.below(n)))));
            net.run_for(Duration::from_micros(random.below(3000) as u64));
        }
        let cost = cost(&mut net);
        assert_joined(&net, &calls);
        println!("{hosts} hosts, nearly at once by any: {cost:.2} frames a pair");
        assert!(cost < 6.0, "{hosts} hosts: {cost} frames a pair");
    }
}

#[test]
fn joins_by_different_hosts_at_the_same_moment_meet_before_they_are_done() {
    let mut net = Net::new(5);
    for n in 1..3 {
        net.join(n, &url(0));
        net.settle();
    }
    let calls = [(3, net.join(3, &url(0))), (4, net.join(4, &url(1)))];
    while calls
        .iter()
        .any(|(n, call)| net.result(*n, *call).is_none())
    {
        net.run_for(support::LATENCY);
    }
    assert_joined(&net, &calls);
    net.run_for(support::LATENCY);
    net.assert_full_mesh();
}

#[test]
fn a_member_that_is_gone_blocks_nobody_and_is_tried_again() {
    let mut net = Net::new(6);
    for n in 1..5 {
        net.join(n, &url(0));
        net.settle();
    }
    // The others have not noticed yet: nobody has closed its sockets. So it is also asked for by way of them.
    net.dead.insert(url(2));
    net.silence(2);
    let call = net.join(5, &url(0));
    net.settle();
    assert_joined(&net, &[(5, call)]);
    net.run_for(Duration::from_secs(10));
    let others = [url(0), url(1), url(3), url(4)];
    assert_eq!(net.nodes[5].connections, BTreeSet::from(others));
    let unreachable = |e: &&Event| matches!(e, Event::Unreachable { url: u, .. } if **u == url(2));
    assert_eq!(net.nodes[5].log.iter().filter(unreachable).count(), 1);
    assert_eq!(net.nodes[5].timers, BTreeSet::from([url(2)]));
    net.dead.clear();
    net.speak(2);
    // What was not heard meanwhile is given up after a minute.
    net.run_for(Duration::from_secs(75));
    net.assert_full_mesh();
    assert!(net.nodes[5].timers.is_empty());
}

#[test]
fn a_member_that_does_not_answer_holds_a_join_up_for_ten_seconds_at_most() {
    let mut net = Net::new(4);
    for n in 1..3 {
        net.join(n, &url(0));
        net.settle();
    }
    net.nodes[2].paused = true; // accepts connections and says nothing
    let call = net.join(3, &url(0));
    net.run_for(Duration::from_secs(9));
    assert_eq!(net.result(3, call), None);
    net.run_for(Duration::from_millis(1100));
    assert_joined(&net, &[(3, call)]);
    let told = |e: &Event| matches!(e, Event::Unreachable { url: u, .. } if *u == *url(2));
    assert!(net.nodes[3].log.iter().any(told), "it is reported");
    net.nodes[2].paused = false;
    net.apply(2);
    net.run_for(Duration::from_secs(2));
    net.assert_full_mesh();
}

#[test]
fn a_v1_host_that_never_says_which_hosts_it_knows_holds_a_join_up_for_ten_seconds_at_most() {
    let mut net = Net::new(3);
    net.v1_hosts.insert(0);
    net.nodes[0].paused = true; // answers nothing by itself
    let call = net.join(1, &url(0));
    net.settle();
    net.inject_text(0, 1, r#"{"id":1,"message":{},"error":null}"#.to_owned());
    net.run_for(Duration::from_secs(9));
    assert_eq!(net.result(1, call), None);
    assert_eq!(net.nodes[1].connections, BTreeSet::from([url(0)]));
    net.run_for(Duration::from_millis(1100));
    assert_joined(&net, &[(1, call)]);
    // What it says too late is obeyed all the same.
    let hosts = format!(r#"{{"id":2,"message":["{}"],"error":null}}"#, url(2));
    net.inject_text(0, 1, hosts);
    net.settle();
    assert!(net.nodes[1].connections.contains(&url(2)));
}

#[test]
fn a_member_that_is_never_there_is_forgotten_in_the_end() {
    let mut net = Net::new(3);
    net.join(1, &url(0));
    net.settle();
    net.dead.extend([url(1), url(2)]); // nor can it come by itself
    net.silence(1);
    net.join(2, &url(0));
    net.run_for(Duration::from_secs(310));
    assert!(net.nodes[2].timers.is_empty());
    assert_eq!(net.nodes[2].connections, BTreeSet::from([url(0)]));
}

#[test]
fn two_networks_of_ten_become_one() {
    let mut net = Net::new(20);
    for n in 1..10 {
        net.join(n, &url(0));
        net.join(10 + n, &url(10));
        net.settle();
    }
    let before = net.frames;
    let call = net.join(4, &url(15));
    while net.result(4, call).is_none() {
        net.run_for(support::LATENCY);
    }
    assert_joined(&net, &[(4, call)]);
    net.assert_full_mesh();
    rest(&mut net);
    let cost = (net.frames - before) as f64 / 100.0;
    println!("two networks of ten: {cost:.2} frames a pair");
    assert!(cost < 6.0, "{cost} frames a pair");
}

#[test]
fn networks_that_are_joined_in_several_places_at_once_become_one() {
    for seed in 1..20 {
        let mut random = Random(seed);
        let mut net = Net::new(24);
        for n in 1..6 {
            for first in [0, 6, 12, 18] {
                net.join(first + n, &url(first));
            }
        }
        net.settle();
        let mut calls = Vec::new();
        for first in [6, 12, 18] {
            let (from, to) = (first + random.below(6), random.below(first));
            calls.push((from, net.join(from, &url(to))));
        }
        rest(&mut net);
        assert_joined(&net, &calls);
        net.assert_full_mesh();
    }
}

#[test]
fn a_host_that_joins_two_networks_at_once_makes_them_one() {
    let mut net = Net::new(9);
    for n in 1..4 {
        net.join(n, &url(0));
        net.join(4 + n, &url(4));
    }
    net.settle();
    let calls = [(8, net.join(8, &url(0))), (8, net.join(8, &url(4)))];
    net.settle();
    assert_joined(&net, &calls);
    net.assert_full_mesh();
}

#[test]
fn differences_that_nobody_was_told_of_show_when_notes_are_compared() {
    let mut net = Net::new(8);
    for n in 1..7 {
        net.join(n, &url(0));
    }
    net.settle();
    // Two connections are lost, and their hosts do not try again by themselves.
    for (a, b) in [(1, 5), (2, 3)] {
        net.sever(a, b);
        net.run_for(Duration::from_millis(10));
        for (n, key) in [(a, url(b)), (b, url(a))] {
            net.input(n, Input::CancelTimer { key: key.into() });
        }
    }
    net.join(7, &url(6));
    rest(&mut net);
    net.assert_full_mesh();
}

#[test]
fn a_host_that_is_started_anew_is_met_again_by_all() {
    let mut net = Net::new(12);
    for n in 1..12 {
        net.join(n, &url(0));
    }
    net.settle();
    net.restart(5);
    let call = net.join(5, &url(3));
    rest(&mut net);
    assert_joined(&net, &[(5, call)]);
    net.assert_full_mesh();
}

#[test]
fn hosts_that_leave_are_not_looked_for() {
    let mut net = Net::new(10);
    for n in 1..10 {
        net.join(n, &url(0));
    }
    net.settle();
    net.close(4);
    net.dead.insert(url(4));
    rest(&mut net);
    let rest: BTreeSet<usize> = (0..10).filter(|n| *n != 4).collect();
    net.assert_mesh_of(&rest);
    assert!(net.nodes.iter().all(|node| node.timers.is_empty()));
}

#[test]
fn a_network_that_is_at_rest_says_nothing() {
    let mut net = Net::new(10);
    for n in 1..10 {
        net.join(n, &url(0));
    }
    rest(&mut net);
    let before = net.frames;
    net.run_for(Duration::from_secs(3600));
    assert_eq!(net.frames, before);
}

#[test]
fn with_v1_hosts_everybody_meets_everybody() {
    for seed in 1..30 {
        let mut random = Random(seed);
        let hosts = 10;
        let mut net = Net::new(hosts);
        for _ in 0..3 {
            net.v1_hosts.insert(random.below(hosts));
        }
        for n in 1..hosts {
            let call = net.join(n, &url(random.below(n)));
            net.settle();
            assert_joined(&net, &[(n, call)]);
            let so_far: BTreeSet<usize> = (0..=n).collect();
            net.assert_mesh_of(&so_far);
        }
    }
}

#[test]
fn networks_with_v1_hosts_become_one() {
    for seed in 1..30 {
        let mut random = Random(seed);
        let mut net = Net::new(10);
        for _ in 0..3 {
            net.v1_hosts.insert(random.below(10));
        }
        for n in 1..5 {
            net.join(n, &url(0));
            net.join(5 + n, &url(5));
            net.settle();
        }
        let (a, b) = (random.below(5), 5 + random.below(5));
        let call = net.join(a, &url(b));
        net.settle();
        assert_joined(&net, &[(a, call)]);
        net.assert_full_mesh();
    }
}

#[test]
fn a_host_that_inherits_the_network_id_of_v1_hosts_meets_them_all() {
    let mut net = Net::new(3);
    net.v1_hosts.extend([0, 1]);
    for n in 0..2 {
        net.input(n, Input::SetNetworkId(Some("\"n\"".into())));
    }
    net.join(1, &url(0));
    net.settle();
    let call = net.join(2, &url(0));
    net.settle();
    assert_joined(&net, &[(2, call)]);
    net.assert_full_mesh();
}

#[test]
fn a_host_that_does_not_listen_meets_all_members() {
    let mut net = Net::new(5);
    for n in 1..5 {
        net.join(n, &url(0));
    }
    net.settle();
    let client = net.add(None);
    let call = net.join(client, &url(2));
    rest(&mut net);
    assert_joined(&net, &[(client, call)]);
    assert_eq!(net.nodes[client].connections.len(), 5);
    for n in 0..5 {
        assert!(net.nodes[n].connections.contains("host0005"));
    }
}

#[test]
fn the_program_is_told_who_is_behind_a_connection() {
    let mut net = Net::new(2);
    net.v1_hosts.insert(1);
    let client = net.add(None);
    net.join(1, &url(0));
    net.join(client, &url(0));
    net.settle();
    let hosts = |n: usize| -> Vec<(String, Option<String>)> {
        let connected = net.nodes[n].log.iter().filter_map(|e| match e {
            Event::Connected { key, host, .. } => {
                Some((key.to_string(), host.as_ref().map(ToString::to_string)))
            }
            _ => None,
        });
        connected.collect()
    };
    let client = ("host0002".to_owned(), Some("host0002".to_owned()));
    assert_eq!(hosts(0), [(url(1), None), client]);
    assert!(hosts(2).contains(&(url(0), Some("host0000".into()))));
}

#[test]
fn a_member_that_refuses_is_reported_and_left_alone() {
    let mut net = Net::new(3);
    net.join(1, &url(0));
    net.settle();
    net.input(1, Input::SetNetworkId(Some("\"other\"".into())));
    net.input(2, Input::Configure(Config::default()));
    net.input(2, Input::SetNetworkId(Some("\"mine\"".into())));
    net.input(0, Input::SetNetworkId(Some("\"mine\"".into())));
    let call = net.join(2, &url(0));
    net.run_for(Duration::from_secs(5));
    assert_joined(&net, &[(2, call)]);
    assert_eq!(net.nodes[2].connections, BTreeSet::from([url(0)]));
    assert!(net.nodes[2].timers.is_empty());
    // Once more when notes are compared, and that is it.
    let unreachable = |e: &&Event| matches!(e, Event::Unreachable { .. });
    assert_eq!(net.nodes[2].log.iter().filter(unreachable).count(), 2);
}

#[test]
fn after_any_joins_losses_and_restarts_all_that_are_connected_meet() {
    for seed in 1..40 {
        let mut random = Random(seed * 0x9abc_def1);
        let hosts = 12;
        let mut net = Net::new(hosts);
        for _ in 0..40 {
            let (n, m) = (random.below(hosts), random.below(hosts));
            match random.below(7) {
                0 => net.sever(n, m),
                1 => net.restart(n),
                2 => net.run_for(Duration::from_millis(random.below(3000) as u64)),
                3 => net.run_for(Duration::from_micros(random.below(3000) as u64)),
                _ if n != m => drop(net.join(n, &url(m))),
                _ => {}
            }
        }
        // Whoever was left alone comes back in the end.
        for n in 1..hosts {
            net.join(n, &url(0));
        }
        net.run_for(Duration::from_secs(60));
        net.assert_full_mesh();
        assert!(
            net.nodes.iter().all(|node| node.timers.is_empty()),
            "seed {seed}"
        );
    }
}
