//! Notes from the program of one host to that of another.

mod support;

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Config, Event, Input, NoteKind, Payload, Reply, SendError};
use support::{Net, url};

fn id(n: usize) -> ByteString {
    format!("host{n:04}").into()
}

/// Says that from host 0 to host 1, as message number `seq`.
fn note(net: &mut Net, seq: u64, texts: &'static str, count: u32) {
    note_of(net, NoteKind::Question, seq, texts, count);
}

fn note_of(net: &mut Net, kind: NoteKind, seq: u64, texts: &'static str, count: u32) {
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
            kind,
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

/// A network of two in which host 1 takes nothing, and as much waits for it at host 0 as may.
fn full() -> Net {
    let mut net = pair();
    let max_in_flight = 2;
    let config = Config {
        max_in_flight,
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    net.nodes[1].paused = true;
    note(&mut net, 0, "1,2", 2);
    net
}

#[test]
fn there_is_always_room_for_a_note_about_a_state_and_never_for_a_question_or_a_job_that_is_too_much()
 {
    let mut net = full();
    note(&mut net, 2, "3", 1);
    note_of(&mut net, NoteKind::Job, 3, "4", 1);
    note_of(&mut net, NoteKind::State, 4, "5", 1);
    let overloaded = Some(Err(SendError::Overloaded { id: None }));
    assert_eq!(net.outcome(0, 2), overloaded);
    assert_eq!(net.outcome(0, 3), overloaded);
    assert_eq!(net.outcome(0, 4), None);
    net.nodes[1].paused = false;
    net.apply(1);
    net.settle();
    assert_eq!(heard(&net), ["1", "2", "5"]);
    assert_eq!(net.outcome(0, 4), Some(Ok(())));
}

#[test]
fn what_was_never_said_of_notes_fails_when_the_connection_is_lost_and_is_not_said_over_the_next_one()
 {
    for kind in [NoteKind::Question, NoteKind::State, NoteKind::Job] {
        let mut net = pair();
        net.nodes[1].paused = true;
        // More than the other host's window, so that only the first one is said.
        let large: &'static str = format!("\"{}\"", "x".repeat(9 << 20)).leak();
        note_of(&mut net, kind, 0, large, 1);
        note_of(&mut net, kind, 1, "1", 1);
        net.run_for(Duration::from_millis(10));
        net.sever(0, 1);
        net.run_for(Duration::from_millis(10));
        let (host, url) = (None, id(1));
        let unreachable = SendError::Unreachable { id: host, url };
        assert_eq!(net.outcome(0, 1), Some(Err(unreachable)), "{kind:?}");
        assert_eq!(net.outcome(0, 0), None, "{kind:?}");
        net.nodes[1].paused = false;
        net.apply(1);
        net.run_for(Duration::from_secs(3));
        net.assert_full_mesh();
        assert_eq!(heard(&net), [large], "{kind:?}");
        assert_eq!(net.outcome(0, 0), Some(Ok(())), "{kind:?}");
    }
}

#[test]
fn a_job_that_is_not_done_in_time_is_told_of_and_so_is_what_becomes_of_it_in_the_end() {
    for dies in [false, true] {
        let mut net = pair();
        net.nodes[1].paused = true;
        note_of(&mut net, NoteKind::Job, 0, "1", 1);
        note_of(&mut net, NoteKind::State, 1, "2", 1);
        net.run_for(Config::default().request_timeout + Duration::from_secs(1));
        let outcomes = |net: &Net, wanted: u64| -> Vec<Event> {
            let told = net.nodes[0].log.iter().filter(|event| match event {
                Event::Failed { seq, .. } => *seq == wanted,
                Event::Settled { seq, count } => (*seq..*seq + *count).contains(&wanted),
                _ => false,
            });
            told.cloned().collect()
        };
        let (seq, error) = (0, SendError::Timeout { id: None });
        assert_eq!(outcomes(&net, 0), [Event::Failed { seq, error }]);
        assert_eq!(outcomes(&net, 1), []);
        if dies {
            net.restart(1);
            net.join(1, &url(0));
            net.run_for(Duration::from_secs(3));
            let unknown = |seq| {
                let (id, url) = (None, None);
                let error = SendError::Unknown { id, url };
                Event::Failed { seq, error }
            };
            assert_eq!(outcomes(&net, 0)[1..], [unknown(0)]);
            assert_eq!(outcomes(&net, 1), [unknown(1)]);
        } else {
            net.nodes[1].paused = false;
            net.apply(1);
            net.settle();
            assert_eq!(outcomes(&net, 0).len(), 2);
            assert_eq!(net.outcome(0, 1), Some(Ok(())));
        }
    }
}
