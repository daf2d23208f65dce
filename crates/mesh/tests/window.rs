//! What a host takes of another one's messages before its program has applied them.

mod support;

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::wire::v2::Frame;
use distribus_mesh::{Event, Payload, Reply, SendError};
use support::Net;

/// How many messages of one host may be in flight.
const MOST_IN_FLIGHT: u64 = 1 << 19;

/// The longest run of `undefined`.
const RUN: u32 = 1 << 10;

/// Three hosts with a peer each, the second one of which is attacked.
fn network() -> Net {
    let mut net = Net::new(3);
    for n in 0..3 {
        net.nodes[n].peers.insert(format!("\"peer{n}\""));
    }
    net.connect_all();
    for n in [0, 2] {
        net.find(n, "\"peer1\"");
    }
    net.settle();
    net
}

fn nothing(count: u32) -> Payload {
    Payload::Undefined { count }
}

/// So many runs of messages to a peer, from the number `first` on.
fn runs(first: u64, runs: u64, payload: &Payload) -> bytes::Bytes {
    let mut frame = Frame::default();
    let count = u64::from(payload.count());
    for n in 0..runs {
        let to = Some(ByteString::from_static("\"peer1\""));
        frame.send(first + n * count, &to, &None, payload);
    }
    frame.take()
}

/// How many events of messages host 1 has got, how many messages that are, and the most in one of them.
fn delivered(net: &Net) -> (usize, u64, u32) {
    let payloads = net.nodes[1].log.iter().filter_map(|event| match event {
        Event::Deliver { payload, .. } => Some(payload.count()),
        _ => None,
    });
    payloads.fold((0, 0, 0), |(events, messages, most), count| {
        (events + 1, messages + u64::from(count), most.max(count))
    })
}

#[test]
fn a_run_that_costs_its_sender_nothing_is_short_and_a_longer_one_is_not_taken_again_and_again() {
    let mut net = network();
    net.nodes[1].paused = true;
    let link = net.link(1, 0);
    net.inject(0, 1, &runs(1, 1, &nothing(RUN)));
    net.run_for(Duration::from_millis(5));
    assert_eq!(net.link(1, 0), link);
    net.inject(0, 1, &runs(1 + u64::from(RUN), 1, &nothing(RUN + 1)));
    net.run_for(Duration::from_millis(5));
    assert!(net.link(1, 0).is_none());
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    // Of what came before, the program gets what it had been told of; the rest has no known outcome for its sender.
    let before = delivered(&net).1;
    assert!((1..=u64::from(RUN)).contains(&before), "{before}");
    // Both have ended the session, and begin another one.
    net.run_for(Duration::from_secs(3));
    assert!(net.link(1, 0).is_some());
    net.send(0, "\"a\"", "\"peer1\"", "1");
    net.settle();
    assert_eq!(delivered(&net).1, before + 1);
}

#[test]
fn a_host_with_more_in_flight_than_may_be_is_cut_off_and_its_messages_are_dropped() {
    let mut net = network();
    net.nodes[1].paused = true;
    let most = MOST_IN_FLIGHT / u64::from(RUN);
    net.inject(0, 1, &runs(1, most, &nothing(RUN)));
    net.run_for(Duration::from_millis(5));
    assert!(net.link(1, 0).is_some());
    let held = net.nodes[1].mesh.held();
    assert!(held > 32 << 20, "messages weigh what they cost: {held}");
    net.inject(0, 1, &runs(MOST_IN_FLIGHT + 1, 1, &nothing(1)));
    net.run_for(Duration::from_millis(5));
    assert!(net.link(1, 0).is_none());
    assert!(net.nodes[1].mesh.held() < 1 << 20);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(net.nodes[1].mesh.held(), 0);
    assert!(delivered(&net).1 < 1 << 14);
}

#[test]
fn nobody_waits_behind_everything_that_another_host_says() {
    let mut net = network();
    net.nodes[1].paused = true;
    let most = MOST_IN_FLIGHT / u64::from(RUN);
    net.inject(0, 1, &runs(1, most, &nothing(RUN)));
    net.run_for(Duration::from_millis(5));
    let before = net.waiting(1);
    net.send(2, "\"peer2\"", "\"peer1\"", "1");
    net.run_for(Duration::from_millis(5));
    assert_eq!(net.waiting(1), before + 1);
    let ahead = before as u64 * u64::from(RUN);
    assert!(ahead < 1 << 14, "{ahead} messages come before it");
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(delivered(&net).1, MOST_IN_FLIGHT + 1);
    assert_eq!(net.nodes[1].mesh.held(), 0);
}

#[test]
fn a_long_run_is_told_in_pieces_and_acknowledged_by_and_by() {
    let mut net = network();
    let count = 60_000;
    let texts: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    let run = Payload::Json {
        texts: texts.join(",").into(),
        count,
    };
    let first = net.send_run(0, "\"a\"", "\"peer1\"", run);
    net.settle();
    assert_eq!(net.arrived(1, "\"peer1\""), texts);
    let (events, messages, most) = delivered(&net);
    assert_eq!(messages, u64::from(count));
    assert!(events > 10 && most <= 4096, "{events} {most}");
    for seq in [first, first + u64::from(count) - 1] {
        assert_eq!(net.outcome(0, seq), Some(Ok(())));
    }
}

#[test]
fn what_has_come_is_told_before_its_sender_is_lost_or_has_left() {
    for leaves in [false, true] {
        let mut net = network();
        net.nodes[1].paused = true;
        net.inject(0, 1, &runs(1, 100, &nothing(RUN)));
        net.run_for(Duration::from_millis(5));
        match leaves {
            true => drop(net.close(0)),
            false => net.sever(0, 1),
        }
        net.run_for(Duration::from_millis(5));
        net.nodes[1].paused = false;
        net.apply(1);
        net.settle();
        assert_eq!(delivered(&net).1, 100 * u64::from(RUN));
        let log = &net.nodes[1].log;
        let last = |wanted: fn(&Event) -> bool| log.iter().rposition(wanted);
        let told = last(|e| matches!(e, Event::Deliver { .. }));
        let lost = log
            .iter()
            .position(|e| matches!(e, Event::Disconnected { .. }));
        assert!(told < lost, "{told:?} {lost:?}");
    }
}

#[test]
fn a_host_that_leaves_says_all_that_waits_and_nothing_of_it_is_lost() {
    let mut net = network();
    net.nodes[1].paused = true;
    // More than the window has room for.
    let total = 400_000;
    for _ in 0..total / 250 {
        net.publish(0, "\"c\"", nothing(250));
    }
    net.run_for(Duration::from_millis(5));
    net.close(0);
    net.run_for(Duration::from_millis(5));
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    let log = &net.nodes[1].log;
    let payloads = log.iter().filter_map(|event| match event {
        Event::Publish { payload, .. } => Some(payload.count()),
        _ => None,
    });
    assert_eq!(payloads.sum::<u32>(), total);
}

#[test]
fn a_request_for_which_there_is_no_room_was_not_delivered() {
    let mut net = network();
    net.nodes[1].paused = true;
    let first = net.send_run(0, "\"a\"", "\"peer1\"", nothing(3));
    net.run_for(Duration::from_millis(5));
    let event = net.told(1);
    net.applied(1, event, 3, vec![(event, 1, Reply::Overloaded)]);
    net.run_for(Duration::from_millis(5));
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert!(matches!(
        net.outcome(0, first + 1),
        Some(Err(SendError::Overloaded { .. }))
    ));
    assert_eq!(net.outcome(0, first + 2), Some(Ok(())));
}
