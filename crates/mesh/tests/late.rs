//! What a host has said over a connection that it has given up arrives late, after other things: as when the network swallows packets
//! for a while, and the system of that host goes on to send what was written, whatever has become of the host. The first of these was
//! found by the chaos run.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, Event, Input, Nearness, Payload};
use support::{Net, url};

fn publish(net: &mut Net, n: usize, text: &str) {
    net.publish(n, "\"c\"", Payload::one(Some(text.to_owned().into())));
}

/// Host 0 has dialled host 1, which has answered, has published 1, and has given up that connection. Nothing of that has arrived.
fn unanswered() -> Net {
    let mut net = Net::new(2);
    net.delayed.insert((1, 0));
    net.join(0, &url(1));
    net.settle();
    assert!(net.nodes[1].connections.contains(&url(0)));
    publish(&mut net, 1, "1");
    net.settle();
    net.sever(1, 0);
    net.settle();
    net.delayed.clear();
    assert!(net.nodes[0].connections.is_empty());
    net
}

/// They meet over another connection.
fn meet(net: &mut Net, text: &str) {
    net.join(1, &url(0));
    // Host 0 has host 1 wait for the connection that it is making itself.
    net.run_for(Duration::from_secs(2));
    net.assert_full_mesh();
    publish(net, 1, text);
    net.settle();
}

/// The join of host 0 ends well: host 1 is connected.
fn joined() -> Event {
    let result = Ok(Answer::Done);
    Event::Done { call: 1, result }
}

fn arrive_late(net: &mut Net) {
    assert!(
        net.arrive_late() >= 3,
        "the answer, the publish and the end"
    );
    net.settle();
}

/// They lose each other, and host 1 publishes 3 meanwhile.
fn lose(net: &mut Net) {
    net.sever(0, 1);
    publish(net, 1, "3");
    net.run_for(Duration::from_millis(10));
}

/// They find each other again, and their session has lost nothing.
fn assert_goes_on(net: &mut Net, all: &[&str]) {
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert_eq!(net.published(0), all);
}

#[test]
fn an_answer_of_an_earlier_incarnation_begins_nothing() {
    let mut net = unanswered();
    meet(&mut net, "2");
    net.restart(1);
    meet(&mut net, "3");
    let before = net.nodes[0].log.len();
    arrive_late(&mut net);
    assert_eq!(net.nodes[0].log[before..], [joined()]);
    net.assert_full_mesh();
    assert_eq!(net.published(0), ["1", "2", "3"]);
}

#[test]
fn an_answer_of_an_incarnation_that_was_never_heard_of_does_not_displace_the_present_one() {
    let mut net = unanswered();
    net.restart(1);
    meet(&mut net, "2");
    let before = net.nodes[0].log.len();
    arrive_late(&mut net);
    assert_eq!(net.nodes[0].log[before..], [joined()]);
    net.assert_full_mesh();
}

#[test]
fn nor_does_it_end_the_session_with_the_present_one_while_that_is_lost() {
    let mut net = unanswered();
    net.restart(1);
    meet(&mut net, "2");
    lose(&mut net);
    arrive_late(&mut net);
    assert_goes_on(&mut net, &["2", "3"]);
}

#[test]
fn an_answer_that_was_overtaken_does_not_end_the_session_that_began_since() {
    let mut net = unanswered();
    meet(&mut net, "2");
    lose(&mut net);
    arrive_late(&mut net);
    assert_goes_on(&mut net, &["1", "2", "3"]);
}

#[test]
fn nor_does_it_displace_the_connection_that_was_made_since() {
    let mut net = unanswered();
    meet(&mut net, "2");
    let before = net.nodes[0].log.len();
    arrive_late(&mut net);
    assert_eq!(net.nodes[0].log[before..], [joined()]);
    // They have not lost each other.
    publish(&mut net, 1, "3");
    net.settle();
    net.assert_full_mesh();
    assert_eq!(net.published(0), ["1", "2", "3"]);
}

#[test]
fn nor_does_it_bring_back_a_host_that_has_said_goodbye() {
    let mut net = unanswered();
    meet(&mut net, "2");
    net.close(1);
    net.settle();
    assert!(net.nodes[0].connections.is_empty());
    let before = net.nodes[0].log.len();
    arrive_late(&mut net);
    let came = |e: &Event| matches!(e, Event::Connected { .. } | Event::Publish { .. });
    assert!(!net.nodes[0].log[before..].iter().any(came));
    assert_eq!(net.published(0), ["1", "2"]);
}

#[test]
fn a_join_ends_well_when_the_other_side_has_connected_meanwhile() {
    let mut net = unanswered();
    meet(&mut net, "2");
    net.run_for(Duration::from_secs(60));
    assert_eq!(net.result(0, 1), Some(Ok(Answer::Done)));
    net.assert_full_mesh();
}

#[test]
fn nor_one_that_was_given_up() {
    let mut net = unanswered();
    meet(&mut net, "2");
    net.sever(0, 1);
    net.run_for(Duration::from_millis(10));
    let key = url(1).into();
    net.input(0, Input::CancelTimer { key });
    arrive_late(&mut net);
    assert_eq!(net.published(0), ["1", "2"]);
}

/// Host 1 has dialled host 0 and given that up before its greeting arrived.
fn unheard() -> Net {
    let mut net = Net::new(2);
    net.delayed.insert((1, 0));
    net.join(1, &url(0));
    net.settle();
    net.sever(1, 0);
    net.settle();
    net.delayed.clear();
    net
}

#[test]
fn a_greeting_that_was_overtaken_does_not_end_the_session_that_began_since() {
    let mut net = unheard();
    meet(&mut net, "2");
    lose(&mut net);
    assert_eq!(net.arrive_late(), 2, "the greeting and the end");
    assert_goes_on(&mut net, &["2", "3"]);
}

#[test]
fn nor_does_it_bring_back_who_has_said_goodbye() {
    let mut net = unheard();
    meet(&mut net, "2");
    net.close(1);
    net.settle();
    let before = net.nodes[0].log.len();
    assert_eq!(net.arrive_late(), 2, "the greeting and the end");
    net.settle();
    assert_eq!(net.nodes[0].log[before..], []);
}

#[test]
fn a_late_greeting_that_was_to_take_the_place_of_an_older_connection_leaves_the_newer_one() {
    let mut net = Net::new(2);
    let greeting = |number: u64, replace: &str| {
        format!(
            r#"{{"id":1,"message":{{"method":"greeting","params":{{"url":"ws://b","host":{{"id":"b","number":{number},{replace}"versions":[2],"session":{{"id":"s","new":true,"received":0,"seen":0,"window":1000000}}}}}}}}}}"#
        )
    };
    let mut hear = |number, replace| {
        let link = net.nodes[0].mesh.next_link();
        net.input(
            0,
            Input::Accepted {
                link,
                near: Nearness::Elsewhere,
            },
        );
        let text = greeting(number, replace).into();
        net.input(0, Input::Received { link, text });
        link
    };
    hear(7, "");
    hear(5, r#""replace":true,"#);
    let lost = |e: &&Event| matches!(e, Event::Disconnected { .. });
    assert_eq!(net.nodes[0].log.iter().filter(lost).count(), 0);
    // A newer one does take it.
    let mut hear = |number, replace| {
        let link = net.nodes[0].mesh.next_link();
        net.input(
            0,
            Input::Accepted {
                link,
                near: Nearness::Elsewhere,
            },
        );
        let text = greeting(number, replace).into();
        net.input(0, Input::Received { link, text });
    };
    hear(9, r#""replace":true,"#);
    assert_eq!(net.nodes[0].log.iter().filter(lost).count(), 1);
}
