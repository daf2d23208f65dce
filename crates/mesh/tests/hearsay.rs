//! What others tell us makes us dial: few at a time, in turn, no more than so many a second, and not for longer than they are there.

mod alone;

use std::time::Duration;

use alone::{Alone, join, urls};
use distribus_mesh::{Change, Event, Input, LinkId, Nearness};

const MOST: usize = 16;
const MOST_OF_ONE: usize = 12;

#[test]
fn a_member_that_tells_of_thousands_makes_a_host_dial_few_at_a_time() {
    let mut host = Alone::new();
    let link = host.member("attacker");
    host.tell(link, "a", 4096);
    assert_eq!(host.dials.len(), MOST_OF_ONE);
    host.tell(link, "b", 4096);
    let first = *host.dials.keys().next().expect("a dial");
    host.fail(first);
    assert_eq!(host.dials.len(), MOST_OF_ONE);
    for _ in 0..100 {
        let other = host.member("another");
        host.tell(other, "c", 4096);
        assert!(host.dials.len() <= MOST);
    }
    assert_eq!(host.dials.len(), MOST);
}

#[test]
fn nor_do_joins_and_lists_of_v1_hosts_make_it_dial_more_and_nobody_waits_for_an_answer() {
    let mut host = Alone::new();
    let link = host.mesh.next_link();
    host.input(Input::Accepted {
        link,
        near: Nearness::Elsewhere,
    });
    host.hear(
        link,
        r#"{"id":"g","message":{"method":"greeting","params":{"url":"ws://v1"}}}"#.to_owned(),
    );
    for (n, url) in urls("a", 1000).enumerate() {
        host.hear(
            link,
            format!(r#"{{"id":{n},"message":{{"method":"join","params":{{"url":"{url}"}}}}}}"#),
        );
    }
    assert_eq!(host.dials.len(), MOST_OF_ONE);
    let answers = host
        .said
        .iter()
        .filter(|(l, text)| *l == link && text.contains(r#""error":null"#));
    assert!(
        answers.count() >= 1000 - MOST_OF_ONE,
        "{:?}",
        host.said.last()
    );
    let list = urls("b", 1000)
        .map(|url| format!("{url:?}"))
        .collect::<Vec<_>>()
        .join(",");
    host.hear(
        link,
        format!(r#"{{"id":"h","message":{{"method":"hosts","params":{{"urls":[{list}]}}}}}}"#),
    );
    assert_eq!(host.dials.len(), MOST_OF_ONE);
}

#[test]
fn all_tellers_take_turns() {
    let mut host = Alone::new();
    let attacker = host.member("attacker");
    let honest = host.member("honest");
    host.tell(attacker, "a", 4096);
    host.tell(honest, "h", 2);
    let honest = |host: &Alone| {
        host.dials
            .values()
            .filter(|url| url.starts_with("ws://h"))
            .count()
    };
    assert_eq!(honest(&host), 2);
    let other = host.member("other");
    host.tell(other, "o", 4096);
    assert_eq!(host.dials.len(), MOST);
    let late = host.member("late");
    host.tell(late, "h9", 1);
    let first = *host.dials.keys().next().expect("a dial");
    host.fail(first);
    let next = *host.dials.keys().next().expect("a dial");
    host.fail(next);
    assert_eq!(
        honest(&host),
        3,
        "it is its turn at the latest when all others have had one"
    );
}

#[test]
fn dials_that_come_to_nothing_become_rare() {
    let mut host = Alone::new();
    let link = host.member("attacker");
    host.tell(link, "a", 4096);
    for _ in 0..1000 {
        host.fail_all();
    }
    assert!(host.begun.len() <= 512 + 16, "{}", host.begun.len());
    let before = host.begun.len();
    host.run_for(Duration::from_secs(10), true);
    let after = host.begun.len() - before;
    assert!((500..=700).contains(&after), "{after} in ten seconds");
}

#[test]
fn what_the_program_joins_does_not_wait_for_what_others_tell() {
    let mut host = Alone::new();
    for id in ["attacker", "another"] {
        let link = host.member(id);
        host.tell(link, id, 2000);
    }
    assert_eq!(host.dials.len(), MOST);
    host.input(join(1, "ws://seed"));
    assert_eq!(host.begun.last().map(|url| &**url), Some("ws://seed"));
    host.input(join(2, "ws://attacker1999"));
    assert_eq!(
        host.begun.last().map(|url| &**url),
        Some("ws://attacker1999")
    );
    assert_eq!(host.dials.len(), MOST + 2);
}

/// The program joins a host that tells of so many others.
fn join_seed(host: &mut Alone, call: u64, count: usize) -> LinkId {
    host.input(join(call, "ws://seed"));
    let link = *host.dials.keys().next_back().expect("a dial");
    let members = urls("m", count).map(|url| format!(r#"{{"url":"{url}"}}"#));
    let members = members.collect::<Vec<_>>().join(",");
    let session = r#"{"id":"s","received":0,"seen":0,"window":1000}"#;
    let us = format!(
        r#"{{"id":"seed","url":"ws://seed","number":1,"version":2,"members":[{members}],"session":{session}}}"#
    );
    host.answer(link, Nearness::Elsewhere, &us);
    link
}

#[test]
fn a_join_waits_for_members_that_are_silent_no_longer_than_before() {
    let mut host = Alone::new();
    join_seed(&mut host, 7, 1000);
    assert_eq!(host.dials.len(), MOST_OF_ONE);
    host.run_for(Duration::from_millis(9_900), false);
    assert!(!host.is_done(7));
    host.run_for(Duration::from_millis(200), false);
    assert!(host.is_done(7));
}

#[test]
fn a_lost_host_is_dialled_again_whatever_others_tell() {
    let mut host = Alone::new();
    let link = join_seed(&mut host, 7, 0);
    for id in ["attacker", "another"] {
        let link = host.member(id);
        host.tell(link, id, 2000);
    }
    assert_eq!(host.dials.len(), MOST);
    host.input(Input::Closed { link });
    host.run_for(Duration::from_millis(1_100), false);
    let again = host.begun.iter().filter(|url| *url == "ws://seed");
    assert_eq!((again.count(), host.dials.len()), (2, MOST + 1));
}

#[test]
fn what_was_told_by_a_host_that_is_gone_is_forgotten() {
    let mut host = Alone::new();
    let link = host.member("attacker");
    host.tell(link, "a", 4096);
    for _ in 0..50 {
        host.fail_all();
    }
    host.input(Input::Closed { link });
    host.fail_all();
    let begun = host.begun.len();
    host.run_for(Duration::from_secs(60), true);
    assert_eq!(host.begun.len(), begun);
    let timers = |wanted: fn(&Event) -> bool| host.events.iter().filter(|e| wanted(e)).count();
    let started = timers(|e| matches!(e, Event::TimerStarted { .. }));
    assert_eq!(started, timers(|e| matches!(e, Event::TimerStopped { .. })));
    assert!(started > 500 && !host.mesh.is_seeking());
    // Another one tells of the same hosts.
    let other = host.member("other");
    host.tell(other, "a", 10);
    assert_eq!(host.dials.len(), 10);
}

#[test]
fn as_long_as_it_is_there_a_member_that_it_has_told_of_is_tried_again() {
    let mut host = Alone::new();
    let link = host.member("honest");
    host.tell(link, "a", 1);
    host.fail_all();
    host.run_for(Duration::from_secs(10), true);
    assert!(host.begun.len() >= 3, "{:?}", host.begun);
}

#[test]
fn a_host_that_was_here_is_looked_for_also_when_another_one_that_has_told_of_it_is_lost() {
    let mut host = Alone::new();
    let honest = host.member_from(Nearness::Elsewhere, "honest", Some("ws://honest"));
    let other = host.member("other");
    host.input(Input::Closed { link: honest });
    host.tell_urls(other, &["ws://honest".to_owned()]);
    // It is dialled, and the connection breaks in the middle of the greeting.
    let (link, _) = host.dials.pop_first().expect("a dial");
    let near = Nearness::Elsewhere;
    host.input(Input::Opened { link, near });
    host.input(Input::Closed { link });
    host.input(Input::Closed { link: other });
    host.run_for(Duration::from_secs(25), true);
    let gone = |e: &&Event| matches!(e, Event::Member { change: Change::Leave, host: Some(host), .. } if &**host == "honest");
    assert_eq!(host.events.iter().find(gone), None);
    assert!(host.begun.len() >= 3, "{:?}", host.begun);
    host.run_for(Duration::from_secs(10), true);
    assert!(host.events.iter().any(|e| gone(&e)));
}

#[test]
fn a_lost_host_is_waited_for_by_its_id_also_when_a_url_of_it_is_forgotten() {
    let mut host = Alone::new();
    let hidden = host.member_from(Nearness::Elsewhere, "hidden", None);
    let other = host.member("other");
    host.input(Input::Closed { link: hidden });
    let list = r#"{"members":[{"url":"ws://moved","id":"hidden"}]}"#;
    let told = format!(r#"{{"id":1,"message":{{"method":"members","params":{list}}}}}"#);
    host.hear(other, told);
    host.fail_all();
    host.input(Input::Closed { link: other });
    host.run_for(Duration::from_secs(25), true);
    let stopped = |e: &Event| matches!(e, Event::TimerStopped { key } if &**key == "ws://moved");
    assert!(host.events.iter().any(stopped));
    let gone = |e: &&Event| matches!(e, Event::Member { change: Change::Leave, host: Some(host), .. } if &**host == "hidden");
    assert_eq!(host.events.iter().find(gone), None);
    host.run_for(Duration::from_secs(10), true);
    assert!(host.events.iter().any(|e| gone(&e)));
}

#[test]
fn a_lost_host_whose_url_is_ours_by_now_is_waited_for_where_others_have_it_dialled() {
    let mut host = Alone::new();
    let here = Nearness::Elsewhere;
    host.input(join(1, "ws://a"));
    let (link, _) = host.dials.pop_first().expect("a dial");
    let session = r#"{"id":"a","received":0,"seen":0,"window":1000}"#;
    let answer = format!(
        r#"{{"id":"a","url":"ws://a","number":1,"members":[],"version":2,"session":{session}}}"#
    );
    host.answer(link, here, &answer);
    let other = host.member("other");
    host.input(Input::Closed { link });
    let list = r#"{"members":[{"url":"ws://moved","id":"a"}]}"#;
    host.hear(
        other,
        format!(r#"{{"id":1,"message":{{"method":"members","params":{list}}}}}"#),
    );
    let (link, _) = host.dials.pop_first().expect("a dial");
    host.input(Input::SetUrl(Some("ws://a".into())));
    host.run_for(Duration::from_secs(1), true);
    // Whoever is there does not want to know us, which is no reason to be told of it again.
    let refusal = r#"{"id":ID,"message":null,"error":"no"}"#;
    host.input(Input::Opened { link, near: here });
    let hello = host.said.iter().rev().find(|(l, _)| *l == link);
    let hello: serde_json::Value =
        serde_json::from_str(&hello.expect("a greeting").1).expect("JSON");
    host.hear(link, refusal.replace("ID", &hello["id"].to_string()));
    host.run_for(Duration::from_secs(24), true);
    let change = |wanted: Change| move |e: &Event| matches!(e, Event::Member { change, host: Some(host), .. } if *change == wanted && &**host == "a");
    assert!(host.events.iter().any(change(Change::Disconnect)));
    assert!(!host.events.iter().any(change(Change::Leave)));
    host.run_for(Duration::from_secs(10), true);
    assert!(host.events.iter().any(change(Change::Leave)));
}
