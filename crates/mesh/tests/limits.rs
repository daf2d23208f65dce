//! How much may wait, and what becomes of what is too much.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, Config, Event, Input, Outcome, Payload, SendError};
use support::{Net, url};

const KIB: usize = 1024;

fn overloaded() -> Option<Result<(), SendError>> {
    let id = Some("\"b\"".into());
    Some(Err(SendError::Overloaded { id }))
}

fn text(size: usize) -> Payload {
    Payload::Text(vec!["x".repeat(size).into()])
}

/// Two hosts that know each other, with these settings; a peer `b` lives on the second one, which takes nothing.
fn frozen(config: Config, v1_hosts: &[usize]) -> Net {
    let mut net = Net::new(2);
    net.v1_hosts.extend(v1_hosts);
    net.connect_all();
    for n in 0..2 {
        net.input(n, Input::Configure(config.clone()));
    }
    net.nodes[1].peers.insert("\"b\"".to_owned());
    net.send(0, "\"a\"", "\"b\"", "0");
    net.settle();
    net.nodes[1].paused = true;
    net
}

fn small() -> Config {
    Config {
        max_queue_bytes: 64 * KIB,
        max_in_flight: 1000,
        ..Config::default()
    }
}

fn drops(net: &Net, n: usize) -> Vec<(String, String, u64)> {
    let drop = |e: &Event| match e {
        Event::Dropped {
            key,
            channel,
            count,
        } => {
            let channel = channel.as_ref().map(ToString::to_string);
            Some((key.to_string(), channel.unwrap_or_default(), *count))
        }
        _ => None,
    };
    net.nodes[n].log.iter().filter_map(drop).collect()
}

/// What host `n` has heard, and in which places something is missing.
fn heard(net: &Net, n: usize) -> Vec<String> {
    let heard = |e: &Event| match e {
        Event::Publish { payload, .. } => {
            let texts = payload.clone().into_json();
            texts.into_iter().flatten().map(|t| t.to_string()).collect()
        }
        Event::Gap { count, .. } => vec![format!("gap {}", count.unwrap_or_default())],
        _ => Vec::new(),
    };
    net.nodes[n].log.iter().flat_map(heard).collect()
}

fn relieved(net: &Net, n: usize) -> usize {
    let log = net.nodes[n].log.iter();
    log.filter(|e| **e == Event::Relieved).count()
}

#[test]
fn sends_beyond_the_limit_fail_at_once_and_the_others_arrive() {
    for v1_hosts in [vec![], vec![1]] {
        let mut net = frozen(small(), &v1_hosts);
        let seqs: Vec<u64> = (0..200)
            .map(|_| net.send_run(0, "\"a\"", "\"b\"", text(KIB)))
            .collect();
        let failed = |net: &Net| {
            let outcomes = seqs.iter().map(|s| net.outcome(0, *s));
            outcomes.filter(|o| *o == overloaded()).count()
        };
        let mut more = 0;
        while !net.nodes[0].mesh.refuses(&Some("\"b\"".into())) {
            net.send(0, "\"a\"", "\"b\"", "1");
            more += 1;
            assert!(more < 10);
        }
        let refused = failed(&net);
        assert!((130..170).contains(&refused), "{refused} are refused");
        let last = net.send_run(0, "\"a\"", "\"b\"", text(KIB));
        assert_eq!(net.outcome(0, last), overloaded());
        assert!(net.nodes[0].mesh.queues()[0].bytes <= 2 * 64 * KIB);
        net.nodes[1].paused = false;
        net.apply(1);
        net.settle();
        assert_eq!(failed(&net), refused);
        let large = net
            .arrived(1, "\"b\"")
            .into_iter()
            .filter(|m| m.len() > KIB);
        assert_eq!(large.count(), seqs.len() - refused);
        let delivered = seqs.iter().filter(|s| net.outcome(0, **s) == Some(Ok(())));
        assert_eq!(delivered.count(), seqs.len() - refused);
        assert!(!net.nodes[0].mesh.refuses(&Some("\"b\"".into())));
        assert_eq!(net.nodes[0].mesh.under_way(), 0);
    }
}

#[test]
fn no_more_messages_are_under_way_than_may_be() {
    for v1_hosts in [vec![], vec![1]] {
        let config = Config {
            max_in_flight: 10,
            ..Config::default()
        };
        let mut net = frozen(config, &v1_hosts);
        let seqs: Vec<u64> = (0..15)
            .map(|n| net.send(0, "\"a\"", "\"b\"", &n.to_string()))
            .collect();
        for (n, seq) in seqs.iter().enumerate() {
            let expected = if n < 10 { None } else { overloaded() };
            assert_eq!(net.outcome(0, *seq), expected, "send {n}");
        }
    }
}

#[test]
fn a_message_larger_than_everything_that_may_wait_can_go_alone() {
    let mut net = frozen(small(), &[]);
    let first = net.send_run(0, "\"a\"", "\"b\"", text(100 * KIB));
    let second = net.send(0, "\"a\"", "\"b\"", "2");
    assert_eq!(net.outcome(0, first), None);
    assert_eq!(net.outcome(0, second), overloaded());
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(net.outcome(0, first), Some(Ok(())));
}

#[test]
fn a_frozen_host_slows_nobody() {
    let mut net = Net::new(3);
    net.connect_all();
    net.input(0, Input::Configure(small()));
    net.nodes[1].paused = true;
    net.nodes[2].peers.insert("\"c\"".to_owned());
    for n in 0..3000 {
        net.publish(0, "\"news\"", Payload::one(Some(n.to_string().into())));
        if n % 100 == 0 {
            net.settle();
        }
    }
    net.settle();
    assert_eq!(heard(&net, 2).len(), 3000);
    let seq = net.send(0, "\"a\"", "\"c\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
}

#[test]
fn what_is_dropped_is_told_on_both_sides_and_in_its_place() {
    let mut net = frozen(small(), &[]);
    let publish = |net: &mut Net, n: usize| {
        net.publish(0, "\"news\"", Payload::one(Some(n.to_string().into())));
    };
    (0..1000).for_each(|n| publish(&mut net, n));
    let dropped = drops(&net, 0);
    let count: u64 = dropped.iter().map(|d| d.2).sum();
    assert!((700..900).contains(&count), "{count} are dropped");
    assert!(
        dropped
            .iter()
            .all(|d| (&*d.0, &*d.1) == (&*url(1), "\"news\""))
    );
    assert!(net.nodes[0].mesh.is_pressed());
    let slow = Event::Slow { key: url(1).into() };
    assert_eq!(net.nodes[0].log.iter().filter(|e| **e == slow).count(), 1);
    assert_eq!(relieved(&net, 0), 0);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    publish(&mut net, 1000);
    net.settle();
    let mut expected: Vec<String> = (0..1000 - count).map(|n| n.to_string()).collect();
    expected.extend([format!("gap {count}"), "1000".to_owned()]);
    assert_eq!(heard(&net, 1), expected);
    assert!(!net.nodes[0].mesh.is_pressed());
    assert_eq!(relieved(&net, 0), 1);
    assert_eq!(net.nodes[0].mesh.stats().dropped, count);
    assert_eq!(net.nodes[1].mesh.stats().gaps, 1);
}

#[test]
fn a_gap_survives_a_lost_link_and_comes_once() {
    let mut net = frozen(small(), &[]);
    for n in 0..500 {
        net.publish(0, "\"news\"", Payload::one(Some(n.to_string().into())));
    }
    let count: u64 = drops(&net, 0).iter().map(|d| d.2).sum();
    net.nodes[1].paused = false;
    net.apply(1);
    net.run_for(support::LATENCY);
    net.sever(0, 1);
    net.run_for(Duration::from_secs(3));
    net.publish(0, "\"news\"", Payload::one(Some("500".into())));
    net.settle();
    let mut expected: Vec<String> = (0..500 - count).map(|n| n.to_string()).collect();
    expected.extend([format!("gap {count}"), "500".to_owned()]);
    assert_eq!(heard(&net, 1), expected);
}

#[test]
fn what_a_v1_host_does_not_take_is_dropped_and_told() {
    let mut net = frozen(small(), &[1]);
    let queue = &net.nodes[0].mesh.queues()[0];
    let link = queue.link.expect("connected");
    let backlog = |net: &mut Net, bytes| net.input(0, Input::Backlog { link, bytes });
    backlog(&mut net, 63 * KIB);
    assert!(net.nodes[0].mesh.is_pressed());
    net.publish(0, "\"news\"", text(2 * KIB));
    assert_eq!(
        drops(&net, 0),
        [(url(1), "\"news\"".to_owned(), 1)],
        "there is no room for it"
    );
    let seq = net.send_run(0, "\"a\"", "\"b\"", text(2 * KIB));
    assert_eq!(net.outcome(0, seq), overloaded());
    backlog(&mut net, 0);
    assert!(!net.nodes[0].mesh.is_pressed());
    assert_eq!(relieved(&net, 0), 1);
    net.publish(0, "\"news\"", text(2 * KIB));
    net.nodes[1].paused = false;
    net.settle();
    assert_eq!(heard(&net, 1).len(), 1);
}

#[test]
fn lost_hosts_have_what_is_published_wait_up_to_the_limit() {
    let mut net = Net::new(2);
    net.connect_all();
    net.input(0, Input::Configure(small()));
    net.sever(0, 1);
    net.run_for(Duration::from_millis(500));
    for n in 0..500 {
        net.publish(0, "\"news\"", Payload::one(Some(n.to_string().into())));
    }
    let count: u64 = drops(&net, 0).iter().map(|d| d.2).sum();
    assert!((200..400).contains(&count), "{count} are dropped");
    assert!(
        !net.nodes[0].mesh.is_pressed(),
        "nobody can wait for a host that is lost"
    );
    net.run_for(Duration::from_secs(3));
    let mut expected: Vec<String> = (0..500 - count).map(|n| n.to_string()).collect();
    expected.push(format!("gap {count}"));
    assert_eq!(heard(&net, 1), expected);
}

/// Host 0 knows the peer `"b"` of host 1, and has lost that one half a second ago.
fn lost(config: Config) -> Net {
    let mut net = Net::new(2);
    for n in 0..2 {
        net.input(n, Input::Configure(config.clone()));
    }
    net.connect_all();
    net.nodes[1].peers.insert("\"b\"".to_owned());
    net.send(0, "\"a\"", "\"b\"", "0");
    net.settle();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(500));
    net
}

#[test]
fn what_is_published_waits_longer_than_an_answer_may_take() {
    let mut net = lost(Config {
        request_timeout: Duration::from_secs(2),
        reconnect_delay: Duration::from_secs(10),
        ..Config::default()
    });
    net.publish(0, "\"news\"", Payload::one(Some("1".into())));
    let seq = net.send_patiently(0, "\"b\"", "2");
    net.publish(0, "\"news\"", Payload::one(Some("3".into())));
    net.run_for(Duration::from_secs(20));
    assert_eq!(heard(&net, 1), ["1", "3"]);
    let id = Some("\"b\"".into());
    assert_eq!(net.outcome(0, seq), Some(Err(SendError::Timeout { id })));
    assert_eq!(net.arrived(1, "\"b\""), ["0"]);
    assert_eq!(net.nodes[0].mesh.under_way(), 0);
}

#[test]
fn a_patient_send_waits_for_the_lost_host() {
    let mut net = lost(Config::default());
    let patient = net.send_patiently(0, "\"b\"", "1");
    let other = net.send(0, "\"a\"", "\"b\"", "2");
    assert_eq!(net.outcome(0, patient), None);
    assert!(matches!(
        net.outcome(0, other),
        Some(Err(SendError::Unreachable { .. }))
    ));
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.outcome(0, patient), Some(Ok(())));
    assert_eq!(net.arrived(1, "\"b\""), ["0", "1"]);
}

#[test]
fn a_patient_send_waits_also_while_the_host_is_dialled_under_another_url_than_its_own() {
    let mut net = Net::new(2);
    net.nodes[1].peers.insert("\"b\"".into());
    net.input(1, Input::SetUrl(Some("ws://its.own".into())));
    net.join(0, &url(1));
    net.settle();
    net.send(0, "\"a\"", "\"b\"", "0");
    net.settle();
    net.hanging.insert((0, 1));
    net.sever(0, 1);
    net.run_for(Duration::from_secs(2));
    let patient = net.send_patiently(0, "\"b\"", "1");
    net.settle();
    assert_eq!(net.outcome(0, patient), None);
    assert_eq!(net.end_hanging(), 1);
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.outcome(0, patient), Some(Ok(())));
    assert_eq!(net.arrived(1, "\"b\""), ["0", "1"]);
}

#[test]
fn a_patient_send_goes_to_the_next_incarnation_of_the_host_and_what_is_published_does_not() {
    let mut net = lost(Config::default());
    let patient = net.send_patiently(0, "\"b\"", "1");
    net.publish(0, "\"news\"", Payload::one(Some("1".into())));
    net.restart(1);
    net.join(1, &url(0));
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.outcome(0, patient), Some(Ok(())));
    assert_eq!(drops(&net, 0), [(url(1), "\"news\"".to_owned(), 1)]);
    assert_eq!(
        heard(&net, 0),
        ["gap 0"],
        "what it has published before may be missing"
    );
}

#[test]
fn messages_larger_than_the_receiver_takes_are_refused_at_the_sender() {
    let mut net = Net::new(2);
    let config = Config {
        max_payload: 4 * KIB,
        ..Config::default()
    };
    net.input(1, Input::Configure(config));
    net.connect_all();
    net.nodes[1].peers.insert("\"b\"".to_owned());
    let run = Payload::Text(
        [3 * KIB, 5 * KIB, 2 * KIB]
            .map(|n| "x".repeat(n).into())
            .into(),
    );
    let first = net.send_run(0, "\"a\"", "\"b\"", run.clone());
    net.publish(0, "\"news\"", run);
    net.settle();
    let id = Some("\"b\"".into());
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert_eq!(
        net.outcome(0, first + 1),
        Some(Err(SendError::TooLarge { id }))
    );
    assert_eq!(net.outcome(0, first + 2), Some(Ok(())));
    assert_eq!(drops(&net, 0), [(url(1), "\"news\"".to_owned(), 1)]);
    let lengths: Vec<usize> = heard(&net, 1).iter().map(String::len).collect();
    assert_eq!(
        lengths,
        [3 * KIB + 2, 5, 2 * KIB + 2],
        "with a gap between them"
    );
    assert_eq!(net.sockets_between(0, 1), 1);
}

#[test]
fn frames_are_never_larger_than_the_receiver_takes() {
    let mut net = Net::new(2);
    let config = Config {
        max_payload: 4 * KIB,
        ..Config::default()
    };
    net.input(1, Input::Configure(config));
    net.connect_all();
    net.nodes[1].peers.insert("\"b\"".to_owned());
    net.send(0, "\"a\"", "\"b\"", "0");
    net.settle();
    net.largest = 0;
    net.nodes[0].batching = true;
    for _ in 0..100 {
        net.send_run(0, "\"a\"", "\"b\"", text(KIB));
    }
    net.flush(0);
    net.settle();
    assert_eq!(net.arrived(1, "\"b\"").len(), 101);
    assert!(
        (3 * KIB..=4 * KIB).contains(&net.largest),
        "{}",
        net.largest
    );
}

#[test]
fn ids_longer_than_the_receiver_takes_are_refused() {
    let mut net = Net::new(2);
    let config = Config {
        max_id_length: 10,
        ..Config::default()
    };
    net.input(1, Input::Configure(config));
    net.connect_all();
    let (fine, long) = ("\"0123456789\"", "\"0123456789x\"");
    net.nodes[1].peers.insert(fine.to_owned());
    let first = net.send(0, long, fine, "1");
    let second = net.send(0, "\"a\"", fine, "2");
    let third = net.find(0, long);
    net.publish(0, long, Payload::one(Some("3".into())));
    net.settle();
    assert!(matches!(
        net.outcome(0, first),
        Some(Err(SendError::TooLarge { .. }))
    ));
    assert_eq!(net.outcome(0, second), Some(Ok(())));
    assert!(matches!(net.result(0, third), Some(Err(_))));
    assert_eq!(drops(&net, 0), [(url(1), long.to_owned(), 1)]);
    assert_eq!(net.arrived(1, fine), ["2"]);
    let lookups = net.nodes[1].log.iter();
    let asked = lookups.filter(|e| matches!(e, Event::Lookup { id: Some(id) } if &**id == long));
    assert_eq!(asked.count(), 0);
}

#[test]
fn what_waits_for_a_search_is_bounded() {
    let mut net = Net::new(2);
    net.connect_all();
    net.input(0, Input::Configure(small()));
    net.nodes[1].paused = true;
    net.nodes[1].peers.insert("\"b\"".to_owned());
    let seqs: Vec<u64> = (0..100)
        .map(|_| net.send_run(0, "\"a\"", "\"b\"", text(KIB)))
        .collect();
    let refused = |net: &Net| {
        let refused = seqs.iter();
        refused
            .filter(|s| net.outcome(0, **s) == overloaded())
            .count()
    };
    assert!((40..60).contains(&refused(&net)));
    assert!(net.nodes[0].mesh.refuses(&Some("\"b\"".into())));
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(net.arrived(1, "\"b\"").len(), 100 - refused(&net));
    assert!(!net.nodes[0].mesh.refuses(&Some("\"b\"".into())));
    assert_eq!(net.nodes[0].mesh.under_way(), 0);
}

#[test]
fn draining_ends_when_nothing_is_under_way() {
    let mut net = frozen(Config::default(), &[]);
    let seq = net.send(0, "\"a\"", "\"b\"", "1");
    net.publish(0, "\"news\"", Payload::one(Some("2".into())));
    let call = net.call_with(0, |call| Input::Drain { call });
    net.settle();
    assert_eq!(net.result(0, call), None);
    assert_eq!(net.nodes[0].mesh.under_way(), 2);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
    assert!(matches!(net.result(0, call), Some(Ok(_))));
    let n = net.add(Some(url(2)));
    let join = net.join(n, &url(0));
    net.settle();
    assert!(
        matches!(net.result(n, join), Some(Err(_))),
        "nobody is taken in any more"
    );
}

#[test]
fn the_defaults_take_a_burst() {
    for v1_hosts in [vec![], vec![1]] {
        let mut net = frozen(Config::default(), &v1_hosts);
        net.nodes[0].batching = true;
        let run = || Payload::Json {
            texts: vec!["\"hello world\""; 256].join(",").into(),
            count: 256,
        };
        let mut last = 0;
        for _ in 0..400_000 / 256 {
            last = net.send_run(0, "\"a\"", "\"b\"", run());
        }
        assert_eq!(net.outcome(0, last + 255), None);
        assert!(!net.nodes[0].mesh.refuses(&Some("\"b\"".into())));
        for n in 0..20_000 {
            let from = format!("\"{n}\"");
            last = net.send(0, &from, "\"b\"", "\"hello world\"");
        }
        assert_eq!(net.outcome(0, last), None);
    }
    let mut net = frozen(Config::default(), &[]);
    net.nodes[0].batching = true;
    for _ in 0..400_000 {
        net.publish(0, "\"news\"", Payload::one(Some("\"hello world\"".into())));
    }
    net.flush(0);
    assert_eq!(drops(&net, 0), []);
}

// Relayed links.

/// Two hosts that do not listen, both joined with host 0 that has these settings. Peer `b` lives on host 2.
fn relayed(config: Config) -> Net {
    let mut net = Net::new(1);
    net.input(0, Input::Configure(config));
    for n in 1..3 {
        net.add(None);
        let call = net.join(n, &url(0));
        net.settle();
        assert_eq!(net.result(n, call), Some(Ok(Answer::Done)));
    }
    net.nodes[2].peers.insert("\"b\"".to_owned());
    net.send(1, "\"a\"", "\"b\"", "0");
    net.settle();
    assert_eq!(net.arrived(2, "\"b\""), ["0"]);
    net
}

#[test]
fn what_waits_for_a_relayed_host_is_bounded_where_it_is_said() {
    let mut net = relayed(Config::default());
    net.input(1, Input::Configure(small()));
    net.nodes[2].paused = true;
    let seqs: Vec<u64> = (0..100)
        .map(|_| net.send_run(1, "\"a\"", "\"b\"", text(KIB)))
        .collect();
    net.settle();
    let refused = |seq: &&u64| net.outcome(1, **seq) == overloaded();
    let refused = seqs.iter().filter(refused).count();
    assert!((45..60).contains(&refused), "{refused} are refused");
    assert!(net.nodes[1].mesh.is_pressed());
    assert!(
        !net.nodes[0].mesh.is_pressed(),
        "the host between keeps nothing"
    );
    net.nodes[2].paused = false;
    net.apply(2);
    net.settle();
    assert_eq!(net.arrived(2, "\"b\"").len(), 101 - refused);
    assert!(!net.nodes[1].mesh.is_pressed());
}

#[test]
fn frames_are_no_larger_than_the_host_between_takes() {
    let mut net = relayed(Config {
        max_payload: 4 * KIB,
        ..Config::default()
    });
    net.largest = 0;
    net.nodes[1].batching = true;
    let large = net.send_run(1, "\"a\"", "\"b\"", text(4 * KIB - 100));
    for _ in 0..100 {
        net.send_run(1, "\"a\"", "\"b\"", text(KIB));
    }
    net.flush(1);
    net.settle();
    let id = Some("\"b\"".into());
    assert_eq!(net.outcome(1, large), Some(Err(SendError::TooLarge { id })));
    assert_eq!(net.arrived(2, "\"b\"").len(), 101);
    let largest = net.largest;
    assert!((3 * KIB..=4 * KIB).contains(&largest), "{largest}");
}

#[test]
fn a_host_that_relays_ends_relayed_links_rather_than_keep_too_much() {
    let mut net = relayed(Config::default());
    let link = net.link(0, 2).expect("a direct link");
    let bytes = Config::default().max_queue_bytes;
    net.input(0, Input::Backlog { link, bytes });
    let seq = net.send(1, "\"a\"", "\"b\"", "1");
    net.publish(1, "\"news\"", Payload::one(Some("2".into())));
    net.run_for(Duration::from_millis(20));
    for (n, key) in [(1, "host0002"), (2, "host0001")] {
        let gone = Event::Disconnected { key: key.into() };
        assert!(net.nodes[n].log.contains(&gone), "host {n} knows");
    }
    assert!(net.nodes[0].connections.contains("host0002"));
    assert_eq!(net.outcome(1, seq), None);
    net.input(0, Input::Backlog { link, bytes: 0 });
    net.run_for(Duration::from_secs(30));
    assert_eq!(net.outcome(1, seq), Some(Ok(())));
    assert_eq!(net.arrived(2, "\"b\""), ["0", "1"]);
    assert_eq!(heard(&net, 2), ["2"]);
}

// What changes meanwhile, and what others may try.

#[test]
fn a_session_does_not_go_on_where_what_waits_does_not_fit() {
    let mut net = Net::new(2);
    net.connect_all();
    net.dead.insert(url(0));
    net.dead.insert(url(1));
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    net.publish(0, "\"news\"", text(5 * KIB));
    net.input(
        1,
        Input::Configure(Config {
            max_payload: 4 * KIB,
            ..Config::default()
        }),
    );
    net.dead.clear();
    net.run_for(Duration::from_secs(20));
    net.publish(0, "\"news\"", Payload::one(Some("1".into())));
    net.settle();
    assert_eq!(drops(&net, 0), [(url(1), "\"news\"".to_owned(), 1)]);
    assert_eq!(heard(&net, 1), ["gap 0", "1"]);
    assert_eq!(net.sockets_between(0, 1), 1);
}

/// What becomes of a hundred replies to a host that is frozen while there is room for about half of them.
fn replies_to_frozen(reply: impl Fn(u64) -> (Outcome, Payload)) -> Vec<(u64, Outcome)> {
    let mut net = frozen(Config::default(), &[]);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    net.input(1, Input::Configure(small()));
    let texts = vec!["0"; 100].join(",").into();
    let payload = Payload::Json { texts, count: 100 };
    let (seq, from, to) = (1000, Some("\"a\"".into()), Some("\"b\"".into()));
    let request = Input::Request {
        seq,
        from,
        to,
        payload,
    };
    net.input(0, request);
    net.settle();
    net.nodes[0].paused = true;
    for n in 0..100 {
        let (outcome, payload) = reply(n);
        let reply = Input::Reply {
            host: "host0000".into(),
            number: seq + n,
            outcome,
            payload,
        };
        net.input(1, reply);
    }
    net.settle();
    let queued: usize = net.nodes[1].mesh.queues().iter().map(|q| q.bytes).sum();
    assert!(queued < 128 * KIB, "{queued}");
    net.nodes[0].paused = false;
    net.apply(0);
    net.settle();
    let replies = net.nodes[0].log.iter().filter_map(|e| match e {
        Event::Reply {
            number, outcome, ..
        } => Some((*number - seq, *outcome)),
        _ => None,
    });
    let replies: Vec<(u64, Outcome)> = replies.collect();
    assert!(replies.iter().map(|r| r.0).eq(0..100), "{replies:?}");
    replies
}

#[test]
fn replies_for_which_there_is_no_room_are_excused() {
    let replies = replies_to_frozen(|_| (Outcome::Answered, text(KIB)));
    let answered = replies.iter().filter(|r| r.1 == Outcome::Answered).count();
    assert!((40..60).contains(&answered), "{answered} were answered");
}

#[test]
fn a_reply_without_content_says_what_it_says_even_if_there_is_no_room() {
    let replies = replies_to_frozen(|n| match n < 90 {
        true => (Outcome::Answered, text(KIB)),
        false => (Outcome::NoHandler, Payload::Undefined { count: 1 }),
    });
    assert!(replies[90..].iter().all(|r| r.1 == Outcome::NoHandler));
}

#[test]
fn a_host_that_says_it_takes_nothing_gets_nothing() {
    let mut net = Net::new(2);
    net.input(
        1,
        Input::Configure(Config {
            max_payload: 1,
            ..Config::default()
        }),
    );
    net.connect_all();
    let reply = Input::Reply {
        host: "host0001".into(),
        number: 1,
        outcome: Outcome::Answered,
        payload: text(10),
    };
    net.input(0, reply);
    net.publish(0, "\"news\"", text(10));
    net.settle();
    assert!(heard(&net, 1).iter().all(|h| h.starts_with("gap")));
}
