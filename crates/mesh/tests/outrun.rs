//! A host is dialled that another incarnation has replaced, and that one is connected first. Found by the simulation.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, Change, Event, Input, NoteKind, Payload, SendError};
use support::{LATENCY, Net, url};

/// Whether host `n` was told of such a change of the host with that id.
fn told(net: &Net, n: usize, wanted: Change, id: &str) -> bool {
    let mut log = net.nodes[n].log.iter();
    log.any(|e| matches!(e, Event::Member { change, host: Some(h), .. } if *change == wanted && **h == *id))
}

#[test]
fn what_was_said_to_the_former_one_ends_when_the_next_one_greets_over_a_relay() {
    let mut net = Net::new(0);
    net.add(None);
    net.add(Some(url(1)));
    net.add(Some(url(2)));
    for n in [2, 0] {
        net.join(n, &url(1));
        net.settle();
    }
    assert_eq!(net.sockets_between(0, 2), 1);
    net.nodes[2].paused = true;
    let note = Input::Note {
        seq: 0,
        host: "host0002".into(),
        head: None,
        kind: NoteKind::State,
        payload: Payload::one(Some("1".into())),
    };
    net.input(0, note);
    net.settle();
    assert_eq!(net.outcome(0, 0), None);
    // Host 2 begins a new life, of which host 1 does not know when host 0 asks it for the members.
    net.hanging.insert((0, 2));
    net.swallowed.insert((2, 1));
    net.nodes[2].paused = false;
    net.restart(2);
    net.swallowed.clear();
    net.sever(0, 1);
    net.run_for(Duration::from_secs(2));
    assert_eq!(net.sockets_between(0, 1), 1);
    let call = net.join(2, &url(1));
    while !told(&net, 1, Change::Join, "host0002again1") {
        net.run_for(LATENCY);
    }
    // Host 0 turns to host 1 with its search for the former one when the next one is about to greet.
    net.run_for(LATENCY);
    assert_eq!(net.end_hanging(), 1);
    net.blocked.insert((0, 2));
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.result(2, call), Some(Ok(Answer::Done)));
    assert!(told(&net, 0, Change::Leave, "host0002"));
    assert!(told(&net, 0, Change::Join, "host0002again1"));
    assert!(
        matches!(net.outcome(0, 0), Some(Err(SendError::Unknown { .. }))),
        "{:?}",
        net.outcome(0, 0)
    );
}

#[test]
fn what_was_said_to_a_lost_host_ends_when_its_url_becomes_our_own() {
    let mut net = Net::new(2);
    net.connect_all();
    net.nodes[0].paused = true;
    let note = Input::Note {
        seq: 0,
        host: "host0000".into(),
        head: None,
        kind: NoteKind::State,
        payload: Payload::one(Some("1".into())),
    };
    net.input(1, note);
    net.settle();
    net.dead.insert(url(0));
    net.crash(0);
    net.run_for(LATENCY);
    net.nodes[1].url = Some(url(0));
    net.input(1, Input::SetUrl(Some(url(0).into())));
    net.run_for(Duration::from_secs(5));
    assert!(told(&net, 1, Change::Leave, "host0000"));
    assert!(
        matches!(net.outcome(1, 0), Some(Err(SendError::Unknown { .. }))),
        "{:?}",
        net.outcome(1, 0)
    );
}
