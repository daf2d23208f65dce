//! Hosts that meet by a url by which one does not know the other: the session that they have goes on. Each of these was found by the
//! simulation.

mod support;

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Answer, Event, Input, Payload};
use support::{Net, url};

fn publish(net: &mut Net, n: usize, text: &str) {
    net.publish(n, "\"c\"", Payload::one(Some(text.to_owned().into())));
}

fn listen(net: &mut Net, n: usize, url: &str) {
    net.nodes[n].url = Some(url.to_owned());
    let url = Some(ByteString::from(url));
    net.input(n, Input::SetUrl(url));
}

/// Nothing was missing anywhere, and everything has come once, in order.
fn assert_heard(net: &Net, n: usize, all: &[&str]) {
    assert_eq!(net.published(n), all, "host {n}");
    let gap = |e: &&Event| matches!(e, Event::Gap { .. });
    assert_eq!(net.nodes[n].log.iter().find(gap), None, "host {n}");
}

/// Hosts 0 and 1 are connected. Host 1, which may advertise a url, listens at another one, and then they lose each other.
fn lost_and_moved(before: Option<String>) -> Net {
    let mut net = Net::new(1);
    net.add(before);
    net.join(1, &url(0));
    net.settle();
    for n in 0..2 {
        publish(&mut net, n, "before");
    }
    net.settle();
    listen(&mut net, 1, &url(7));
    net.blocked.insert((1, 0));
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    for n in 0..2 {
        publish(&mut net, n, "1");
        publish(&mut net, n, "2");
    }
    net
}

#[test]
fn a_lost_host_that_is_met_by_another_url_goes_on_with_its_session() {
    for before in [None, Some(url(1))] {
        let mut net = lost_and_moved(before);
        let join = net.join(0, &url(7));
        net.settle();
        assert_eq!(net.result(0, join), Some(Ok(Answer::Done)));
        assert_eq!(net.sockets_between(0, 1), 1);
        for n in 0..2 {
            assert_heard(&net, n, &["before", "1", "2"]);
        }
        // Both go on to use it.
        publish(&mut net, 0, "4");
        publish(&mut net, 1, "4");
        net.settle();
        assert_heard(&net, 0, &["before", "1", "2", "4"]);
        assert_heard(&net, 1, &["before", "1", "2", "4"]);
    }
}

#[test]
fn also_when_both_meet_each_other_so_at_the_same_moment() {
    let mut net = lost_and_moved(None);
    listen(&mut net, 0, &url(8));
    net.blocked.clear();
    net.join(0, &url(7));
    net.join(1, &url(8));
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.sockets_between(0, 1), 1);
    for n in 0..2 {
        assert_heard(&net, n, &["before", "1", "2"]);
    }
}

#[test]
fn who_has_given_up_a_host_that_still_waits_for_it_begins_anew_at_once() {
    let mut net = lost_and_moved(None);
    net.input(1, Input::CancelTimer { key: url(0).into() });
    net.blocked.clear();
    let join = net.join(1, &url(0));
    net.settle();
    assert_eq!(net.result(1, join), Some(Ok(Answer::Done)));
    publish(&mut net, 0, "3");
    publish(&mut net, 1, "3");
    net.settle();
    for n in 0..2 {
        assert_eq!(net.published(n), ["before", "3"], "host {n}");
        let gap = |e: &Event| matches!(e, Event::Gap { .. });
        assert!(net.nodes[n].log.iter().any(gap), "host {n}");
    }
}

#[test]
fn a_direct_connection_by_an_unknown_url_goes_on_with_the_session_that_is_relayed() {
    let mut net = Net::new(1);
    for n in 1..3 {
        net.add(None);
        net.nodes[n].peers.insert(format!("\"peer {n}\""));
        net.join(n, &url(0));
        net.settle();
    }
    net.find(2, "\"peer 1\"");
    net.settle();
    assert_eq!(net.sockets_between(1, 2), 0);
    net.reached.insert((1, "ws://another:1".to_owned()), 2);
    net.nodes[1].paused = true; // so that it acknowledges nothing
    let sent = net.send(2, "\"x\"", "\"peer 1\"", "1");
    publish(&mut net, 2, "2");
    net.settle();
    net.join(1, "ws://another:1");
    net.settle();
    net.nodes[1].paused = false;
    net.apply(1);
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_eq!(net.outcome(2, sent), Some(Ok(())));
    assert_eq!(net.arrived(1, "\"peer 1\""), ["1"]);
    assert_heard(&net, 1, &["2"]);
    assert_heard(&net, 2, &[]);
}

#[test]
fn a_session_that_was_begun_over_a_relay_goes_on_directly_before_its_answer_has_come() {
    let mut net = Net::new(1);
    net.add(None);
    net.join(1, &url(0));
    net.settle();
    let late = net.add(Some(url(2)));
    net.join(late, &url(0));
    while !net.nodes[1].connections.contains(&url(2)) {
        net.run_for(Duration::from_micros(100));
    }
    // Host 1 has taken the relayed greeting. It dials at once, and says something over the relay.
    net.delayed.insert((0, 2));
    publish(&mut net, 1, "1");
    net.settle();
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_heard(&net, 2, &["1"]);
    net.delayed.clear();
    assert!(net.arrive_late() >= 1);
    publish(&mut net, 1, "2");
    publish(&mut net, 2, "3");
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_heard(&net, 2, &["1", "2"]);
    assert_heard(&net, 1, &["3"]);
}
