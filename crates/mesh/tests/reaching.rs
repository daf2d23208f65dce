//! How near a dial may lead: no nearer than whoever has told of the url, unless the program says so. And which urls are dialled at all.

mod alone;

use std::time::Duration;

use Nearness::{Elsewhere, Machine, Network, Program};
use alone::{Alone, join};
use distribus_mesh::{CallError, Config, Event, Input, LinkId, Nearness, Reach};

/// How far the last dial may lead, which was to that url.
fn last(host: &Alone) -> (Option<&str>, Option<Nearness>) {
    let told = host.reaches.last().map(|reach| reach.told);
    (host.begun.last().map(|url| &**url), told)
}

fn last_link(host: &Alone) -> LinkId {
    *host.dials.keys().next_back().expect("a dial")
}

fn us(id: &str, members: &str) -> String {
    let session = r#"{"id":"s","received":0,"seen":0,"window":1000}"#;
    format!(r#"{{"id":"{id}","number":1,"version":2,"members":[{members}],"session":{session}}}"#)
}

fn asking() -> Alone {
    Alone::with(Config {
        asks_to_dial: true,
        ..Config::default()
    })
}

fn unreachable(host: &Alone) -> Vec<(&str, &str)> {
    let told = host.events.iter().filter_map(|event| match event {
        Event::Unreachable {
            url,
            error: CallError::Dial(error),
        } => Some((&**url, &*error.code)),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_dial_leads_as_near_as_whoever_has_told_of_the_url_and_where_the_program_wants() {
    let mut host = Alone::new();
    for near in [Elsewhere, Network, Machine] {
        let link = host.member_from(near, &format!("{near:?}"), None);
        host.tell(link, &format!("members-{near:?}"), 1);
        assert_eq!(last(&host).1, Some(near));
        let url = format!("ws://join-{near:?}");
        host.hear(
            link,
            format!(r#"{{"id":1,"message":{{"method":"join","params":{{"url":"{url}"}}}}}}"#),
        );
        assert_eq!(last(&host), (Some(&*url), Some(near)));
        let url = format!("ws://hosts-{near:?}");
        host.hear(
            link,
            format!(r#"{{"id":2,"message":{{"method":"hosts","params":{{"urls":["{url}"]}}}}}}"#),
        );
        assert_eq!(last(&host), (Some(&*url), Some(near)));
    }
    host.input(join(1, "ws://seed"));
    assert_eq!(last(&host), (Some("ws://seed"), Some(Program)));
    // Whom the program has named may tell of what is as near as it is itself.
    let link = last_link(&host);
    host.answer(
        link,
        Network,
        &us("seed", r#"{"url":"ws://other","id":"o"}"#),
    );
    assert_eq!(last(&host), (Some("ws://other"), Some(Network)));
}

#[test]
fn of_several_who_tell_of_a_url_the_nearest_counts() {
    let mut host = Alone::new();
    // So many tell that there is no room for another one.
    let crowd: Vec<LinkId> = (0..12).map(|n| host.member(&format!("m{n}"))).collect();
    for link in &crowd {
        host.tell(*link, "a", 20);
    }
    let near = host.member_from(Machine, "near", None);
    host.tell(near, "a", 20);
    host.fail_all();
    host.fail_all();
    for (url, reach) in host.begun.iter().zip(&host.reaches).skip(12) {
        assert_eq!(reach.told, Machine, "{url}");
    }
    assert!(host.begun.len() > 12);
}

#[test]
fn a_dial_that_fails_is_made_again_for_whom_it_may_lead_nearer() {
    let mut host = Alone::new();
    let far = host.member("far");
    host.tell(far, "a", 1);
    let near = host.member_from(Machine, "near", None);
    host.tell(near, "a", 1);
    host.input(join(1, "ws://a0"));
    assert_eq!(host.begun.len(), 1);
    host.fail(last_link(&host));
    assert_eq!((host.begun.len(), last(&host).1), (2, Some(Program)));
    host.fail(last_link(&host));
    let failed = |e: &Event| {
        matches!(
            e,
            Event::Done {
                call: 1,
                result: Err(_)
            }
        )
    };
    assert!(host.events.iter().any(failed));
    assert_eq!(host.begun.len(), 2);
}

#[test]
fn a_host_that_has_answered_is_found_again_where_it_was_and_no_nearer() {
    for (told, answers, again) in [
        (Elsewhere, Elsewhere, Elsewhere),
        (Machine, Elsewhere, Machine),
        (Elsewhere, Machine, Machine), // as far as the program has allowed it
    ] {
        let mut host = Alone::new();
        let teller = host.member_from(told, "teller", None);
        host.tell(teller, "a", 1);
        let link = last_link(&host);
        host.answer(link, answers, &us("a", ""));
        // Whoever has told of it does not matter any more.
        host.input(Input::Closed { link: teller });
        host.input(Input::Closed { link });
        host.run_for(Duration::from_millis(1_100), false);
        assert_eq!(host.begun.len(), 2, "{:?}", host.begun);
        assert_eq!(last(&host).1, Some(again));
        host.fail_all();
        host.run_for(Duration::from_secs(5), true);
        assert!(host.begun.len() > 3, "{:?}", host.begun);
        assert_eq!(last(&host).1, Some(again));
    }
    let mut host = Alone::new();
    host.input(join(1, "ws://seed"));
    let link = last_link(&host);
    host.answer(link, Elsewhere, &us("seed", ""));
    host.input(Input::Closed { link });
    host.run_for(Duration::from_millis(1_100), false);
    assert_eq!(last(&host), (Some("ws://seed"), Some(Program)));
}

#[test]
fn where_a_host_claims_to_be_is_dialled_no_nearer_than_it_came_from() {
    for near in [Elsewhere, Machine] {
        let mut host = Alone::new();
        host.member_from(near, "liar", Some("ws://127.0.0.1:1"));
        // To say goodbye after it was lost.
        let link = host.member_from(near, "other", Some("ws://127.0.0.1:2"));
        host.input(Input::Closed { link });
        let within = Duration::from_secs(1);
        host.input(Input::CloseWithin { call: 1, within });
        assert_eq!(last(&host), (Some("ws://127.0.0.1:2"), Some(near)));
    }
}

#[test]
fn a_url_with_the_name_of_our_own_is_marked() {
    let mut host = Alone::new();
    let link = host.member("a");
    let namesake = |host: &Alone| host.reaches.last().map(|Reach { namesake, .. }| *namesake);
    host.tell_urls(link, &["ws://here:1".to_owned()]);
    assert_eq!(namesake(&host), Some(false));
    host.input(Input::SetUrl(Some("ws://here:3000".into())));
    host.tell_urls(link, &["ws://here:2".to_owned()]);
    assert_eq!(namesake(&host), Some(true));
    host.tell_urls(link, &["ws://there:2".to_owned()]);
    assert_eq!(namesake(&host), Some(false));
}

#[test]
fn the_program_is_asked_before_a_url_is_dialled_that_others_tell_of() {
    let mut host = asking();
    host.allows = true;
    let link = host.member_from(Machine, "a", None);
    host.tell(link, "a", 1);
    assert_eq!(host.asked(), ["ws://a0"]);
    assert_eq!(last(&host), (Some("ws://a0"), Some(Program)));
    let told = last_link(&host);
    host.answer(told, Machine, &us("b", ""));
    // Again before each dial.
    host.input(Input::Closed { link: told });
    host.run_for(Duration::from_millis(1_100), false);
    assert_eq!((host.asked().len(), host.begun.len()), (2, 2));
    host.input(join(1, "ws://seed"));
    assert_eq!((host.asked().len(), host.begun.len()), (2, 3));
}

#[test]
fn what_the_program_does_not_allow_is_not_dialled_and_reported_once() {
    let mut host = asking();
    let link = host.member("a");
    host.tell(link, "a", 1);
    assert_eq!((host.asked().len(), host.begun.len()), (1, 0));
    assert_eq!(unreachable(&host), [("ws://a0", "ERR_DIAL_NOT_ALLOWED")]);
    host.run_for(Duration::from_secs(60), true);
    assert_eq!((host.asked().len(), host.begun.len()), (1, 0));
    assert!(!host.mesh.is_seeking());
    // It still may name the url itself.
    host.input(join(1, "ws://a0"));
    assert_eq!(last(&host), (Some("ws://a0"), Some(Program)));
}

#[test]
fn the_program_may_join_a_url_about_which_it_is_being_asked() {
    let mut host = asking();
    let link = host.member("a");
    host.is_busy = true;
    host.tell(link, "a", 1);
    host.input(join(1, "ws://a0"));
    assert_eq!(host.begun.len(), 0);
    host.apply();
    assert_eq!(last(&host), (Some("ws://a0"), Some(Program)));
}

#[test]
fn no_more_questions_wait_than_dials_may_go_on_and_none_outlives_the_host() {
    let mut host = asking();
    let link = host.member("a");
    host.is_busy = true;
    host.allows = true;
    host.tell(link, "a", 1000);
    assert_eq!(host.asked().len(), 12);
    host.input(Input::Close { call: 1 });
    host.hear(link, r#"{"id":1,"message":"goodbye","error":null}"#.into());
    host.apply();
    host.run_for(Duration::from_secs(6), false);
    assert!(host.is_done(1));
    assert_eq!((host.asked().len(), host.begun.len()), (12, 0));
}

#[test]
fn what_is_no_url_of_a_host_is_dialled_by_nobody_s_word() {
    let bad = [
        "http://host",
        "file:///etc/passwd",
        "host",
        "ws://",
        "ws://user:secret@host",
        "ws://host/#fragment",
        "ws://ho st",
        "ws://host\\\\@other",
    ];
    let mut host = Alone::new();
    let link = host.member("a");
    host.tell_urls(link, &bad.map(str::to_owned));
    for url in bad {
        host.hear(
            link,
            format!(r#"{{"id":"{url}","message":{{"method":"join","params":{{"url":"{url}"}}}}}}"#),
        );
        let answer = &host.said.last().expect("an answer").1;
        assert!(answer.contains("Invalid url"), "{url}: {answer}");
        host.hear(
            link,
            format!(r#"{{"id":2,"message":{{"method":"hosts","params":{{"urls":["{url}"]}}}}}}"#),
        );
        // A host that says that it is there has no url.
        let liar = host.member_from(Elsewhere, &format!("liar at {url}"), Some(url));
        host.input(Input::Closed { link: liar });
    }
    host.input(join(1, "ws://seed"));
    let members = bad.map(|url| format!(r#"{{"url":"{url}"}}"#)).join(",");
    let seed = last_link(&host);
    host.answer(seed, Elsewhere, &us("seed", &members));
    host.run_for(Duration::from_secs(5), true);
    assert_eq!(host.begun, ["ws://seed"]);
    let urls = host.events.iter().filter_map(|event| match event {
        Event::Connected { url, .. } => url.as_deref(),
        _ => None,
    });
    assert_eq!(urls.collect::<Vec<&str>>(), ["ws://seed"]);
}
