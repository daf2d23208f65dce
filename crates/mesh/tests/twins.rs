//! Hosts that advertise the same url: because it means another machine on every machine, as `0.0.0.0` does, or by mistake.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use distribus_mesh::{Answer, Change, Event, Input, Nearness, Payload};
use support::Net;

const URL: &str = "ws://0.0.0.0:3000";

/// By this name host `n` can be dialled from everywhere.
fn name(n: usize) -> String {
    format!("ws://machine{n}:3000")
}

/// Hosts on machines of their own, which advertise these urls. There the url [`URL`] leads to the machine itself.
fn machines(urls: &[&str]) -> Net {
    let mut net = Net::new(0);
    for (n, url) in urls.iter().enumerate() {
        net.add(Some((*url).to_owned()));
        let lives = format!("\"peer{n}\"");
        net.create(n, [lives]);
        net.reached.insert((n, URL.to_owned()), n);
        let names = (0..urls.len()).map(|m| ((n, name(m)), m));
        net.reached.extend(names.collect::<Vec<_>>());
    }
    net
}

fn join(net: &mut Net, n: usize, to: usize) {
    let call = net.join(n, &name(to));
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.result(n, call), Some(Ok(Answer::Done)), "join of {n}");
}

/// Hosts 1 and 2 advertise the same url, and have joined host 0, which has one of its own.
fn two_beside_one() -> Net {
    let mut net = machines(&["ws://machine0:3000", URL, URL]);
    join(&mut net, 1, 0);
    join(&mut net, 2, 0);
    net
}

fn changes(net: &Net, n: usize, wanted: Change) -> usize {
    let is = |e: &&Event| matches!(e, Event::Member { change, .. } if *change == wanted);
    net.nodes[n].log.iter().filter(is).count()
}

/// How often host `n` was told that another host has its url, and how often that two other ones have the same.
fn told(net: &Net, n: usize) -> (usize, usize) {
    let told = |wanted: bool| {
        let is = |e: &&Event| matches!(e, Event::UrlTaken { ours, .. } if *ours == wanted);
        net.nodes[n].log.iter().filter(is).count()
    };
    (told(true), told(false))
}

/// All are connected with all and stay so, and every peer and subscriber is reached from everywhere.
fn assert_whole(net: &mut Net) {
    let all = 0..net.nodes.len();
    let lost = |net: &Net| {
        all.clone()
            .map(|n| changes(net, n, Change::Disconnect))
            .sum::<usize>()
    };
    let (before, frames) = (lost(net), net.frames);
    net.run_for(Duration::from_secs(30));
    assert_eq!(lost(net), before, "connections do not last");
    assert!(net.frames - frames < 400, "{} frames", net.frames - frames);
    for n in all.clone() {
        let others = all.clone().filter(|m| *m != n);
        let others: BTreeSet<String> = others.map(|m| format!("host{m:04}")).collect();
        let connected = net.nodes[n].view.connected();
        assert_eq!(connected, others.iter().collect(), "host {n}");
        net.publish(
            n,
            "\"c\"",
            Payload::one(Some(format!("\"from {n}\"").into())),
        );
        for m in all.clone().filter(|m| *m != n) {
            let peer = format!("\"peer{m}\"");
            let seq = net.send(n, "\"x\"", &peer, &format!("\"from {n}\""));
            net.settle();
            assert_eq!(net.outcome(n, seq), Some(Ok(())), "from {n} to {m}");
        }
    }
    for n in all.clone() {
        let others: Vec<String> = all
            .clone()
            .filter(|m| *m != n)
            .map(|m| format!("\"from {m}\""))
            .collect();
        assert_eq!(net.published(n), others, "channels of {n}");
        assert_eq!(
            net.arrived(n, &format!("\"peer{n}\"")),
            others,
            "peer of {n}"
        );
    }
}

#[test]
fn every_host_advertises_an_address_that_means_itself() {
    let mut net = machines(&[URL; 5]);
    for (n, to) in [(1, 0), (2, 0), (3, 2), (4, 1)] {
        join(&mut net, n, to);
    }
    assert_whole(&mut net);
    for n in 0..5 {
        assert_eq!(told(&net, n), (1, 0), "host {n}");
    }
    assert!(net.nodes[1].connections.contains(&name(0)));
}

#[test]
fn such_hosts_join_each_other_crosswise() {
    let mut net = machines(&[URL; 4]);
    for (n, to) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        net.join(n, &name(to));
    }
    net.run_for(Duration::from_secs(5));
    assert_whole(&mut net);
}

#[test]
fn two_hosts_say_to_a_third_one_that_they_are_at_the_same_place() {
    let mut net = two_beside_one();
    assert_eq!(
        net.nodes[0].connections,
        BTreeSet::from([URL.to_owned(), "host0002".to_owned()])
    );
    assert_eq!(
        (told(&net, 0), told(&net, 1).1, told(&net, 2).0),
        ((0, 1), 0, 1)
    );
    assert_whole(&mut net);
}

#[test]
fn so_they_stay_when_connections_are_lost() {
    let mut net = two_beside_one();
    for (a, b) in [(0, 1), (0, 2), (0, 1)] {
        net.sever(a, b);
        net.run_for(Duration::from_secs(5));
    }
    assert_whole(&mut net);
}

#[test]
fn each_of_them_was_dialled() {
    let mut net = machines(&["ws://machine0:3000", URL, URL, URL]);
    for m in 1..4 {
        join(&mut net, 0, m);
    }
    let names = (1..4).map(name).collect();
    assert_eq!(net.nodes[0].connections, names);
    assert_whole(&mut net);
}

#[test]
fn they_are_relayed_to_one_that_nobody_can_dial() {
    let mut net = machines(&["ws://machine0:3000", URL, URL]);
    let unlisted = net.add(None);
    net.create(unlisted, [format!("\"peer{unlisted}\"")]);
    net.reached.insert((unlisted, name(0)), 0);
    net.blocked.extend([(unlisted, 1), (unlisted, 2)]);
    for n in [unlisted, 1, 2] {
        join(&mut net, n, 0);
    }
    assert_whole(&mut net);
}

#[test]
fn who_was_started_anew_takes_its_place() {
    let mut net = machines(&["ws://machine0:3000", URL]);
    join(&mut net, 1, 0);
    net.restart(1);
    let call = net.join(1, &name(0));
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    assert_eq!(net.nodes[0].connections, BTreeSet::from([URL.to_owned()]));
    assert_eq!(told(&net, 0), (0, 0));
}

#[test]
fn so_it_does_when_nobody_has_heard_that_the_former_one_has_ended() {
    let mut net = machines(&["ws://machine0:3000", URL]);
    join(&mut net, 1, 0);
    net.swallowed.insert((1, 0));
    net.restart(1);
    net.swallowed.clear();
    assert_eq!(net.nodes[0].connections, BTreeSet::from([URL.to_owned()]));
    let call = net.join(1, &name(0));
    net.run_for(Duration::from_millis(1100));
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    assert_eq!(net.nodes[0].connections, BTreeSet::from([URL.to_owned()]));
    assert_eq!(changes(&net, 0, Change::Leave), 1);
    assert_eq!(told(&net, 0), (0, 0));
}

#[test]
fn the_former_one_ends_while_it_is_waited_for() {
    let mut net = machines(&["ws://machine0:3000", URL, URL]);
    join(&mut net, 1, 0);
    net.silence(1);
    let call = net.join(2, &name(0));
    net.settle();
    assert_eq!(net.result(2, call), None);
    net.sever(0, 1);
    net.settle();
    assert_eq!(net.result(2, call), Some(Ok(Answer::Done)));
    assert_eq!(net.nodes[0].connections, BTreeSet::from([URL.to_owned()]));
    assert_eq!(changes(&net, 0, Change::Leave), 1);
}

#[test]
fn who_was_silent_for_too_long_comes_back_under_another_name() {
    let mut net = machines(&["ws://machine0:3000", URL, URL]);
    join(&mut net, 1, 0);
    net.swallowed.insert((1, 0));
    let call = net.join(2, &name(0));
    net.run_for(Duration::from_secs(2));
    assert_eq!(net.result(2, call), Some(Ok(Answer::Done)));
    net.swallowed.clear();
    // Of that it has not heard.
    net.sever(1, 0);
    net.run_for(Duration::from_secs(5));
    assert_eq!(
        net.nodes[0].connections,
        BTreeSet::from([URL.to_owned(), "host0001".to_owned()])
    );
    assert_whole(&mut net);
}

#[test]
fn the_one_with_the_url_leaves() {
    let mut net = two_beside_one();
    net.close(1);
    net.run_for(Duration::from_secs(2));
    assert_eq!(
        net.nodes[0].connections,
        BTreeSet::from(["host0002".to_owned()])
    );
    // Who comes now is alone.
    net.sever(0, 2);
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.nodes[0].connections, BTreeSet::from([URL.to_owned()]));
}

#[test]
fn a_stranger_who_says_that_it_is_somebody_else_disturbs_nobody() {
    let mut net = Net::new(2);
    net.connect_all();
    let link = net.nodes[0].mesh.next_link();
    net.input(
        0,
        Input::Accepted {
            link,
            near: Nearness::Elsewhere,
        },
    );
    for id in 1..=3 {
        let url = support::url(1);
        let params = format!(r#"{{"url":"{url}","host":{{"id":"stranger","replace":true}}}}"#);
        let greeting =
            format!(r#"{{"id":{id},"message":{{"method":"greeting","params":{params}}}}}"#);
        net.input(
            0,
            Input::Received {
                link,
                text: greeting.into(),
            },
        );
    }
    net.run_for(Duration::from_secs(3));
    let names = [support::url(1), "stranger".to_owned()];
    assert_eq!(net.nodes[0].connections, BTreeSet::from(names));
    assert_eq!(
        changes(&net, 0, Change::Disconnect) + changes(&net, 0, Change::Leave),
        0
    );
    assert_eq!(told(&net, 0), (0, 1));
}

/// Host 0 does not listen at first. Hosts 1 and 2 advertise the same url, and host 3 relays.
fn twins_that_are_relayed() -> Net {
    let mut net = machines(&["ws://machine0:3000", URL, URL, "ws://machine3:3000"]);
    net.nodes[0].url = None;
    net.input(0, Input::SetUrl(None));
    for n in 0..3 {
        join(&mut net, n, 3);
    }
    assert!(net.nodes[0].connections.contains(URL));
    net
}

/// Host 0 begins to listen. Of the twins the one that goes by its id there dials it, the other one, which has the url, cannot. Gives
/// that one.
fn one_comes_directly(net: &mut Net) -> usize {
    let holder = match net.nodes[0].connections.contains("host0002") {
        true => 1,
        false => 2,
    };
    net.blocked.insert((holder, 0));
    net.nodes[0].url = Some(name(0));
    net.input(0, Input::SetUrl(Some(name(0).into())));
    holder
}

#[test]
fn a_relayed_host_stays_when_another_one_that_advertises_its_url_comes_directly() {
    let mut net = twins_that_are_relayed();
    let holder = one_comes_directly(&mut net);
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.sockets_between(0, 3 - holder), 1);
    assert_eq!(changes(&net, 0, Change::Leave), 0);
    assert_eq!(changes(&net, 0, Change::Disconnect), 0);
    net.blocked.clear();
    assert_whole(&mut net);
    assert_eq!(changes(&net, 0, Change::Leave), 0);
}

#[test]
fn whoever_gives_way_to_another_one_with_its_url_and_lives_on_is_missed() {
    let mut net = twins_that_are_relayed();
    let holder = match net.nodes[0].connections.contains("host0002") {
        true => 1,
        false => 2,
    };
    // It is frozen, and has what was sent to it.
    net.silence(holder);
    let seq = net.send(0, "\"x\"", &format!("\"peer{holder}\""), "1");
    assert_eq!(one_comes_directly(&mut net), holder);
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.sockets_between(0, 3 - holder), 1);
    assert_eq!(changes(&net, 0, Change::Leave), 1);
    let gap = |e: &Event| matches!(e, Event::Gap { .. });
    assert!(net.nodes[0].log.iter().any(gap));
    assert!(net.outcome(0, seq).is_some_and(|o| o.is_err()));
    net.speak(holder);
    net.blocked.clear();
    net.run_for(Duration::from_secs(30));
    for (n, m) in [(0, holder), (holder, 0)] {
        let seq = net.send(n, "\"x\"", &format!("\"peer{m}\""), "2");
        net.run_for(Duration::from_secs(1));
        assert_eq!(net.outcome(n, seq), Some(Ok(())), "from {n} to {m}");
    }
}
