//! Hosts that begin to listen when they are connected already: those with whom they were relayed dial them.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Event, Input, LinkId, Nearness};
use support::{Net, url};

fn id(n: usize) -> String {
    format!("host{n:04}")
}

/// Host 0 listens, and so many have joined it that do not: they are relayed.
fn relayed(others: usize) -> Net {
    relayed_near(others, &[])
}

/// The same. These are on one machine with host 0.
fn relayed_near(others: usize, near: &[usize]) -> Net {
    let mut net = Net::new(1);
    for n in near {
        net.near.insert((0, *n), Nearness::Machine);
    }
    for _ in 0..others {
        let n = net.add(None);
        net.nodes[n].peers.insert(format!("\"peer {n}\""));
        net.join(n, &url(0));
        net.settle();
    }
    for n in 1..=others {
        for m in (1..=others).filter(|m| *m != n) {
            assert_eq!(net.sockets_between(n, m), 0);
            assert!(net.nodes[n].connections.contains(&id(m)));
            assert_talk(&mut net, n, m);
        }
    }
    net
}

fn listen(net: &mut Net, n: usize, url: &str) {
    net.nodes[n].url = Some(url.to_owned());
    let url = Some(ByteString::from(url));
    net.input(n, Input::SetUrl(url));
}

fn assert_talk(net: &mut Net, n: usize, m: usize) {
    let (peer, message) = (
        format!("\"peer {m}\""),
        format!("{:?}", net.now.as_micros()),
    );
    let seq = net.send(n, "\"x\"", &peer, &message);
    net.settle();
    assert_eq!(net.outcome(n, seq), Some(Ok(())), "from {n} to {m}");
    assert_eq!(net.arrived(m, &peer).last(), Some(&message));
}

#[test]
fn who_begins_to_listen_is_dialled_by_those_with_whom_it_was_relayed() {
    let mut net = relayed(3);
    listen(&mut net, 2, &url(2));
    net.settle();
    for n in [1, 3] {
        assert_eq!(net.sockets_between(n, 2), 1, "host {n}");
        let others = BTreeSet::from([url(0), url(2), id(4 - n)]);
        assert_eq!(net.nodes[n].connections, others, "host {n}");
        assert_talk(&mut net, n, 2);
        assert_talk(&mut net, 2, n);
    }
    assert_eq!(net.sockets_between(1, 3), 0);
    let relay_was_needed = net.nodes[1].connections.contains(&id(3));
    assert!(relay_was_needed);
    // It has never been lost, nor come anew.
    for node in &net.nodes {
        let changes = node
            .log
            .iter()
            .filter(|e| matches!(e, Event::Member { .. }));
        assert_eq!(changes.count(), 3);
    }
}

#[test]
fn nothing_is_lost_when_one_begins_to_listen() {
    let mut net = relayed(2);
    let peers = ["", "\"peer 1\"", "\"peer 2\""];
    let before = [0, 1, 2].map(|n| net.arrived(n, peers[n]).len());
    let mut sent = Vec::new();
    for round in 0..60 {
        if round == 5 {
            listen(&mut net, 1, &url(1));
        }
        net.run_for(Duration::from_micros(300));
        for (n, m) in [(1, 2), (2, 1)] {
            let seq = net.send(n, peers[n], peers[m], &round.to_string());
            sent.push((n, seq));
        }
    }
    net.settle();
    assert_eq!(net.sockets_between(1, 2), 1);
    for (n, seq) in sent {
        assert_eq!(net.outcome(n, seq), Some(Ok(())));
    }
    let all: Vec<String> = (0..60).map(|round| round.to_string()).collect();
    for n in [1, 2] {
        assert_eq!(net.arrived(n, peers[n])[before[n]..], all);
    }
}

#[test]
fn who_begins_to_listen_and_cannot_be_dialled_yet_is_tried_again() {
    let mut net = relayed(2);
    net.blocked.extend([(1, 2), (2, 1)]);
    listen(&mut net, 2, &url(2));
    net.run_for(Duration::from_secs(1));
    assert_eq!(net.sockets_between(1, 2), 0);
    assert_talk(&mut net, 1, 2);
    let told = |e: &&Event| matches!(e, Event::Unreachable { .. });
    assert_eq!(net.nodes[1].log.iter().filter(told).count(), 0);
    net.blocked.clear();
    net.run_for(Duration::from_secs(10));
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_talk(&mut net, 2, 1);
}

#[test]
fn both_begin_to_listen_at_the_same_moment() {
    let mut net = relayed(2);
    listen(&mut net, 1, &url(1));
    listen(&mut net, 2, &url(2));
    net.run_for(Duration::from_secs(10));
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_talk(&mut net, 1, 2);
    assert_talk(&mut net, 2, 1);
    for n in [1, 2] {
        let others = BTreeSet::from([url(0), url(3 - n)]);
        assert_eq!(net.nodes[n].connections, others, "host {n}");
    }
}

#[test]
fn who_joins_later_by_a_host_that_does_not_know_the_url_is_connected_directly_as_well() {
    let mut net = relayed(2);
    listen(&mut net, 2, &url(2));
    net.settle();
    let n = net.add(None);
    net.nodes[n].peers.insert(format!("\"peer {n}\""));
    net.join(n, &url(0));
    net.run_for(Duration::from_secs(10));
    assert_eq!(net.sockets_between(n, 2), 1);
    assert_eq!(net.sockets_between(n, 1), 0);
    for (n, m) in [(n, 2), (2, n), (n, 1), (1, n)] {
        assert_talk(&mut net, n, m);
    }
}

#[test]
fn who_begins_to_listen_while_it_greets_is_dialled_as_well() {
    for moment in 0..20 {
        let mut net = relayed(1);
        let n = net.add(None);
        net.nodes[n].peers.insert(format!("\"peer {n}\""));
        net.join(n, &url(0));
        net.run_for(Duration::from_micros(500 * moment));
        listen(&mut net, n, &url(n));
        net.run_for(Duration::from_secs(10));
        assert_eq!(net.sockets_between(1, n), 1, "moment {moment}");
        assert_talk(&mut net, 1, n);
        assert_talk(&mut net, n, 1);
    }
}

#[test]
fn a_url_that_means_the_receiver_itself_or_another_one_ends_nothing() {
    let mut net = relayed(3);
    listen(&mut net, 1, &url(1));
    net.settle();
    let sockets = |net: &Net| {
        (
            net.sockets_between(1, 2),
            net.sockets_between(2, 3),
            net.sockets_between(1, 3),
        )
    };
    assert_eq!(sockets(&net), (1, 0, 1));
    // That leads nowhere.
    listen(&mut net, 3, "");
    net.run_for(Duration::from_secs(10));
    assert_eq!(sockets(&net), (1, 0, 1));
    // On machine 2 that leads to host 1, and on machine 1 to itself.
    let made = net.nodes[2].log.len();
    listen(&mut net, 3, &url(1));
    net.run_for(Duration::from_secs(300));
    assert_eq!(sockets(&net), (1, 0, 1));
    let connected = |e: &&Event| matches!(e, Event::Connected { .. } | Event::Disconnected { .. });
    assert_eq!(net.nodes[2].log[made..].iter().filter(connected).count(), 0);
    for (n, m) in [(1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 1)] {
        assert_talk(&mut net, n, m);
    }
}

#[test]
fn who_is_relayed_on_one_machine_may_tell_of_loopback_addresses_and_nobody_else() {
    for (near, expected) in [
        (&[1, 2][..], Nearness::Machine),
        (&[1], Nearness::Elsewhere),
        (&[2], Nearness::Elsewhere),
        (&[], Nearness::Elsewhere),
    ] {
        let mut net = relayed_near(2, near);
        net.dialled.clear();
        listen(&mut net, 2, &url(2));
        net.settle();
        assert_eq!(net.dialled, [(1, url(2), expected)]);
        // The other one has opened the relayed link.
        let mut net = relayed_near(2, near);
        net.dialled.clear();
        listen(&mut net, 1, &url(1));
        net.settle();
        assert_eq!(net.dialled, [(2, url(1), expected)]);
    }
}

#[test]
fn what_a_host_elsewhere_says_of_others_does_not_bring_them_nearer() {
    for (near, expected) in [(&[1][..], Nearness::Machine), (&[], Nearness::Elsewhere)] {
        let mut net = relayed_near(2, near);
        net.dialled.clear();
        // Host 1 hears it over the link by which it has joined host 0.
        let (link, note) = (
            LinkId(1),
            r#"{"message":{"method":"near","params":{"id":"host0002"}}}"#,
        );
        let text = note.into();
        net.input(1, Input::Received { link, text });
        listen(&mut net, 2, &url(2));
        net.settle();
        assert_eq!(net.dialled, [(1, url(2), expected)]);
    }
}
