//! Who comes, who is lost, who is back and who goes, as programs are told. Whether each comes and goes once is watched in all other
//! tests as well (`support/view.rs`).

mod support;

use std::time::Duration;

use distribus_mesh::{Change, Event, Input};
use support::{Net, url};

use Change::{Disconnect, Join, Leave, Reconnect};

/// What the program of host `n` was told since the last time: the changes, and the host's id or else its url.
fn told(net: &mut Net, n: usize) -> Vec<(Change, String)> {
    let changes = net.nodes[n].log.drain(..).filter_map(|event| match event {
        Event::Member { change, url, host } => {
            Some((change, host.or(url).expect("a name").to_string()))
        }
        _ => None,
    });
    changes.collect()
}

fn of(name: &str, changes: &[Change]) -> Vec<(Change, String)> {
    changes.iter().map(|c| (*c, name.to_owned())).collect()
}

fn pair() -> Net {
    let mut net = Net::new(2);
    net.join(1, &url(0));
    net.settle();
    assert_eq!(told(&mut net, 0), of("host0001", &[Join]));
    assert_eq!(told(&mut net, 1), of("host0000", &[Join]));
    net
}

#[test]
fn a_lost_connection_is_no_leave() {
    let mut net = pair();
    net.sever(0, 1);
    net.run_for(Duration::from_secs(5));
    assert_eq!(told(&mut net, 0), of("host0001", &[Disconnect, Reconnect]));
    assert_eq!(told(&mut net, 1), of("host0000", &[Disconnect, Reconnect]));
}

#[test]
fn a_goodbye_is_a_leave_on_both_sides() {
    let mut net = pair();
    net.close(1);
    net.settle();
    assert_eq!(told(&mut net, 0), of("host0001", &[Leave]));
    assert_eq!(told(&mut net, 1), of("host0000", &[Leave]));
}

#[test]
fn who_is_lost_when_we_close_leaves() {
    let mut net = pair();
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    for n in 0..2 {
        net.close(n);
    }
    net.settle();
    assert_eq!(told(&mut net, 0), of("host0001", &[Disconnect, Leave]));
    assert_eq!(told(&mut net, 1), of("host0000", &[Disconnect, Leave]));
}

#[test]
fn a_host_that_does_not_come_back_leaves_when_the_reconnect_timeout_is_over() {
    let mut net = pair();
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.run_for(Duration::from_secs(290));
    assert_eq!(told(&mut net, 0), of("host0001", &[Disconnect]));
    assert_eq!(told(&mut net, 1), of("host0000", &[Disconnect]));
    net.run_for(Duration::from_secs(20));
    assert_eq!(told(&mut net, 0), of("host0001", &[Leave]));
    assert_eq!(told(&mut net, 1), of("host0000", &[Leave]));
}

#[test]
fn a_host_that_the_program_gives_up_leaves() {
    // Whether it is waited for, is to be dialled, or is being dialled.
    for after in [10, 10, 1000] {
        for n in 0..2 {
            let mut net = pair();
            net.dead.extend([url(0), url(1)]);
            net.sever(0, 1);
            net.run_for(Duration::from_millis(after));
            let key = url(1 - n).into();
            net.input(n, Input::CancelTimer { key });
            net.settle();
            let other = format!("host{:04}", 1 - n);
            assert_eq!(told(&mut net, n), of(&other, &[Disconnect, Leave]));
        }
    }
}

#[test]
fn a_new_incarnation_is_another_member() {
    for restarted in 0..2 {
        let mut net = pair();
        net.restart(restarted);
        let n = 1 - restarted;
        net.join(restarted, &url(n));
        net.run_for(Duration::from_secs(5));
        let mut expected = of(&format!("host{restarted:04}"), &[Disconnect, Leave]);
        expected.extend(of(&format!("host{restarted:04}again1"), &[Join]));
        assert_eq!(told(&mut net, n), expected);
    }
}

#[test]
fn a_v1_host_is_known_by_its_url() {
    let mut net = Net::new(2);
    net.v1_hosts.insert(1);
    net.join(1, &url(0));
    net.settle();
    net.sever(0, 1);
    net.run_for(Duration::from_secs(5));
    let changes = [Join, Disconnect, Reconnect];
    assert_eq!(told(&mut net, 0), of(&url(1), &changes));
    net.close(1);
    net.settle();
    assert_eq!(told(&mut net, 0), of(&url(1), &[Leave]));
}

#[test]
fn simultaneous_joins_are_one_join() {
    let mut net = Net::new(6);
    for n in 0..6 {
        for m in 0..6 {
            if n != m {
                net.join(n, &url(m));
            }
        }
    }
    net.run_for(Duration::from_secs(15));
    for n in 0..6 {
        let mut changes = told(&mut net, n);
        changes.sort_by(|a, b| a.1.cmp(&b.1));
        let others = (0..6).filter(|m| *m != n);
        let expected: Vec<_> = others
            .flat_map(|m| of(&format!("host{m:04}"), &[Join]))
            .collect();
        assert_eq!(changes, expected);
    }
}

#[test]
fn a_url_to_be_tried_again_is_tried_until_somebody_is_there() {
    let mut net = Net::new(3);
    net.dead.insert(url(2));
    net.join(0, &url(1));
    net.settle();
    let retry = || Input::Retry { url: url(2).into() };
    net.input(0, retry());
    net.input(0, retry());
    assert_eq!(net.nodes[0].timers.len(), 1);
    net.run_for(Duration::from_secs(60));
    assert_eq!(told(&mut net, 0), of("host0001", &[Join]));
    net.dead.clear();
    net.run_for(Duration::from_secs(5));
    net.assert_full_mesh();
    assert_eq!(told(&mut net, 0), of("host0002", &[Join]));
    // Not where somebody is, nor where we are ourselves.
    for n in 0..3 {
        net.input(0, Input::Retry { url: url(n).into() });
    }
    assert!(net.nodes[0].timers.is_empty());
}
