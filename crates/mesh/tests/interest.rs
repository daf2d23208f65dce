//! Publishing to those who listen, and to nobody else.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use distribus_mesh::{Answer, CallError, Config, Input, Payload, Topic};
use support::random::Random;
use support::{LATENCY, Net, url};

fn config() -> Config {
    Config {
        interests: true,
        ..Config::default()
    }
}

fn hosts(count: usize) -> Net {
    let mut net = Net::new(count);
    for n in 0..count {
        net.input(n, Input::Configure(config()));
    }
    net
}

fn connected(count: usize) -> Net {
    let mut net = hosts(count);
    net.connect_all();
    net
}

fn topic(text: &str) -> Topic {
    Topic {
        name: text.into(),
        pattern: text.contains('*'),
    }
}

fn subscribe(net: &mut Net, n: usize, text: &str) {
    net.input(n, Input::Subscribe { topic: topic(text) });
}

fn unsubscribe(net: &mut Net, n: usize, text: &str) {
    net.input(n, Input::Unsubscribe { topic: topic(text) });
}

fn publish(net: &mut Net, n: usize, channel: &str, number: u32) {
    let message = Payload::one(Some(number.to_string().into()));
    net.publish(n, &format!("\"{channel}\""), message);
}

/// What has come to host `n` by publishing, in order.
fn heard(net: &Net, n: usize) -> Vec<u32> {
    let numbers = net.published(n);
    numbers
        .iter()
        .map(|n| n.parse().expect("a number"))
        .collect()
}

fn ready(net: &mut Net, n: usize) -> u64 {
    net.call_with(n, |call| Input::Ready { call })
}

#[test]
fn a_publish_takes_one_frame_for_each_host_that_listens() {
    let mut net = connected(50);
    for n in [7, 33] {
        subscribe(&mut net, n, "news");
        net.nodes[n].paused = true; // so that they do not acknowledge
    }
    subscribe(&mut net, 12, "sports");
    net.settle();
    let before = net.frames;
    publish(&mut net, 0, "news", 1);
    net.settle();
    assert_eq!(net.frames - before, 2);
    for n in [7, 33] {
        net.apply(n);
    }
    for n in 0..50 {
        let expected: &[u32] = if n == 7 || n == 33 { &[1] } else { &[] };
        assert_eq!(heard(&net, n), expected, "host {n}");
    }
}

#[test]
fn a_network_in_which_nobody_listens_says_no_more_than_it_must() {
    let mut net = connected(20);
    net.run_for(Duration::from_secs(20));
    let pairs = 20.0 * 19.0 / 2.0;
    assert!((net.frames as f64) < 2.2 * pairs, "{}", net.frames);
}

#[test]
fn who_was_subscribed_before_a_join_misses_nothing_after_it() {
    for joiner in [0, 1] {
        let mut net = hosts(2);
        subscribe(&mut net, 0, "c");
        subscribe(&mut net, 1, "*.c");
        let call = net.join(joiner, &url(1 - joiner));
        while net.result(joiner, call).is_none() {
            net.run_for(Duration::from_micros(100));
        }
        for n in 0..2 {
            publish(&mut net, n, "c", 1);
            publish(&mut net, n, "x.c", 2);
        }
        net.settle();
        assert!(heard(&net, 0).contains(&1) && heard(&net, 1).contains(&2));
        // Once everything has been told, only what is listened to comes.
        let before = [heard(&net, 0).len(), heard(&net, 1).len()];
        for n in 0..2 {
            publish(&mut net, n, "c", 3);
            publish(&mut net, n, "x.c", 4);
        }
        net.settle();
        assert_eq!(heard(&net, 0)[before[0]..], [3]);
        assert_eq!(heard(&net, 1)[before[1]..], [4]);
    }
}

#[test]
fn patterns_are_heard_and_can_be_given_up() {
    let mut net = connected(2);
    for pattern in ["room.*", "room.**", "r*m.1"] {
        subscribe(&mut net, 1, pattern);
    }
    net.settle();
    publish(&mut net, 0, "room.1", 1);
    publish(&mut net, 0, "room.1.new", 2);
    publish(&mut net, 0, "hall.1", 3);
    net.settle();
    assert_eq!(heard(&net, 1), [1, 2], "each once");
    unsubscribe(&mut net, 1, "room.**");
    net.settle();
    publish(&mut net, 0, "room.1.new", 4);
    publish(&mut net, 0, "room.1", 5);
    net.settle();
    for pattern in ["room.*", "r*m.1"] {
        unsubscribe(&mut net, 1, pattern);
    }
    net.settle();
    publish(&mut net, 0, "room.1", 6);
    net.settle();
    assert_eq!(heard(&net, 1), [1, 2, 5]);
}

#[test]
fn a_name_with_an_asterisk_can_be_meant_as_it_is() {
    let mut net = connected(2);
    let topic = Topic {
        name: "a*".into(),
        pattern: false,
    };
    net.input(1, Input::Subscribe { topic });
    net.settle();
    publish(&mut net, 0, "ab", 1);
    publish(&mut net, 0, "a*", 2);
    net.settle();
    assert_eq!(heard(&net, 1), [2]);
}

#[test]
fn names_are_compared_as_javascript_does() {
    let mut net = connected(2);
    for name in ["7", "null", "é\n", "undefined"] {
        subscribe(&mut net, 1, name);
    }
    net.settle();
    let one = || Payload::one(Some("1".into()));
    for channel in ["7", "\"7\"", "null", "\"\\u00e9\\n\"", "{\"a\":1}", "[7]"] {
        net.publish(0, channel, one());
    }
    net.input(
        0,
        Input::Publish {
            channel: None,
            payload: one(),
        },
    );
    net.publish(0, "\"8\"", one());
    net.settle();
    assert_eq!(heard(&net, 1).len(), 7, "what is no name comes in any case");
}

#[test]
fn who_does_not_tell_gets_everything() {
    let mut net = Net::new(4);
    net.v1_hosts.insert(3);
    for n in 0..2 {
        net.input(n, Input::Configure(config()));
    }
    net.connect_all();
    for n in 0..3 {
        publish(&mut net, n, "c", n as u32);
    }
    net.settle();
    assert_eq!(
        heard(&net, 0),
        [2],
        "host 2 was not told that nobody listens"
    );
    assert_eq!(heard(&net, 2), [0, 1]);
    assert_eq!(heard(&net, 3), [0, 1, 2]);
}

#[test]
fn a_subscription_goes_before_whatever_is_said_later() {
    let mut net = connected(2);
    net.nodes[0].peers.insert("\"peer\"".into());
    net.find(1, "\"peer\"");
    net.settle();
    net.nodes[1].batching = true;
    subscribe(&mut net, 1, "c");
    net.send(1, "\"a\"", "\"peer\"", "1");
    net.flush(1);
    while net.arrived(0, "\"peer\"").is_empty() {
        net.run_for(Duration::from_micros(100));
    }
    publish(&mut net, 0, "c", 7);
    net.settle();
    assert_eq!(heard(&net, 1), [7]);
}

#[test]
fn ready_is_when_everybody_knows() {
    let mut net = connected(10);
    subscribe(&mut net, 4, "c");
    let call = ready(&mut net, 4);
    net.run_for(LATENCY / 2);
    assert_eq!(net.result(4, call), None);
    publish(&mut net, 0, "c", 1); // a moment too early, which does not matter
    while net.result(4, call).is_none() {
        net.run_for(Duration::from_micros(100));
    }
    assert_eq!(net.result(4, call), Some(Ok(Answer::Done)));
    for n in (0..10).filter(|n| *n != 4) {
        publish(&mut net, n, "c", 100 + n as u32);
    }
    net.settle();
    let heard: BTreeSet<u32> = heard(&net, 4).into_iter().collect();
    let all = (0..10).filter(|n| *n != 4).map(|n| 100 + n);
    assert_eq!(heard, all.chain([1]).collect());
}

#[test]
fn what_was_published_a_moment_before_is_heard_once() {
    let mut net = connected(2);
    publish(&mut net, 0, "a.b", 1);
    net.run_for(Duration::from_millis(200));
    publish(&mut net, 0, "a.b", 2);
    publish(&mut net, 0, "other", 3);
    net.run_for(Duration::from_millis(20));
    subscribe(&mut net, 1, "a.b");
    publish(&mut net, 0, "a.b", 4);
    net.settle();
    assert_eq!(heard(&net, 1), [2, 4]);
    // It has got them already, whatever it says it listens to.
    unsubscribe(&mut net, 1, "a.b");
    subscribe(&mut net, 1, "a.*");
    subscribe(&mut net, 1, "a.b");
    net.run_for(Duration::from_millis(20));
    assert_eq!(heard(&net, 1), [2, 4]);
}

#[test]
fn what_was_published_before_the_connection_is_not_heard() {
    let mut net = hosts(3);
    net.join(1, &url(0));
    net.settle();
    publish(&mut net, 0, "c", 1);
    net.join(2, &url(0));
    net.run_for(20 * LATENCY);
    assert_eq!(net.nodes[2].connections.len(), 2);
    subscribe(&mut net, 2, "c");
    subscribe(&mut net, 1, "c");
    net.settle();
    assert_eq!(heard(&net, 2), [0; 0]);
    assert_eq!(heard(&net, 1), [1]);
}

#[test]
fn ready_counts_hosts_whose_connection_is_just_being_made() {
    for steps in 0..40 {
        let mut net = hosts(2);
        net.join(0, &url(1));
        net.run_for(steps * LATENCY / 8);
        for n in 0..2 {
            subscribe(&mut net, n, "c");
            let call = ready(&mut net, n);
            let connected = !net.nodes[n].connections.is_empty();
            let mut other = net.nodes[1 - n].connections.len();
            while net.result(n, call).is_none() {
                net.run_for(Duration::from_micros(100));
                other = net.nodes[1 - n].connections.len();
            }
            if connected && other > 0 {
                publish(&mut net, 1 - n, "c", n as u32);
                net.settle();
                assert_eq!(heard(&net, n), [n as u32], "step {steps}, host {n}");
            }
        }
    }
}

#[test]
fn ready_with_nobody_is_at_once() {
    let mut net = hosts(1);
    let call = ready(&mut net, 0);
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
    // Neither those who get everything anyway are asked.
    let mut net = Net::new(2);
    net.input(0, Input::Configure(config()));
    net.connect_all();
    let call = ready(&mut net, 0);
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
}

#[test]
fn ready_does_not_wait_for_who_is_lost_and_ends_in_any_case() {
    let mut net = connected(3);
    subscribe(&mut net, 0, "c");
    let call = ready(&mut net, 0);
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));

    let mut net = connected(2);
    let call = ready(&mut net, 0);
    let close = net.close(0);
    net.settle();
    assert_eq!(net.result(0, call), Some(Err(CallError::Closed)));
    assert_eq!(net.result(0, close), Some(Ok(Answer::Done)));

    let mut net = connected(2);
    net.silence(1);
    let call = ready(&mut net, 0);
    net.run_for(Duration::from_secs(59));
    assert_eq!(net.result(0, call), None);
    net.run_for(Duration::from_secs(2));
    assert_eq!(net.result(0, call), Some(Err(CallError::Timeout)));
}

#[test]
fn what_changes_while_a_host_is_lost_is_told_when_it_is_back() {
    let mut net = connected(2);
    subscribe(&mut net, 1, "a");
    subscribe(&mut net, 1, "b.*");
    subscribe(&mut net, 1, "d");
    net.settle();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    publish(&mut net, 0, "a", 1);
    publish(&mut net, 0, "b.x", 2);
    publish(&mut net, 0, "c", 3);
    unsubscribe(&mut net, 1, "a");
    unsubscribe(&mut net, 1, "b.*");
    subscribe(&mut net, 1, "c");
    net.run_for(Duration::from_secs(3));
    assert_eq!(heard(&net, 1), [1, 2], "by what was known then");
    for (channel, number) in [("a", 4), ("b.x", 5), ("c", 6), ("d", 7)] {
        publish(&mut net, 0, channel, number);
    }
    net.settle();
    assert_eq!(heard(&net, 1), [1, 2, 6, 7]);
}

#[test]
fn another_incarnation_begins_with_what_it_says_itself() {
    let mut net = connected(2);
    subscribe(&mut net, 1, "a");
    subscribe(&mut net, 1, "b.*");
    net.settle();
    net.restart(1);
    net.input(1, Input::Configure(config()));
    subscribe(&mut net, 1, "c");
    let call = net.join(1, &url(0));
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    for (channel, number) in [("a", 1), ("b.x", 2), ("c", 3)] {
        publish(&mut net, 0, channel, number);
    }
    net.settle();
    assert_eq!(heard(&net, 1), [3]);
}

#[test]
fn many_subscriptions_are_told_in_several_records() {
    let mut net = hosts(2);
    let name = |n: usize| format!("a channel with quite a long name, number {n}");
    for n in 0..20_000 {
        subscribe(&mut net, 1, &name(n));
    }
    subscribe(&mut net, 1, "z.*");
    net.join(0, &url(1));
    net.settle();
    for n in [0, 7_777, 19_999, 20_000] {
        publish(&mut net, 0, &name(n), n as u32);
    }
    publish(&mut net, 0, "z.z", 1);
    net.settle();
    assert_eq!(heard(&net, 1), [0, 7_777, 19_999, 1]);
}

#[test]
fn a_host_that_listens_to_more_than_is_remembered_gets_everything_until_it_begins_anew() {
    let few = || {
        Input::Configure(Config {
            max_subscriptions: 10,
            ..config()
        })
    };
    let mut net = hosts(2);
    net.input(0, few());
    net.connect_all();
    for n in 0..10 {
        subscribe(&mut net, 1, &format!("channel {n}"));
    }
    net.settle();
    publish(&mut net, 0, "other", 1);
    publish(&mut net, 0, "channel 7", 2);
    net.settle();
    assert_eq!(heard(&net, 1), [2]);
    // This one is told only after it has been published to, and is one too many.
    publish(&mut net, 0, "eleven", 3);
    subscribe(&mut net, 1, "*leven");
    net.settle();
    publish(&mut net, 0, "other", 4);
    net.settle();
    assert!(heard(&net, 1).contains(&3) && heard(&net, 1).contains(&4));
    for n in 0..9 {
        unsubscribe(&mut net, 1, &format!("channel {n}"));
    }
    net.sever(0, 1);
    net.run_for(Duration::from_secs(3));
    let before = heard(&net, 1).len();
    publish(&mut net, 0, "other", 5);
    publish(&mut net, 0, "eleven", 6);
    net.settle();
    assert_eq!(heard(&net, 1)[before..], [6]);
}

/// As many patterns as bits allow, and a channel that nearly reaches all of them.
fn slow_patterns(bits: u32) -> (impl Iterator<Item = String>, String) {
    let of = move |n: u32| {
        let pieces = (0..bits).map(|bit| if n >> bit & 1 == 0 { "*a" } else { "*aa" });
        pieces.chain(["b"]).collect()
    };
    ((0..1 << bits).map(of), "a".repeat(40))
}

#[test]
fn patterns_made_to_be_slow_do_not_slow_down_the_publisher_and_miss_nothing() {
    let mut net = connected(3);
    let (patterns, slow) = slow_patterns(15);
    patterns.for_each(|pattern| subscribe(&mut net, 1, &pattern));
    subscribe(&mut net, 2, "*b*.c");
    net.settle();
    let began = std::time::Instant::now();
    for n in 0..200 {
        publish(&mut net, 0, &format!("{slow}.{n}"), n);
    }
    // They would take some ms each.
    assert!(began.elapsed() < Duration::from_millis(500));
    publish(&mut net, 0, &format!("{slow}b"), 200);
    publish(&mut net, 0, "b.c", 201);
    net.settle();
    assert!(heard(&net, 1).contains(&200));
    assert_eq!(heard(&net, 2), [201]);
}

#[test]
fn what_was_published_a_moment_before_is_found_in_bounded_time() {
    let mut net = connected(2);
    let channel = |n: u32| format!("a.aa.a.aa.a.aa.a.aa.a.aa.{n}");
    (0..1000).for_each(|n| publish(&mut net, 0, &channel(n), n));
    // Each asks for all of that to be looked through.
    let began = std::time::Instant::now();
    for n in 0..5000 {
        let segments = (0..10).map(|k| ["**", "a*", "*a", "*"][(n >> k) % 4]);
        let slow = segments.collect::<Vec<_>>().join(".");
        subscribe(&mut net, 1, &format!("{slow}.7"));
        subscribe(&mut net, 1, &format!("x{n}"));
    }
    net.settle();
    assert!(began.elapsed() < Duration::from_secs(5));
    let heard = heard(&net, 1);
    assert!(heard.contains(&7));
    let once: BTreeSet<&u32> = heard.iter().collect();
    assert_eq!(once.len(), heard.len());
}

#[test]
fn after_any_changes_and_losses_everybody_gets_what_it_listens_to() {
    let names = ["a", "b", "a.b", "*", "a.*", "**", "**.b", "a*"];
    for seed in 1..30 {
        let mut random = Random(seed * 0x9abc_def1);
        let mut net = connected(5);
        let mut listened: BTreeSet<(usize, &str)> = BTreeSet::new();
        for _ in 0..60 {
            let (n, name) = (random.below(5), names[random.below(names.len())]);
            match random.below(8) {
                0 => {
                    net.sever(n, random.below(5));
                }
                1 => net.run_for(Duration::from_millis(random.below(1500) as u64)),
                2 | 3 => {
                    unsubscribe(&mut net, n, name);
                    listened.remove(&(n, name));
                }
                _ => {
                    subscribe(&mut net, n, name);
                    listened.insert((n, name));
                }
            }
        }
        net.run_for(Duration::from_secs(30));
        net.assert_full_mesh();
        for n in 0..5 {
            net.nodes[n].log.clear();
        }
        for (number, channel) in ["a", "b", "a.b", "c.b"].iter().enumerate() {
            publish(&mut net, 0, channel, number as u32);
        }
        net.settle();
        let matches = |name: &str, channel: &str| match name {
            "a" | "b" | "a.b" => name == channel,
            "*" => !channel.contains('.'),
            "a.*" => channel == "a.b",
            "**" => true,
            "**.b" => channel.ends_with('b'),
            "a*" => channel == "a",
            _ => unreachable!(),
        };
        for n in 1..5 {
            let mine = |channel: &str| {
                listened
                    .iter()
                    .any(|(m, name)| *m == n && matches(name, channel))
            };
            let channels = ["a", "b", "a.b", "c.b"].iter().enumerate();
            let expected: Vec<u32> = channels
                .filter(|(_, c)| mine(c))
                .map(|(n, _)| n as u32)
                .collect();
            assert_eq!(heard(&net, n), expected, "seed {seed}, host {n}");
        }
    }
}
