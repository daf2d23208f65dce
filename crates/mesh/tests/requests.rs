//! Requests and replies: a message to a peer, and a message back to the host that it came from.

mod support;

use std::time::Duration;

use distribus_mesh::{Event, Input, Outcome, Payload, SendError};
use support::Net;

/// Three hosts with a peer each, all of which host 0 knows.
fn network() -> Net {
    let mut net = Net::new(3);
    for n in 0..3 {
        net.nodes[n].peers.insert(format!("\"peer{n}\""));
    }
    net.connect_all();
    for n in 1..3 {
        net.find(0, &format!("\"peer{n}\""));
    }
    net.settle();
    net
}

fn run(texts: &[&str]) -> Payload {
    Payload::Json {
        texts: texts.join(",").into(),
        count: texts.len() as u32,
    }
}

fn request(net: &mut Net, n: usize, to: &str, payload: Payload) -> u64 {
    let seq = net.nodes[n].sends;
    net.nodes[n].sends += u64::from(payload.count());
    let (from, to) = (Some("\"gone\"".into()), Some(to.into()));
    net.input(
        n,
        Input::Request {
            seq,
            from,
            to,
            payload,
        },
    );
    seq
}

/// The requests that host `n` was told of: from which host, under which numbers, and their texts.
fn asked(net: &Net, n: usize) -> Vec<(String, u64, String)> {
    let requests = net.nodes[n].log.iter().filter_map(|e| match e {
        Event::Request {
            host,
            number,
            payload,
            ..
        } => {
            let texts = payload.clone().into_json().into_iter().flatten();
            let texts: Vec<String> = texts.map(|t| t.to_string()).collect();
            Some((host.to_string(), *number, texts.join(",")))
        }
        _ => None,
    });
    requests.collect()
}

/// Host `n` replies to a request that it was told of.
fn reply(net: &mut Net, n: usize, host: &str, number: u64, outcome: Outcome, texts: &[&str]) {
    net.input(
        n,
        Input::Reply {
            host: host.into(),
            number,
            outcome,
            payload: run(texts),
        },
    );
}

fn replies(net: &Net, n: usize) -> Vec<(u64, Outcome, Payload)> {
    let replies = net.nodes[n].log.iter().filter_map(|e| match e {
        Event::Reply {
            number,
            outcome,
            payload,
        } => Some((*number, *outcome, payload.clone())),
        _ => None,
    });
    replies.collect()
}

/// The numbers of the requests of host `n` that were accepted, each with the host.
fn accepted(net: &Net, n: usize) -> Vec<(u64, String)> {
    let accepted = net.nodes[n].log.iter().flat_map(|e| match e {
        Event::Accepted { seq, count, host } => (*seq..seq + count)
            .map(|seq| (seq, host.to_string()))
            .collect(),
        _ => Vec::new(),
    });
    accepted.collect()
}

fn gone(net: &Net, n: usize) -> usize {
    let gone = |e: &&Event| matches!(e, Event::Gone { .. });
    net.nodes[n].log.iter().filter(gone).count()
}

#[test]
fn a_run_of_requests_is_accepted_and_replied_to() {
    let mut net = network();
    net.send(0, "\"a\"", "\"peer1\"", "0");
    let first = request(&mut net, 0, "\"peer1\"", run(&["1", "2"]));
    net.settle();
    let (host, number, texts) = asked(&net, 1).pop().expect("a request");
    assert_eq!((number, &*texts), (first, "1,2"));
    let there: Vec<u64> = accepted(&net, 0).iter().map(|(seq, _)| *seq).collect();
    assert_eq!(there, [first, first + 1]);
    assert_eq!(net.outcome(0, first), None, "no send");
    reply(&mut net, 1, &host, number + 1, Outcome::Threw, &["\"no\""]);
    reply(&mut net, 1, &host, number, Outcome::Answered, &["[1]"]);
    net.settle();
    assert_eq!(
        replies(&net, 0),
        [
            (first + 1, Outcome::Threw, run(&["\"no\""])),
            (first, Outcome::Answered, run(&["[1]"])),
        ]
    );
}

#[test]
fn a_request_is_refused_as_a_message_is() {
    let mut net = network();
    let missing = request(&mut net, 0, "\"nobody\"", run(&["1"]));
    net.settle();
    let id = Some("\"nobody\"".into());
    assert_eq!(
        net.outcome(0, missing),
        Some(Err(SendError::NotFound { id }))
    );
    // It has moved: it is looked for, and its new host gets the request under the same number.
    net.nodes[1].peers.remove("\"peer1\"");
    net.nodes[2].peers.insert("\"peer1\"".into());
    let moved = request(&mut net, 0, "\"peer1\"", run(&["1"]));
    net.settle();
    assert_eq!(asked(&net, 2).len(), 1);
    assert_eq!(asked(&net, 2)[0].1, moved);
    let accepted: Vec<u64> = accepted(&net, 0).iter().map(|(seq, _)| *seq).collect();
    assert_eq!(accepted, [moved]);
}

#[test]
fn what_a_lost_link_swallowed_is_said_again_once() {
    let mut net = network();
    let first = request(&mut net, 0, "\"peer1\"", run(&["1", "2", "3"]));
    net.settle();
    let (host, number, _) = asked(&net, 1).pop().expect("a request");
    net.sever(0, 1);
    reply(&mut net, 1, &host, number, Outcome::Answered, &["1", "2"]);
    let second = request(&mut net, 0, "\"peer1\"", run(&["4"]));
    net.run_for(Duration::from_secs(5));
    assert_eq!(
        replies(&net, 0),
        [(first, Outcome::Answered, run(&["1", "2"]))]
    );
    let texts: Vec<String> = asked(&net, 1).into_iter().map(|(.., t)| t).collect();
    assert_eq!(texts, ["1,2,3", "4"]);
    assert!(accepted(&net, 0).iter().any(|(seq, _)| *seq == second));
    assert_eq!(gone(&net, 0), 0);
}

#[test]
fn a_host_that_is_gone_will_not_reply_and_gets_no_replies() {
    let mut net = network();
    request(&mut net, 0, "\"peer1\"", run(&["1"]));
    request(&mut net, 0, "\"peer2\"", run(&["1"]));
    net.settle();
    let (host, number, _) = asked(&net, 1).pop().expect("a request");
    let there = accepted(&net, 0);
    net.input(1, Input::Close { call: 99 });
    net.settle();
    let told: Vec<&Event> = net.nodes[0]
        .log
        .iter()
        .filter(|e| matches!(e, Event::Gone { .. }))
        .collect();
    let expected = Event::Gone {
        host: there[0].1.as_str().into(),
    };
    assert_eq!(told, [&expected]);
    let frames = net.frames;
    reply(&mut net, 1, &host, number, Outcome::Answered, &["1"]);
    net.settle();
    assert_eq!(net.frames, frames);
    assert!(replies(&net, 0).is_empty());
}

#[test]
fn who_is_not_seen_again_is_given_up_in_the_end() {
    let mut net = network();
    request(&mut net, 0, "\"peer1\"", run(&["1"]));
    net.settle();
    net.crash(1);
    net.run_for(Duration::from_secs(299));
    assert_eq!(gone(&net, 0), 0);
    net.run_for(Duration::from_secs(60));
    assert_eq!(gone(&net, 0), 1);
}

#[test]
fn a_program_of_others_may_say_that_its_handler_threw() {
    let mut net = network();
    net.nodes[1].throws = Some("\"no\"".into());
    let seq = request(&mut net, 0, "\"peer1\"", run(&["1"]));
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Err(SendError::Threw)));
    assert!(accepted(&net, 0).is_empty());
}

#[test]
fn what_is_left_of_a_run_keeps_its_numbers() {
    let mut net = network();
    request(&mut net, 0, "\"peer1\"", run(&["1"]));
    net.settle();
    // The first message of each is known already.
    let mut frame = distribus_mesh::wire::v2::Frame::default();
    let (to, from) = (Some("\"peer1\"".into()), None);
    frame.request(1, &to, &from, 100, &run(&["1", "2"]));
    frame.reply(2, 200, Outcome::Answered, &run(&["1", "2"]));
    net.inject(0, 1, &frame.take());
    net.settle();
    let numbers: Vec<u64> = asked(&net, 1).iter().map(|(_, n, _)| *n).collect();
    assert_eq!(numbers, [0, 101]);
    assert_eq!(replies(&net, 1), [(201, Outcome::Answered, run(&["2"]))]);
}
