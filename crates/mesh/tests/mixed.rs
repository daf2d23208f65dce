//! Networks in which some speak version 1 only: hosts of ours meet all the same, whenever they join.

mod support;

use std::time::Duration;

use support::{LATENCY, Net, url};

/// Hosts 0 and 1 are 0.4.0 hosts that know each other, 2 and 3 join by one each, at about the same moment. Whoever is told to join somebody
/// in this while does not reach it.
fn join_by_v1_hosts(by: [usize; 2], apart: u32, unreachable: u32) -> Net {
    let mut net = Net::new(4);
    net.v1_hosts.extend([0, 1]);
    net.join(1, &url(0));
    net.settle();
    net.blocked.extend([(2, 3), (3, 2)]);
    net.join(2, &url(by[0]));
    net.run_for(apart * LATENCY);
    net.join(3, &url(by[1]));
    net.run_for(unreachable * LATENCY);
    net.blocked.clear();
    net
}

#[test]
fn hosts_that_join_by_v1_hosts_at_the_same_moment_meet() {
    for by in [[0, 0], [0, 1], [1, 0]] {
        for apart in 0..12 {
            for unreachable in [0, 4, 8, 16, 100] {
                let mut net = join_by_v1_hosts(by, apart, unreachable);
                net.run_for(Duration::from_secs(15));
                let met = net.nodes[2].connections.contains(&url(3));
                assert!(met, "by {by:?}, {apart} ms apart, {unreachable} ms");
                assert_eq!(net.sockets_between(2, 3), 1);
            }
        }
    }
}

#[test]
fn a_v1_host_is_asked_once_more_for_the_hosts_that_it_knows_not_again_and_again() {
    let mut net = join_by_v1_hosts([0, 1], 3, 0);
    net.run_for(Duration::from_secs(15));
    let before = net.frames;
    net.run_for(Duration::from_secs(600));
    assert_eq!(net.frames, before);
}

#[test]
fn a_host_that_a_v1_host_is_just_looking_for_is_not_taken_for_a_member() {
    let mut net = Net::new(4);
    net.v1_hosts.insert(0);
    net.connect_all();
    net.run_for(Duration::from_secs(15));
    net.crash(3);
    // Everybody tries to find it again; then somebody comes, and all compare notes.
    net.run_for(Duration::from_millis(1500));
    let late = net.add(Some(url(4)));
    net.join(late, &url(0));
    net.run_for(Duration::from_secs(400));
    for n in [0, 1, 2, late] {
        assert!(net.nodes[n].timers.is_empty(), "{n} looks for it");
        assert!(!net.nodes[n].connections.contains(&url(3)));
    }
}
