//! Hosts that vanish without a word, and programs that stand still.

mod support;

use std::time::Duration;

use distribus_mesh::{Change, Config, Event, Input, Payload};
use support::{Net, url};

const SECOND: Duration = Duration::from_secs(1);

fn beating() -> Config {
    Config {
        heartbeat_interval: 8 * SECOND,
        heartbeat_timeout: 24 * SECOND,
        ..Config::default()
    }
}

/// Connected hosts that beat.
fn connected(count: usize) -> Net {
    let mut net = Net::new(count);
    for n in 0..count {
        net.input(n, Input::Configure(beating()));
    }
    net.connect_all();
    net
}

/// How often host `n` was told of that change.
fn changes(net: &Net, n: usize, wanted: Change) -> usize {
    let is = |e: &&Event| matches!(e, Event::Member { change, .. } if *change == wanted);
    net.nodes[n].log.iter().filter(is).count()
}

fn stalls(net: &Net, n: usize) -> Vec<(String, Duration)> {
    let stall = |e: &Event| match e {
        Event::Stalled { host, time, .. } => Some((host.as_deref()?.to_owned(), *time)),
        _ => None,
    };
    net.nodes[n].log.iter().filter_map(stall).collect()
}

/// Runs until host `n` was told that somebody is lost. Gives how long that took.
fn until_lost(net: &mut Net, n: usize) -> Duration {
    let since = net.now;
    while changes(net, n, Change::Disconnect) == 0 {
        net.run_for(SECOND / 10);
        assert!(net.now - since < 60 * SECOND, "nobody is lost");
    }
    net.now - since
}

#[test]
fn a_host_that_vanishes_is_noticed_within_26_seconds() {
    // Whenever it happens between two beats.
    for tenths in 0..85 {
        let mut net = connected(2);
        net.run_for(30 * SECOND + tenths * SECOND / 10);
        net.swallowed.extend([(0, 1), (1, 0)]);
        let took = until_lost(&mut net, 0);
        assert!(took > 14 * SECOND && took <= 26 * SECOND, "{took:?}");
        // The other one finds out as well, and they meet again.
        until_lost(&mut net, 1);
        net.swallowed.clear();
        net.run_for(10 * SECOND);
        net.assert_full_mesh();
        assert_eq!(changes(&net, 0, Change::Reconnect), 1);
    }
}

#[test]
fn a_host_that_is_not_heard_any_more_is_noticed() {
    let mut net = connected(2);
    net.run_for(30 * SECOND);
    net.swallowed.insert((1, 0));
    assert!(until_lost(&mut net, 0) <= 26 * SECOND);
    net.swallowed.clear();
    net.run_for(10 * SECOND);
    net.assert_full_mesh();
}

#[test]
fn nobody_is_lost_while_all_is_well() {
    let mut net = connected(3);
    net.run_for(3600 * SECOND);
    for n in 0..3 {
        assert_eq!(changes(&net, n, Change::Disconnect), 0);
        assert_eq!(stalls(&net, n), []);
        // One beat for each link and interval, and no look before the timeout.
        assert!((890..=902).contains(&net.beats[&n]), "{:?}", net.beats);
        assert!(net.probes[&n] <= 2 * 3600 / 16, "{:?}", net.probes);
        // Only until they knew that the others beat by themselves.
        assert!(net.pings.get(&n).copied().unwrap_or_default() <= 2);
    }
}

#[test]
fn traffic_in_one_direction_keeps_nobody_from_noticing_and_loses_nobody() {
    let mut net = connected(2);
    for _ in 0..300 {
        let payload = Payload::one(Some("1".into()));
        net.publish(0, "\"c\"", payload);
        net.run_for(SECOND);
    }
    assert_eq!(changes(&net, 0, Change::Disconnect), 0);
    assert_eq!(changes(&net, 1, Change::Disconnect), 0);
    net.swallowed.insert((1, 0));
    let since = net.now;
    while changes(&net, 0, Change::Disconnect) == 0 {
        net.publish(0, "\"c\"", Payload::one(Some("1".into())));
        net.run_for(SECOND);
    }
    assert!(net.now - since <= 26 * SECOND);
}

#[test]
fn a_program_that_stands_still_is_told_and_not_lost() {
    let mut net = connected(2);
    net.run_for(30 * SECOND);
    for stall in 1..=2 {
        net.nodes[1].paused = true;
        net.run_for(100 * SECOND);
        assert_eq!(changes(&net, 0, Change::Disconnect), 0);
        let told = stalls(&net, 0);
        assert_eq!(told.len(), stall, "{told:?}");
        let (host, time) = &told[stall - 1];
        assert_eq!(host, "host0001");
        assert!(*time >= 8 * SECOND && *time < 16 * SECOND, "{time:?}");
        // It goes on.
        net.nodes[1].paused = false;
        net.apply(1);
        net.run_for(20 * SECOND);
    }
    assert_eq!(stalls(&net, 1), []);
    assert_eq!(changes(&net, 0, Change::Disconnect), 0);
}

#[test]
fn a_program_that_is_slow_does_not_stand_still() {
    let mut net = connected(2);
    net.nodes[1].paused = true;
    for _ in 0..100 {
        for _ in 0..10 {
            net.publish(0, "\"c\"", Payload::one(Some("1".into())));
        }
        net.run_for(SECOND);
        let upto = net.told(1) + 1;
        net.applied(1, upto - 1, 0, Vec::new());
    }
    assert_eq!(stalls(&net, 0), []);
}

#[test]
fn v1_hosts_are_asked() {
    let mut net = Net::new(2);
    net.v1_hosts.insert(1);
    net.input(0, Input::Configure(beating()));
    let call = net.join(0, &url(1));
    net.settle();
    assert!(net.result(0, call).is_some());
    net.run_for(1000 * SECOND);
    assert_eq!(changes(&net, 0, Change::Disconnect), 0);
    assert!(net.pings[&0] >= 120, "{:?}", net.pings);
    assert!(!net.beats.contains_key(&0) && !net.beats.contains_key(&1));
    net.swallowed.extend([(0, 1), (1, 0)]);
    assert!(until_lost(&mut net, 0) <= 26 * SECOND);
}

#[test]
fn who_beats_seldom_or_never_is_asked() {
    for interval in [Duration::ZERO, 20 * SECOND] {
        let mut net = connected(2);
        let config = Config {
            heartbeat_interval: interval,
            heartbeat_timeout: 60 * SECOND,
            ..Config::default()
        };
        net.input(1, Input::Configure(config));
        net.run_for(1000 * SECOND);
        for n in 0..2 {
            assert_eq!(changes(&net, n, Change::Disconnect), 0);
        }
        assert!(net.pings[&0] >= 120, "{:?}", net.pings);
        // It is noticed all the same.
        net.swallowed.extend([(0, 1), (1, 0)]);
        assert!(until_lost(&mut net, 0) <= 26 * SECOND);
    }
}

#[test]
fn who_was_stopped_blames_nobody() {
    let mut net = connected(2);
    net.v1_hosts.insert(2);
    net.add(Some(url(2)));
    net.join(0, &url(2));
    net.run_for(30 * SECOND);
    // All of them: time has passed, and nobody was there.
    for time in [10, 15, 20, 30, 1000] {
        net.now += time * SECOND;
        net.run_for(30 * SECOND);
        for n in 0..3 {
            assert_eq!(changes(&net, n, Change::Disconnect), 0, "{time} s");
            assert_eq!(stalls(&net, n), []);
        }
    }
}

#[test]
fn liveness_is_off_unless_wanted() {
    let mut net = Net::new(2);
    net.connect_all();
    net.swallowed.extend([(0, 1), (1, 0)]);
    net.run_for(1000 * SECOND);
    assert_eq!(changes(&net, 0, Change::Disconnect), 0);
    assert!(net.beats.is_empty() && net.pings.is_empty() && net.probes.is_empty());
    // And can be switched on and off.
    net.swallowed.clear();
    net.input(0, Input::Configure(beating()));
    net.run_for(100 * SECOND);
    assert!(net.beats[&0] >= 12 && net.pings[&0] >= 12);
    net.input(0, Input::Configure(Config::default()));
    net.run_for(SECOND);
    let before = (net.beats[&0], net.pings[&0]);
    net.run_for(1000 * SECOND);
    assert_eq!((net.beats[&0], net.pings[&0]), before);
    assert_eq!(changes(&net, 0, Change::Disconnect), 0);
    assert_eq!(changes(&net, 1, Change::Disconnect), 0);
}

#[test]
fn relayed_links_end_with_the_one_that_carries_them() {
    // Hosts 1 and 2 do not listen; host 0 relays.
    let mut net = Net::new(1);
    for _ in 1..3 {
        net.add(None);
    }
    for n in 0..3 {
        net.input(n, Input::Configure(beating()));
    }
    for n in 1..3 {
        net.join(n, &url(0));
        net.settle();
    }
    net.run_for(100 * SECOND);
    assert_eq!(net.nodes[1].connections.len(), 2);
    assert_eq!(net.nodes[2].connections.len(), 2);
    for n in 0..3 {
        assert_eq!(changes(&net, n, Change::Disconnect), 0);
    }
    net.swallowed.extend([(0, 2), (2, 0)]);
    net.run_for(26 * SECOND);
    assert_eq!(changes(&net, 0, Change::Disconnect), 1);
    assert_eq!(changes(&net, 1, Change::Disconnect), 1);
    net.swallowed.clear();
    net.run_for(60 * SECOND);
    assert_eq!(net.nodes[1].connections.len(), 2);
    assert_eq!(net.nodes[2].connections.len(), 2);
}
