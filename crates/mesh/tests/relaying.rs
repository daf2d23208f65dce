//! Hosts that cannot dial each other, and are relayed by hosts that both are connected with.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::wire::routed::{self, Content, Header};
use distribus_mesh::wire::v2::Frame;
use distribus_mesh::{Answer, Config, Event, Input, Payload, SendError, Topic};
use support::{LATENCY, Net, url};

fn id(n: usize) -> String {
    format!("host{n:04}")
}

/// `listening` hosts that listen, connected with each other, and `others` that do not, which have joined the first one.
fn network(listening: usize, others: usize) -> Net {
    let mut net = Net::new(listening);
    net.connect_all();
    for _ in 0..others {
        let n = net.add(None);
        let call = net.join(n, &url(0));
        net.settle();
        assert_eq!(net.result(n, call), Some(Ok(Answer::Done)));
    }
    net
}

/// Everybody is connected with everybody else: under the url, or under the id of who has none.
fn assert_connected(net: &Net) {
    for n in 0..net.nodes.len() {
        let name = |m: usize| net.nodes[m].url.clone().unwrap_or_else(|| id(m));
        let others: BTreeSet<String> = (0..net.nodes.len()).filter(|m| *m != n).map(name).collect();
        assert_eq!(net.nodes[n].connections, others, "connections of host {n}");
    }
}

fn assert_talk(net: &mut Net, n: usize, m: usize) {
    let peer = format!("\"of {m} for {n} at {:?}\"", net.now);
    net.nodes[m].peers.insert(peer.clone());
    let seq = net.send(n, "\"x\"", &peer, "1");
    net.settle();
    assert_eq!(net.outcome(n, seq), Some(Ok(())), "from {n} to {m}");
    assert_eq!(net.arrived(m, &peer), ["1"]);
}

fn assert_all_talk(net: &mut Net) {
    for n in 0..net.nodes.len() {
        for m in (0..net.nodes.len()).filter(|m| *m != n) {
            assert_talk(net, n, m);
        }
    }
}

/// How often host `n` was told that it is connected with the host with that key.
fn connections_made(net: &Net, n: usize, key: &str) -> usize {
    let made = |e: &&Event| matches!(e, Event::Connected { key: k, .. } if **k == *key);
    net.nodes[n].log.iter().filter(made).count()
}

fn interests(net: &mut Net) {
    for n in 0..net.nodes.len() {
        let interests = true;
        let config = Config {
            interests,
            ..Config::default()
        };
        net.input(n, Input::Configure(config));
    }
}

#[test]
fn two_that_joined_a_third_reach_each_other() {
    let mut net = network(1, 2);
    assert_connected(&net);
    assert_all_talk(&mut net);
    net.nodes[2].peers = BTreeSet::from(["\"b\"".to_owned()]);
    net.nodes[1].peers = BTreeSet::from(["\"a\"".to_owned()]);
    let call = net.find(1, "\"b\"");
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Url(None))));
    assert_eq!(net.nodes[1].addresses["\"b\""], id(2));
    let call = net.list(1);
    net.settle();
    let Some(Ok(Answer::Ids(lists))) = net.result(1, call) else {
        panic!("{:?}", net.result(1, call));
    };
    assert!(lists.contains(&"[\"b\"]".into()), "{lists:?}");
    net.publish(2, "\"c\"", Payload::one(Some("7".into())));
    net.settle();
    assert_eq!(
        (net.published(0), net.published(1)),
        (vec!["7".into()], vec!["7".into()])
    );
}

#[test]
fn a_join_is_done_when_those_that_are_relayed_are_connected() {
    let mut net = network(1, 1);
    let n = net.add(None);
    let call = net.join(n, &url(0));
    while net.result(n, call).is_none() {
        net.run_for(LATENCY);
    }
    assert!(net.nodes[n].connections.contains(&id(1)));
    assert!(net.nodes[1].connections.contains(&id(n)));
}

#[test]
fn many_that_join_at_once_by_any_host_all_meet() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut net = Net::new(3);
        for n in 1..3 {
            net.join(n, &url(0));
        }
        for _ in 0..5 {
            net.run_for(Duration::from_micros(random.u64(0..3000)));
            let n = net.add(None);
            net.join(n, &url(random.usize(0..3)));
        }
        net.run_for(Duration::from_secs(4));
        assert_connected(&net);
        for n in 3..8 {
            for m in (3..8).filter(|m| *m != n) {
                assert_eq!(
                    connections_made(&net, n, &id(m)),
                    1,
                    "{n} and {m}, seed {seed}"
                );
            }
        }
        assert_all_talk(&mut net);
    }
}

#[test]
fn a_link_is_dialled_by_one_side() {
    let mut net = Net::new(1);
    net.tap = Some(Vec::new());
    for _ in 0..2 {
        net.add(None);
    }
    for n in 1..3 {
        net.join(n, &url(0));
    }
    net.settle();
    assert_connected(&net);
    let tap = net.tap.take().unwrap();
    let opened = tap.iter().filter(|(_, to, frame)| {
        let (_, at) = routed::header(frame).unwrap();
        *to == 0 && routed::opens(frame, at)
    });
    assert_eq!(opened.count(), 1);
}

#[test]
fn who_listens_and_joins_later_is_dialled_directly() {
    let mut net = network(1, 2);
    let n = net.add(Some(url(3)));
    let call = net.join(n, &url(0));
    net.settle();
    assert_eq!(net.result(n, call), Some(Ok(Answer::Done)));
    assert_connected(&net);
    assert_eq!(
        (net.sockets_between(1, n), net.sockets_between(2, n)),
        (1, 1)
    );
    net.tap = Some(Vec::new());
    assert_talk(&mut net, 1, n);
    assert_talk(&mut net, n, 2);
    let tap = net.tap.take().unwrap();
    let relayed = tap
        .iter()
        .map(|(_, _, frame)| routed::header(frame).unwrap().0);
    let theirs = relayed.filter(|h| h.origin == id(n) || h.destination == id(n));
    assert_eq!(theirs.count(), 0, "nothing more is relayed for it");
}

#[test]
fn nothing_is_lost_while_a_direct_link_takes_over() {
    let mut net = network(1, 1);
    net.nodes[1].peers.insert("\"p\"".into());
    let n = net.add(Some(url(2)));
    net.nodes[n].peers.insert("\"q\"".into());
    net.join(n, &url(0));
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let mut finds = Vec::new();
    for round in 0..60 {
        net.run_for(Duration::from_micros(300));
        if net.nodes[n].connections.contains(&id(1)) && net.nodes[1].connections.contains(&url(2)) {
            there.push(net.send(n, "\"q\"", "\"p\"", &round.to_string()));
            back.push(net.send(1, "\"p\"", "\"q\"", &round.to_string()));
            finds.push(net.find(n, &format!("\"nobody {round}\"")));
        }
    }
    net.settle();
    assert_eq!(net.sockets_between(1, n), 1);
    assert!(there.len() > 20);
    for (to, from) in there.iter().zip(&back) {
        assert_eq!(net.outcome(n, *to), Some(Ok(())));
        assert_eq!(net.outcome(1, *from), Some(Ok(())));
    }
    for (n, peer) in [(1, "\"p\""), (n, "\"q\"")] {
        let arrived = net.arrived(n, peer);
        let numbers: Vec<u32> = arrived.iter().map(|t| t.parse().unwrap()).collect();
        assert_eq!(numbers.len(), there.len());
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
    assert!(finds.iter().all(|call| net.result(n, *call).is_some()));
}

#[test]
fn a_goodbye_reaches_all() {
    let mut net = network(2, 3);
    net.nodes[2].peers.insert("\"p\"".into());
    net.send(4, "\"x\"", "\"p\"", "1");
    net.settle();
    let call = net.close(2);
    net.settle();
    assert_eq!(net.result(2, call), Some(Ok(Answer::Done)));
    for n in [0, 1, 3, 4] {
        assert!(!net.nodes[n].connections.contains(&id(2)), "host {n}");
        assert!(net.nodes[n].timers.is_empty(), "host {n} waits");
        assert!(net.nodes[n].addresses.is_empty());
    }
    assert!(net.nodes[2].connections.is_empty());
    assert_talk(&mut net, 3, 4);
}

#[test]
fn all_can_close_at_the_same_moment() {
    let mut net = network(2, 4);
    let calls: Vec<u64> = (0..6).map(|n| net.close(n)).collect();
    net.run_for(Duration::from_secs(11));
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(net.result(n, call), Some(Ok(Answer::Done)), "host {n}");
    }
}

#[test]
fn who_loses_its_relay_is_lost_for_the_others_and_comes_back() {
    let mut net = network(1, 2);
    net.publish(2, "\"c\"", Payload::one(Some("1".into())));
    net.settle();
    net.sever(0, 1);
    net.run_for(4 * LATENCY);
    assert!(!net.nodes[2].connections.contains(&id(1)), "it is told");
    assert!(net.nodes[2].timers.contains(&id(1)));
    net.publish(2, "\"c\"", Payload::one(Some("2".into())));
    net.run_for(Duration::from_secs(3));
    assert_connected(&net);
    assert!(net.nodes.iter().all(|n| n.timers.is_empty()));
    assert_eq!(
        net.published(1),
        ["1", "2"],
        "what was published meanwhile has waited"
    );
    assert_all_talk(&mut net);
}

#[test]
fn who_never_comes_back_is_forgotten() {
    let mut net = network(1, 2);
    net.nodes[1].peers.insert("\"p\"".into());
    net.send(2, "\"x\"", "\"p\"", "1");
    net.settle();
    net.crash(1);
    net.run_for(Duration::from_secs(310));
    assert!(net.nodes[2].timers.is_empty() && net.nodes[2].addresses.is_empty());
    let seq = net.send(2, "\"x\"", "\"p\"", "2");
    net.settle();
    let id = Some("\"p\"".into());
    assert_eq!(net.outcome(2, seq), Some(Err(SendError::NotFound { id })));
    assert_eq!(net.nodes[2].connections, BTreeSet::from([url(0)]));
}

#[test]
fn another_relay_takes_over_without_a_loss() {
    for graceful in [false, true] {
        let mut net = network(3, 2);
        net.nodes[4].peers.insert("\"p\"".into());
        net.send(3, "\"x\"", "\"p\"", "0");
        net.settle();
        net.tap = Some(Vec::new());
        assert_talk(&mut net, 3, 4);
        let relay = net.tap.take().unwrap()[0].1;
        // What is under way then must arrive all the same, once.
        let mut seqs: Vec<u64> = Vec::new();
        for n in 1..=3 {
            seqs.push(net.send(3, "\"x\"", "\"p\"", &n.to_string()));
        }
        if graceful {
            net.close(relay);
        } else {
            net.crash(relay);
        }
        net.settle();
        assert!(
            net.nodes[3].connections.contains(&id(4)),
            "graceful: {graceful}"
        );
        assert!(net.nodes[4].connections.contains(&id(3)));
        for seq in &seqs {
            assert_eq!(net.outcome(3, *seq), Some(Ok(())), "graceful: {graceful}");
        }
        assert_eq!(net.arrived(4, "\"p\""), ["0", "1", "2", "3"]);
        assert_talk(&mut net, 4, 3);
    }
}

#[test]
fn a_relay_that_starts_again_relays_again() {
    let mut net = network(1, 3);
    net.restart(0);
    net.run_for(Duration::from_secs(5));
    assert_connected(&net);
    assert_all_talk(&mut net);
}

#[test]
fn a_relayed_host_that_starts_again_is_another_one() {
    let mut net = network(1, 2);
    net.nodes[1].peers.insert("\"p\"".into());
    net.send(2, "\"x\"", "\"p\"", "1");
    net.settle();
    net.restart(1);
    net.join(1, &url(0));
    net.run_for(Duration::from_secs(2));
    assert_talk(&mut net, 2, 1);
    assert_talk(&mut net, 1, 2);
    assert_eq!(net.nodes[2].connections.len(), 2);
}

#[test]
fn who_listens_but_cannot_be_dialled_is_relayed() {
    let mut net = Net::new(4);
    for n in 1..4 {
        net.blocked
            .extend([(n, 3), (3, n)].into_iter().filter(|(a, b)| a != b));
    }
    for n in [1, 2, 3] {
        let call = net.join(n, &url(0));
        net.settle();
        assert_eq!(net.result(n, call), Some(Ok(Answer::Done)));
        let errors = net.nodes[n].log.iter();
        let mut errors = errors.filter(|e| matches!(e, Event::Unreachable { .. }));
        assert_eq!(errors.next(), None, "host {n}");
    }
    assert_connected(&net);
    assert_eq!(net.sockets_between(1, 3), 0);
    assert_all_talk(&mut net);
    // And goes on so when the relay was away for a moment.
    net.sever(0, 3);
    net.run_for(Duration::from_secs(5));
    assert_connected(&net);
    assert_all_talk(&mut net);
}

#[test]
fn a_direct_link_takes_over_when_one_becomes_possible() {
    let mut net = Net::new(3);
    net.blocked.extend([(1, 2), (2, 1)]);
    net.join(1, &url(0));
    net.join(2, &url(0));
    net.settle();
    assert_connected(&net);
    assert_eq!(net.sockets_between(1, 2), 0);
    // Both try at the same moment.
    net.blocked.clear();
    net.run_for(Duration::from_secs(10));
    assert_connected(&net);
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_all_talk(&mut net);
}

#[test]
fn a_join_by_the_url_of_a_relayed_host_makes_a_direct_link_at_once() {
    let mut net = Net::new(3);
    net.blocked.extend([(1, 2), (2, 1)]);
    net.join(1, &url(0));
    net.join(2, &url(0));
    net.run_for(Duration::from_secs(20));
    assert_eq!(net.sockets_between(1, 2), 0);
    net.blocked.clear();
    let call = net.join(1, &url(2));
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    assert_eq!(net.sockets_between(1, 2), 1);
    assert_connected(&net);
    assert_all_talk(&mut net);
}

#[test]
fn two_that_lose_a_connection_which_neither_can_make_again_are_relayed() {
    let mut net = network(2, 1);
    assert_eq!(net.sockets_between(1, 2), 1);
    net.dead.insert(url(1));
    net.nodes[1].url = None;
    net.input(1, Input::SetUrl(None));
    // Its relay knows that, when both are connected again.
    net.sever(0, 1);
    net.run_for(Duration::from_secs(5));
    net.sever(1, 2);
    net.run_for(Duration::from_secs(5));
    assert_all_talk(&mut net);
    assert_eq!(net.sockets_between(1, 2), 0);
}

#[test]
fn only_who_is_interested_gets_what_is_published() {
    let mut net = Net::new(1);
    for _ in 0..3 {
        net.add(None);
    }
    interests(&mut net);
    for n in 1..4 {
        net.join(n, &url(0));
        net.settle();
    }
    let topic = Topic {
        name: "c".into(),
        pattern: false,
    };
    net.input(1, Input::Subscribe { topic });
    let ready = net.call_with(1, |call| Input::Ready { call });
    while net.result(1, ready).is_none() {
        net.run_for(LATENCY);
    }
    net.tap = Some(Vec::new());
    net.publish(2, "\"c\"", Payload::one(Some("1".into())));
    net.settle();
    assert_eq!(net.published(1), ["1"]);
    assert!(net.published(3).is_empty() && net.published(0).is_empty());
    let tap = net.tap.take().unwrap();
    let ways: Vec<(usize, usize)> = tap.iter().map(|(n, m, _)| (*n, *m)).collect();
    assert_eq!(
        ways,
        [(2, 0), (0, 1), (1, 0), (0, 2)],
        "there, and the acknowledgement"
    );
}

#[test]
fn the_program_between_has_nothing_to_do() {
    let mut net = network(1, 2);
    assert_talk(&mut net, 1, 2);
    net.nodes[2].peers.insert("\"p\"".into());
    net.send(1, "\"x\"", "\"p\"", "0");
    net.settle();
    let told = net.told(0);
    for n in 0..1000 {
        net.send(1, "\"x\"", "\"p\"", &n.to_string());
    }
    net.settle();
    assert_eq!(net.arrived(2, "\"p\"").len(), 1001);
    assert_eq!(net.told(0), told);
}

#[test]
fn v1_hosts_are_told_nothing_of_it() {
    let mut net = Net::new(2);
    net.v1_hosts.insert(1);
    net.join(1, &url(0));
    net.settle();
    for _ in 0..2 {
        let n = net.add(None);
        net.join(n, &url(0));
        net.settle();
    }
    assert_talk(&mut net, 2, 3);
    for n in [2, 3] {
        assert_talk(&mut net, n, 1);
        assert!(net.nodes[n].connections.contains(&url(1)));
    }
    // It knows who does not listen as little as it ever did, and dials nobody who is only an id.
    assert_eq!(net.nodes[1].connections, BTreeSet::from([url(0)]));
    assert!(net.nodes[1].timers.is_empty());
}

#[test]
fn networks_that_become_one_relay_for_each_other() {
    let mut net = Net::new(4);
    net.join(1, &url(0));
    net.join(3, &url(2));
    net.settle();
    for by in [0, 0, 2, 2] {
        let n = net.add(None);
        net.join(n, &url(by));
        net.settle();
    }
    let call = net.join(0, &url(2));
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
    assert_connected(&net);
    assert_all_talk(&mut net);
}

#[test]
fn a_network_with_relayed_hosts_comes_to_rest() {
    let mut net = network(4, 4);
    net.run_for(Duration::from_secs(30));
    let before = net.frames;
    net.run_for(Duration::from_secs(600));
    assert_eq!(net.frames - before, 0);
}

// Whoever breaks the rules.

fn frame(origin: &str, destination: &str, number: u64, content: &Content) -> Vec<u8> {
    let header = Header {
        origin: origin.into(),
        destination: destination.into(),
        number,
        theirs: false,
    };
    routed::write(&header, content).to_vec()
}

fn text((_, _, frame): &(usize, usize, bytes::Bytes)) -> String {
    String::from_utf8_lossy(frame).into_owned()
}

fn greeting(host: &str, number: u64, session: &str) -> Content {
    let session = format!(
        "{{\"id\":\"{session}\",\"new\":true,\"received\":0,\"seen\":0,\"window\":1000000}}"
    );
    Content::Text(ByteString::from(format!(
        "{{\"id\":1,\"message\":{{\"method\":\"greeting\",\"params\":{{\"host\":{{\"id\":\"{host}\",\"number\":{number},\"versions\":[2],\"session\":{session}}}}}}}}}"
    )))
}

#[test]
fn a_relayed_greeting_is_no_duplicate_of_a_link_to_another_host_with_its_url() {
    let mut net = network(1, 1);
    let nowhere = "ws://127.0.0.1:4000";
    net.tap = Some(Vec::new());
    // Host 1 dials it there, and then over host 0.
    let told = format!("{{\"members\":[{{\"url\":\"{nowhere}\",\"id\":\"x\"}}]}}");
    let told = format!("{{\"message\":{{\"method\":\"members\",\"params\":{told}}}}}");
    net.inject_text(0, 1, told);
    net.run_for(2 * LATENCY);
    let Content::Text(hello) = greeting("y", 1, "s") else {
        panic!("not a text");
    };
    let url = format!("\"params\":{{\"url\":\"{nowhere}\",");
    let hello = Content::Text(hello.replace("\"params\":{", &url).into());
    for content in [Content::Open, hello] {
        net.inject(0, 1, &frame("y", &id(1), 1, &content));
    }
    net.settle();
    let said: Vec<String> = net.tap.take().unwrap().iter().map(text).collect();
    assert!(
        said.iter().any(|said| said.contains("\"greeting\"")),
        "{said:?}"
    );
    let answer = said.iter().find(|said| said.contains("\"error\":null"));
    assert!(
        !answer.expect("an answer").contains("duplicate"),
        "{said:?}"
    );
}

#[test]
fn a_claimed_origin_ends_the_link_and_is_not_forwarded() {
    let mut net = network(1, 3);
    net.tap = Some(Vec::new());
    net.inject(1, 0, &frame(&id(3), &id(2), 99, &Content::Open));
    net.run_for(2 * LATENCY);
    assert_eq!(net.sockets_between(0, 1), 0);
    let claimed = net.tap.take().unwrap();
    let claimed = claimed.iter().filter(|(_, to, frame)| {
        let (header, at) = routed::header(frame).unwrap();
        *to == 2 && header.origin == id(3) && routed::opens(frame, at)
    });
    assert_eq!(claimed.count(), 0);
    assert!(
        net.nodes[2].connections.contains(&id(3)),
        "nobody else is harmed"
    );
    net.run_for(Duration::from_secs(3));
    assert_connected(&net);
}

#[test]
fn what_leads_nowhere_is_sent_back_once() {
    let mut net = network(1, 2);
    net.tap = Some(Vec::new());
    for content in [
        Content::Open,
        Content::Text("{}".into()),
        Content::Records(vec![0].into()),
    ] {
        net.inject(1, 0, &frame(&id(1), "nobody", 7, &content));
    }
    net.inject(1, 0, &frame(&id(1), "nobody", 7, &Content::End));
    net.settle();
    let tap = net.tap.take().unwrap();
    assert_eq!(tap.len(), 3, "{tap:?}");
    for (from, to, bytes) in &tap {
        let (header, at) = routed::header(bytes).unwrap();
        assert_eq!((*from, *to, header.number, header.theirs), (0, 1, 7, true));
        assert!(routed::ends(bytes, at));
    }
    assert_connected(&net);
    assert_talk(&mut net, 1, 2);
    // From one host to the same is no hop at all.
    net.inject(1, 0, &frame(&id(1), &id(1), 7, &Content::Open));
    net.run_for(2 * LATENCY);
    assert_eq!(net.sockets_between(0, 1), 0);
}

#[test]
fn a_frame_goes_one_hop_only() {
    // 1 and 3 share no host: 1 - 0 - 2 - 3.
    let mut net = Net::new(4);
    net.blocked
        .extend([(1, 2), (1, 3), (2, 1), (3, 1), (3, 0), (0, 3), (2, 3)]);
    net.join(1, &url(0));
    net.join(2, &url(0));
    net.settle();
    net.join(3, &url(2));
    net.run_for(Duration::from_secs(2));
    assert!(!net.nodes[1].connections.contains(&url(3)));
    // A relayed link does not carry relayed frames: whoever sends such a one loses it.
    net.tap = Some(Vec::new());
    let inner = frame(&id(1), &id(3), 1, &Content::Open);
    let tap = |net: &Net| net.tap.as_ref().unwrap().clone();
    assert_talk(&mut net, 1, 2);
    let (number, theirs) = tap(&net)
        .iter()
        .find(|(from, ..)| *from == 1)
        .map(|(_, _, f)| routed::header(f).unwrap().0)
        .map(|h| (h.number, h.theirs))
        .unwrap();
    let header = Header {
        origin: id(1).into(),
        destination: id(2).into(),
        number,
        theirs,
    };
    let before = connections_made(&net, 2, &url(1));
    let nested = routed::write(&header, &Content::Records(inner.into()));
    net.inject(1, 0, &nested);
    net.run_for(4 * LATENCY);
    assert!(
        !tap(&net).iter().any(|(_, to, _)| *to == 3),
        "nothing reaches the next one"
    );
    assert_eq!(connections_made(&net, 2, &url(1)), before);
    net.run_for(Duration::from_secs(3));
    assert_talk(&mut net, 1, 2);
    assert!(net.sockets_between(0, 1) == 1 && net.sockets_between(0, 2) == 1);
}

#[test]
fn malformed_headers_end_the_link() {
    for bytes in [
        vec![1],
        vec![1, 0, 1, b'a', 1, 2],
        vec![1, 65],
        vec![1, 5, b'a'],
        vec![1, 1, 0xff, 1, b'b', 1, 2],
        vec![
            1, 1, b'a', 1, b'b', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 2,
        ],
        vec![1, 1, b'a', 1, b'b', 1],
        vec![1, 1, b'a', 1, b'b', 1, 8],
    ] {
        let mut net = network(1, 1);
        net.inject(1, 0, &bytes);
        net.run_for(2 * LATENCY);
        assert_eq!(net.sockets_between(0, 1), 0, "{bytes:?}");
    }
}

#[test]
fn who_relays_cannot_speak_for_itself_or_for_us() {
    for origin in [id(0), id(1)] {
        let mut net = network(1, 1);
        net.inject(0, 1, &frame(&origin, &id(1), 7, &Content::Open));
        net.run_for(2 * LATENCY);
        assert_eq!(net.sockets_between(0, 1), 0, "from {origin}");
    }
}

#[test]
fn a_greeting_that_names_another_host_is_refused() {
    let mut net = network(1, 1);
    net.inject(0, 1, &frame("stranger", &id(1), 7, &Content::Open));
    net.inject(
        0,
        1,
        &frame("stranger", &id(1), 7, &greeting("somebody", 1, "s")),
    );
    net.inject(0, 1, &frame("other", &id(1), 7, &Content::Open));
    net.inject(0, 1, &frame("other", &id(1), 7, &greeting("other", 1, "s")));
    net.settle();
    let made = ["stranger", "somebody", "other"].map(|key| connections_made(&net, 1, key));
    assert_eq!(made, [0, 0, 1]);
}

#[test]
fn a_greeting_from_before_the_present_session_ends_nothing() {
    let mut net = network(1, 1);
    let says = |net: &mut Net, number, content| {
        net.inject(0, 1, &frame("other", &id(1), number, &content));
    };
    says(&mut net, 1, Content::Open);
    says(&mut net, 1, greeting("other", 1, "before"));
    let mut published = Frame::default();
    published.publish(1, &None, &Payload::one(Some("1".into())));
    says(&mut net, 1, Content::Records(published.take()));
    net.settle();
    assert_eq!(net.published(1), ["1"]);
    // Of what it says then, one greeting is held up on its way.
    says(&mut net, 3, Content::Open);
    net.settle();
    let key = "other".into();
    net.input(1, Input::CancelTimer { key });
    says(&mut net, 3, greeting("other", 9, "present"));
    net.settle();
    says(&mut net, 2, Content::Open);
    says(&mut net, 2, greeting("other", 5, "before"));
    net.settle();
    assert_eq!(connections_made(&net, 1, "other"), 2);
}

#[test]
fn links_that_nobody_opened_are_ended_and_none_without_end_can_be_opened() {
    let mut net = network(1, 1);
    net.tap = Some(Vec::new());
    for number in 1..=1000 {
        net.inject(0, 1, &frame("stranger", &id(1), number, &Content::Open));
    }
    net.inject(
        0,
        1,
        &frame("somebody", &id(1), 5, &Content::Text("{}".into())),
    );
    net.inject(
        0,
        1,
        &frame("somebody", &id(1), 5, &Content::Records(vec![0].into())),
    );
    net.settle();
    let sent_back = net.tap.take().unwrap().len();
    assert_eq!(sent_back, 1000 - 4 + 2);
    assert_eq!(net.nodes[1].connections, BTreeSet::from([url(0)]));
    // Text that is none ends that link only.
    net.tap = Some(Vec::new());
    let mut bad = frame("stranger", &id(1), 1, &Content::Text("x".into()));
    *bad.last_mut().unwrap() = 0xff;
    net.inject(0, 1, &bad);
    net.settle();
    assert_eq!(net.tap.take().unwrap().len(), 1);
    assert_eq!(net.sockets_between(0, 1), 1);
}
