//! What one peer sends to another arrives in call order, also when that one moves while its host is lost.

mod support;

use std::time::Duration;

use distribus_mesh::{Event, Input, Payload, SendError};
use support::{Net, url};

const WORKER: &str = "\"worker\"";

/// Host 0 has sent to the worker, which lives on host 1 of three.
fn network() -> Net {
    let mut net = Net::new(3);
    net.nodes[1].peers.insert(WORKER.into());
    net.connect_all();
    let seq = net.send(0, "\"me\"", WORKER, "\"before\"");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
    net
}

/// Nobody can connect host 0 with host 1, which have lost each other.
fn lose(net: &mut Net) {
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    net.sever(1, 0);
}

/// Host 0 sends to the worker while that one lives on host 2; then it moves back to host 1, which comes back.
fn send_meanwhile(net: &mut Net) {
    net.remove(1, WORKER);
    net.create(2, [WORKER.to_owned()]);
    let seq = net.send(0, "\"me\"", WORKER, "\"meanwhile\"");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
    net.remove(2, WORKER);
    net.create(1, [WORKER.to_owned()]);
    net.swallowed.clear();
    net.dead.clear();
    net.run_for(Duration::from_secs(5));
}

fn assert_after(net: &mut Net) {
    let seq = net.send(0, "\"me\"", WORKER, "\"after\"");
    net.settle();
    assert_eq!(net.outcome(0, seq), Some(Ok(())));
    assert_eq!(net.nodes[0].mesh.under_way(), 0);
}

#[test]
fn what_is_resent_to_a_peer_that_was_elsewhere_meanwhile_does_not_come_after_what_it_has_got_there()
{
    let mut net = network();
    net.swallowed.insert((0, 1));
    let texts = Payload::Json {
        texts: "\"1\",\"2\",\"3\"".into(),
        count: 3,
    };
    let first = net.send_run(0, "\"me\"", WORKER, texts);
    net.run_for(Duration::from_millis(5));
    lose(&mut net);
    send_meanwhile(&mut net);
    assert_eq!(net.arrived(2, WORKER), ["\"meanwhile\""]);
    assert_after(&mut net);
    assert_eq!(net.arrived(1, WORKER), ["\"before\"", "\"after\""]);
    let id = Some(WORKER.into());
    for seq in first..first + 3 {
        let never = SendError::NotFound { id: id.clone() };
        assert_eq!(net.outcome(0, seq), Some(Err(never)));
    }
}

#[test]
fn a_request_that_is_resent_to_a_peer_that_was_elsewhere_meanwhile_is_not_found() {
    let mut net = network();
    net.swallowed.insert((0, 1));
    let seq = net.nodes[0].sends;
    net.nodes[0].sends += 1;
    let request = Input::Request {
        seq,
        from: Some("\"me\"".into()),
        to: Some(WORKER.into()),
        payload: Payload::one(Some("\"question\"".into())),
    };
    net.input(0, request);
    net.run_for(Duration::from_millis(5));
    lose(&mut net);
    send_meanwhile(&mut net);
    let id = Some(WORKER.into());
    assert_eq!(net.outcome(0, seq), Some(Err(SendError::NotFound { id })));
    let asked = |e: &Event| matches!(e, Event::Request { .. });
    assert!(!net.nodes[1].log.iter().any(asked));
    assert_after(&mut net);
}

#[test]
fn what_has_arrived_before_its_host_was_lost_counts_although_the_peer_was_elsewhere_meanwhile() {
    let mut net = network();
    net.swallowed.insert((1, 0));
    let first = net.send(0, "\"me\"", WORKER, "\"first\"");
    net.run_for(Duration::from_millis(5));
    lose(&mut net);
    assert_eq!(net.outcome(0, first), None);
    send_meanwhile(&mut net);
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert_after(&mut net);
    assert_eq!(
        net.arrived(1, WORKER),
        ["\"before\"", "\"first\"", "\"after\""]
    );
}

#[test]
fn what_is_resent_to_a_peer_that_has_never_left_arrives() {
    let mut net = network();
    net.swallowed.insert((0, 1));
    let first = net.send(0, "\"me\"", WORKER, "\"first\"");
    net.run_for(Duration::from_millis(5));
    lose(&mut net);
    net.swallowed.clear();
    net.dead.clear();
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert_after(&mut net);
    assert_eq!(
        net.arrived(1, WORKER),
        ["\"before\"", "\"first\"", "\"after\""]
    );
}
