//! Notes from the program of one host to that of another.

mod support;

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Event, Input, Payload, Reply, SendError};
use support::{Net, url};

fn id(n: usize) -> ByteString {
    format!("host{n:04}").into()
}

/// Says that from host 0 to host 1, as message number `seq`.
fn note(net: &mut Net, seq: u64, texts: &'static str, count: u32) {
    let host = id(1);
    let head = Some("\"h\"".into());
    let texts = ByteString::from_static(texts);
    let payload = Payload::Json { texts, count };
    net.input(
        0,
        Input::Note {
            seq,
            host,
            head,
            payload,
        },
    );
}

fn heard(net: &Net) -> Vec<String> {
    let notes = net.nodes[1].log.iter().filter_map(|e| match e {
        Event::Note { host, payload, .. } if *host == id(0) => Some(payload),
        _ => None,
    });
    let texts = notes.flat_map(|payload| payload.clone().into_json());
    texts.flatten().map(|t| t.to_string()).collect()
}

fn pair() -> Net {
    let mut net = Net::new(2);
    net.connect_all();
    net
}

#[test]
fn a_note_is_taken_and_settled() {
    let mut net = pair();
    note(&mut net, 0, "1,2", 2);
    net.settle();
    assert_eq!(heard(&net), ["1", "2"]);
    assert_eq!(net.outcome(0, 0), Some(Ok(())));
    assert_eq!(net.outcome(0, 1), Some(Ok(())));
}

#[test]
fn a_note_that_concerns_nobody_comes_back() {
    let mut net = pair();
    net.nodes[1].paused = true;
    note(&mut net, 0, "1,2,3", 3);
    net.settle();
    let event = net.told(1);
    net.applied(1, event + 1, 0, vec![(event, 1, Reply::NoSuchPeer)]);
    net.settle();
    assert_eq!(net.outcome(0, 0), Some(Ok(())));
    let nobody = Err(SendError::NotFound { id: None });
    assert_eq!(net.outcome(0, 1), Some(nobody));
    assert_eq!(net.outcome(0, 2), Some(Ok(())));
}

#[test]
fn a_note_to_a_host_that_is_not_connected_fails_at_once() {
    let mut net = Net::new(2);
    note(&mut net, 0, "1", 1);
    let (host, url) = (None, id(1));
    let unreachable = SendError::Unreachable { id: host, url };
    assert_eq!(net.outcome(0, 0), Some(Err(unreachable)));
}

#[test]
fn a_note_under_way_survives_its_connection_and_not_its_host() {
    let mut net = pair();
    note(&mut net, 0, "1", 1);
    net.sever(0, 1);
    net.run_for(Duration::from_secs(3));
    net.assert_full_mesh();
    assert_eq!(heard(&net), ["1"]);
    assert_eq!(net.outcome(0, 0), Some(Ok(())));
    net.nodes[1].paused = true;
    note(&mut net, 1, "2", 1);
    net.run_for(Duration::from_millis(10));
    net.restart(1);
    net.join(1, &url(0));
    net.run_for(Duration::from_secs(3));
    let unknown = SendError::Unknown {
        id: None,
        url: None,
    };
    assert_eq!(net.outcome(0, 1), Some(Err(unknown)));
}
