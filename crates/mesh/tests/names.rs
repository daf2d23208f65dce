//! A host may be known by several urls, and each of these may be that of another one later.

mod alone;

use std::time::Duration;

use alone::{Alone, join};
use distribus_mesh::{Change, Event, Input, LinkId, Nearness};

const HERE: Nearness = Nearness::Elsewhere;

/// What a host with that id and url says of itself.
fn about(id: &str, url: &str) -> String {
    let session = format!(r#"{{"id":"{id}","received":0,"seen":0,"window":1000}}"#);
    format!(
        r#"{{"id":"{id}","url":"{url}","number":1,"members":[],"version":2,"session":{session}}}"#
    )
}

/// That is said by the host that is being dialled.
fn answers(host: &mut Alone, about: &str) -> LinkId {
    let (link, _) = host.dials.pop_first().expect("a dial");
    host.answer(link, HERE, about);
    link
}

fn is_missed(host: &Alone, id: &str) -> bool {
    let away = [Change::Disconnect, Change::Leave];
    let missed = |e: &Event| matches!(e, Event::Member { change, host: Some(h), .. } if away.contains(change) && &**h == id);
    host.events.iter().any(missed)
}

#[test]
fn a_host_that_was_dialled_by_a_url_once_stays_when_another_one_is_there() {
    let mut host = Alone::new();
    host.input(join(1, "ws://first"));
    let us = about("a", "ws://first");
    answers(&mut host, &us);
    // There is the same one, and one connection will do.
    host.input(join(2, "ws://second"));
    answers(
        &mut host,
        &us.replace(r#""number":1"#, r#""duplicate":true"#),
    );
    host.input(join(3, "ws://second"));
    assert!(host.dials.is_empty());
    host.member_from(HERE, "b", Some("ws://second"));
    assert!(!is_missed(&host, "a"));
}

#[test]
fn the_urls_of_a_host_are_not_those_of_whoever_is_in_its_place() {
    for by_itself in [false, true] {
        let mut host = Alone::new();
        host.input(join(1, "ws://place"));
        let link = answers(&mut host, &about("a", "ws://everywhere"));
        host.input(Input::Closed { link });
        if by_itself {
            host.run_for(Duration::from_secs(2), false);
        } else {
            host.input(join(2, "ws://place"));
        }
        answers(&mut host, &about("b", "ws://place"));
        // Nobody who is connected is there.
        host.input(join(3, "ws://everywhere"));
        assert_eq!(host.begun.last().map(|url| &**url), Some("ws://everywhere"));
        host.fail_all();
        host.member_from(HERE, "c", Some("ws://everywhere"));
        assert!(!is_missed(&host, "b"), "by itself: {by_itself}");
    }
}
