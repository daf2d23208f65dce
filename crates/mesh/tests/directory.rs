//! Finding peers in networks of many hosts.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, CallError, Config, Event, Input};
use support::{Net, url};

fn config() -> Config {
    Config {
        directory: true,
        ..Config::default()
    }
}

fn peer(n: usize, k: usize) -> String {
    format!("\"peer {k} of host {n}\"")
}

/// That many hosts in one network, with that many peers each.
fn network(hosts: usize, peers: usize) -> Net {
    let mut net = Net::new(hosts);
    for n in 0..hosts {
        net.input(n, Input::Configure(config()));
        net.create(n, (0..peers).map(|k| peer(n, k)));
    }
    for n in 1..hosts {
        net.join(n, &url(0));
    }
    net.run_for(Duration::from_secs(10));
    net.assert_full_mesh();
    net
}

/// What a search comes to, and the frames that it took.
fn find(net: &mut Net, n: usize, id: &str) -> (Result<Option<String>, CallError>, u64) {
    let before = net.frames;
    let call = net.find(n, id);
    net.settle();
    let result = net.result(n, call).expect("the search is over");
    let found = result.map(|answer| match answer {
        Answer::Url(url) => url.map(|url| url.to_string()),
        other => panic!("{other:?}"),
    });
    (found, net.frames - before)
}

/// Searches for peers of each of those hosts from all over; gives how many searches took more than 3 frames.
fn find_many(net: &mut Net, hosts: &[usize], peers: usize, searches: usize) -> usize {
    let mut costly = 0;
    for search in 0..searches {
        let (n, m) = (
            hosts[search % hosts.len()],
            hosts[(search * 7 + 3) % hosts.len()],
        );
        if n == m {
            continue;
        }
        let (found, frames) = find(net, n, &peer(m, search * 31 % peers));
        assert_eq!(found, Ok(Some(url(m))), "from {n} on {m}");
        costly += usize::from(frames > 3);
    }
    costly
}

#[test]
fn a_search_takes_three_frames_at_most() {
    let mut net = network(30, 100);
    let hosts: Vec<usize> = (0..30).collect();
    assert_eq!(find_many(&mut net, &hosts, 100, 300), 0);
}

#[test]
fn a_network_that_keeps_a_directory_forms_as_cheaply() {
    let net = network(50, 10);
    let cost = net.frames as f64 / (50.0 * 49.0 / 2.0);
    println!("50 hosts with 10 peers each: {cost:.2} frames a pair");
    assert!(cost < 6.0, "{cost} frames a pair");
}

#[test]
fn new_peers_are_found_and_removed_ones_are_not() {
    let mut net = network(10, 5);
    net.create(3, ["\"new\"".to_owned()]);
    net.settle();
    let (found, frames) = find(&mut net, 7, "\"new\"");
    assert_eq!(found, Ok(Some(url(3))));
    assert!(frames <= 3, "{frames}");
    net.remove(3, &peer(3, 1));
    net.settle();
    let (found, _) = find(&mut net, 7, &peer(3, 1));
    assert!(matches!(found, Err(CallError::NotFound { .. })));
}

#[test]
fn a_peer_is_found_before_its_registration_has_arrived() {
    for n in 0..10 {
        let mut net = network(10, 5);
        net.create(3, ["\"new\"".to_owned()]);
        if n != 3 {
            assert_eq!(find(&mut net, n, "\"new\"").0, Ok(Some(url(3))));
        }
    }
}

#[test]
fn a_peer_that_moves_is_found_at_its_new_home() {
    let mut net = network(10, 5);
    for n in 4..10 {
        let id = peer(3, 2);
        let home = if n == 4 { 3 } else { n - 1 };
        let seq = net.send(0, "\"a\"", &id, "1");
        net.settle();
        assert_eq!(net.outcome(0, seq), Some(Ok(())));
        net.remove(home, &id);
        net.create(n, [id.clone()]);
        let seq = net.send(0, "\"a\"", &id, "2");
        net.settle();
        assert_eq!(net.outcome(0, seq), Some(Ok(())));
        assert_eq!(net.arrived(n, &id), ["2"]);
    }
}

#[test]
fn searches_for_one_peer_are_one_search() {
    let mut net = network(20, 5);
    let before = net.frames;
    let calls: Vec<u64> = (0..10).map(|_| net.find(4, &peer(9, 1))).collect();
    net.settle();
    for call in calls {
        assert_eq!(
            net.result(4, call),
            Some(Ok(Answer::Url(Some(url(9).into()))))
        );
    }
    assert!(net.frames - before <= 3);
}

#[test]
fn searches_for_many_peers_share_frames() {
    let mut net = network(20, 1000);
    let before = net.frames;
    net.nodes[4].batching = true;
    let calls: Vec<u64> = (0..1000).map(|k| net.find(4, &peer(9, k))).collect();
    net.flush(4);
    net.nodes[4].batching = false;
    net.settle();
    for call in calls {
        assert_eq!(
            net.result(4, call),
            Some(Ok(Answer::Url(Some(url(9).into()))))
        );
    }
    assert!(net.frames - before < 200, "{}", net.frames - before);
}

#[test]
fn while_a_directory_host_is_just_gone_everybody_is_asked() {
    let mut net = network(10, 50);
    net.crash(4);
    let hosts: Vec<usize> = (0..10).filter(|n| *n != 4).collect();
    find_many(&mut net, &hosts, 50, 60);
    net.run_for(Duration::from_secs(5));
    assert_eq!(find_many(&mut net, &hosts, 50, 60), 0);
}

#[test]
fn a_directory_host_that_says_nothing_does_not_hold_a_search_up_for_long() {
    let mut net = network(10, 20);
    net.silence(4);
    let calls: Vec<u64> = (0..20).map(|k| net.find(0, &peer(7, k))).collect();
    net.run_for(Duration::from_millis(2100));
    for call in calls {
        assert_eq!(
            net.result(0, call),
            Some(Ok(Answer::Url(Some(url(7).into()))))
        );
    }
}

#[test]
fn a_host_that_comes_and_one_that_leaves_move_some_shards() {
    let mut net = network(12, 50);
    let hosts: Vec<usize> = (0..11).collect();
    net.close(11);
    net.run_for(Duration::from_secs(5));
    assert_eq!(find_many(&mut net, &hosts, 50, 100), 0);
    let new = net.add(Some(url(12)));
    net.input(new, Input::Configure(config()));
    net.create(new, (0..50).map(|k| peer(new, k)));
    net.join(new, &url(3));
    net.run_for(Duration::from_secs(5));
    let hosts: Vec<usize> = hosts.into_iter().chain([new]).collect();
    assert_eq!(find_many(&mut net, &hosts, 50, 100), 0);
}

#[test]
fn what_changes_while_a_link_is_down_is_known_afterwards() {
    let mut net = network(8, 20);
    for n in 0..7 {
        net.sever(n, 7);
    }
    net.run_for(Duration::from_millis(10));
    net.remove(7, &peer(7, 0));
    net.create(7, ["\"new\"".to_owned()]);
    net.run_for(Duration::from_secs(10));
    net.assert_full_mesh();
    for n in 0..7 {
        let (found, frames) = find(&mut net, n, "\"new\"");
        assert_eq!(found, Ok(Some(url(7))));
        assert!(frames <= 3, "{frames}");
    }
    assert!(find(&mut net, 0, &peer(7, 0)).0.is_err());
}

#[test]
fn hosts_that_do_not_take_part_are_asked_as_ever() {
    let mut net = Net::new(8);
    net.v1_hosts.insert(6);
    for n in 0..6 {
        net.input(n, Input::Configure(config()));
        net.create(n, (0..10).map(|k| peer(n, k)));
    }
    for n in 6..8 {
        net.nodes[n].peers.insert(peer(n, 0));
    }
    for n in 1..8 {
        net.join(n, &url(0));
        net.settle();
    }
    net.run_for(Duration::from_secs(10));
    for n in 0..8 {
        for m in 0..8 {
            if n != m {
                assert_eq!(
                    find(&mut net, n, &peer(m, 0)).0,
                    Ok(Some(url(m))),
                    "{n} {m}"
                );
            }
        }
    }
    assert!(find(&mut net, 0, "\"nobody\"").0.is_err());
}

#[test]
fn addresses_that_were_not_used_for_long_are_forgotten() {
    let mut net = network(4, 200);
    let max_addresses = 80;
    let limited = Config {
        max_addresses,
        ..config()
    };
    net.input(0, Input::Configure(limited));
    for k in 0..200 {
        for id in [peer(1, k), peer(2, 0)] {
            let seq = net.send(0, "\"a\"", &id, "1");
            net.settle();
            assert_eq!(net.outcome(0, seq), Some(Ok(())));
        }
        assert!(net.nodes[0].addresses.len() <= max_addresses);
    }
    assert!(net.nodes[0].addresses.len() > max_addresses / 2);
    assert!(
        net.nodes[0].addresses.contains_key(&peer(2, 0)),
        "it is in use"
    );
    let forgotten = |e: &&Event| matches!(e, Event::Forgotten { .. });
    assert!(net.nodes[0].log.iter().filter(forgotten).count() > 100);
}

/// Takes two minutes of computing: `cargo test --release -p distribus-mesh --test directory -- --ignored --nocapture`.
#[test]
#[ignore = "large"]
fn five_hundred_hosts_and_a_million_peers() {
    let (hosts, peers) = (500, 2000);
    let mut net = network(hosts, peers);
    let pairs = (hosts * (hosts - 1) / 2) as f64;
    println!("formed with {:.2} frames a pair", net.frames as f64 / pairs);
    let all: Vec<usize> = (0..hosts).collect();
    assert_eq!(find_many(&mut net, &all, peers, 2000), 0);
    let before = net.frames;
    net.crash(123);
    net.run_for(Duration::from_secs(8));
    let moved = net.frames - before;
    println!("a crash moves the directory with {moved} frames");
    assert!(moved < 6 * hosts as u64, "{moved}");
    let left: Vec<usize> = all.into_iter().filter(|n| *n != 123).collect();
    assert_eq!(find_many(&mut net, &left, peers, 2000), 0);
    // Every single peer that is left.
    let asker = 77;
    for n in left {
        if n == asker {
            continue;
        }
        net.nodes[asker].batching = true;
        let calls: Vec<u64> = (0..peers).map(|k| net.find(asker, &peer(n, k))).collect();
        net.flush(asker);
        net.nodes[asker].batching = false;
        net.settle();
        net.nodes[asker]
            .log
            .sort_by_key(|e| !matches!(e, Event::Done { .. }));
        for call in calls {
            let found = Some(Ok(Answer::Url(Some(url(n).into()))));
            assert_eq!(net.result(asker, call), found);
        }
        net.nodes[asker].log.clear();
    }
}
