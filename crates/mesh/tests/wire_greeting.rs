//! What a greeting and its answer say, read and written.

use bytestring::ByteString;
use distribus_mesh::wire::greeting::{Features, Hello, Offer, Welcome};
use distribus_mesh::wire::member::{self, Member};
use distribus_mesh::{Limits, Raw};

const ALL: Features = Features {
    interest: true,
    directory: true,
    relay: true,
};

fn offer(new: bool) -> Offer {
    Offer {
        id: "3db1a7842c11f960".into(),
        new,
        received: 7,
        seen: 5,
        window: 8_388_608,
    }
}

fn hello() -> Hello {
    Hello {
        url: Some("ws://a \"b\"".into()),
        network: Some("\"net\"".into()),
        id: Some("9de774edf60caa5f".into()),
        number: Some(2),
        replace: true,
        asks: true,
        features: ALL,
        quiet: true,
        limits: Limits { payload: 1, id: 2 },
        relayed: Some("0:0000000000000000".into()),
        session: Some(offer(true)),
    }
}

fn welcome() -> Welcome {
    let url = ByteString::from_static("ws://c");
    let host = Some("ec37f844511959821571b8b85b3c0369".into());
    Welcome {
        network: Some("{\"a\":1}".into()),
        id: Some("a875334c7a83daa5".into()),
        url: Some("ws://b".into()),
        number: Some(6),
        taken: true,
        duplicate: true,
        again: true,
        members: vec![Member { url, host }, Member::relayed("d".into())],
        features: ALL,
        quiet: true,
        limits: Limits { payload: 1, id: 2 },
        session: Some(offer(false)),
    }
}

fn read_hello(params: &str) -> Hello {
    Hello::read(Some(&params.into()))
}

fn read_welcome(message: &str) -> Option<Welcome> {
    Welcome::read(Some(&message.into()))
}

/// A greeting of a host that says that.
fn hello_of(host: &str) -> Hello {
    read_hello(&format!("{{\"host\":{host}}}"))
}

/// The answer of a host that says that.
fn welcome_of(host: &str) -> Welcome {
    read_welcome(&format!("{{\"host\":{host}}}")).expect("an object")
}

#[test]
fn a_greeting_is_read_as_it_was_written() {
    let hello = hello();
    assert_eq!(read_hello(&hello.written()), hello);
    let plain = Hello {
        id: Some("a".into()),
        ..Hello::default()
    };
    assert_eq!(read_hello(&plain.written()), plain);
}

#[test]
fn an_answer_to_a_greeting_is_read_as_it_was_written() {
    let welcome = welcome();
    assert_eq!(read_welcome(&welcome.written()), Some(welcome));
    let plain = Welcome {
        id: Some("a".into()),
        ..Welcome::default()
    };
    assert_eq!(read_welcome(&plain.written()), Some(plain));
}

#[test]
fn greetings_and_answers_are_written_in_the_order_of_the_protocol() {
    assert_eq!(
        hello().written(),
        concat!(
            r#"{"url":"ws://a \"b\"","networkId":"net","host":{"id":"9de774edf60caa5f","number":2,"replace":true,"#,
            r#""members":true,"versions":[2],"features":["interest","directory","relay"],"quiet":true,"#,
            r#""limits":{"payload":1,"id":2},"relayed":"0:0000000000000000","#,
            r#""session":{"id":"3db1a7842c11f960","new":true,"received":7,"seen":5,"window":8388608}}}"#
        )
    );
    assert_eq!(
        welcome().written(),
        concat!(
            r#"{"networkId":{"a":1},"host":{"id":"a875334c7a83daa5","url":"ws://b","number":6,"taken":true,"#,
            r#""duplicate":true,"again":true,"members":[{"url":"ws://c","id":"ec37f844511959821571b8b85b3c0369"},{"id":"d"}],"#,
            r#""version":2,"features":["interest","directory","relay"],"quiet":true,"limits":{"payload":1,"id":2},"#,
            r#""session":{"id":"3db1a7842c11f960","received":7,"seen":5,"window":8388608}}}"#
        )
    );
}

#[test]
fn what_is_as_usual_is_not_written() {
    let hello = Hello {
        id: Some("a".into()),
        features: Features {
            relay: true,
            ..Features::default()
        },
        ..Hello::default()
    };
    let written = r#"{"host":{"id":"a","versions":[2],"features":["relay"]}}"#;
    assert_eq!(hello.written(), written);
    let welcome = Welcome {
        id: Some("a".into()),
        ..Welcome::default()
    };
    assert_eq!(welcome.written(), r#"{"host":{"id":"a"}}"#);
    assert_eq!(Welcome::default().written(), "{}");
}

#[test]
fn a_0_4_0_host_says_and_is_told_its_url_and_network_alone() {
    let params = r#"{"url":"ws://a","networkId":1}"#;
    let hello = Hello {
        url: Some("ws://a".into()),
        network: Some("1".into()),
        ..Hello::default()
    };
    assert_eq!(read_hello(params), hello);
    assert_eq!(hello.written(), params);
    let welcome = Welcome {
        network: Some("1".into()),
        ..Welcome::default()
    };
    assert_eq!(read_welcome(r#"{"networkId":1}"#), Some(welcome.clone()));
    assert_eq!(welcome.written(), r#"{"networkId":1}"#);
}

#[test]
fn a_greeting_that_is_nonsense_is_one_that_says_nothing() {
    assert_eq!(Hello::read(None), Hello::default());
    for params in ["", "7", "null", "[]", "\"{}\"", "{", "{}{}", "{\"url\":}"] {
        assert_eq!(read_hello(params), Hello::default(), "{params}");
    }
    for host in ["7", "null", "[]", "\"{}\"", "{}"] {
        assert_eq!(hello_of(host), Hello::default(), "{host}");
    }
}

#[test]
fn an_answer_that_is_nonsense_says_nothing_and_one_without_a_network_says_undefined() {
    assert_eq!(Welcome::read(None), None);
    for message in ["", "7", "null", "[]", "\"{}\"", "{", "{}{}"] {
        assert_eq!(read_welcome(message), None, "{message}");
    }
    for message in ["{}", "{\"host\":7}", "{\"host\":{}}"] {
        assert_eq!(read_welcome(message), Some(Welcome::default()), "{message}");
    }
}

#[test]
fn each_member_that_is_odd_counts_as_missing_and_the_others_stay() {
    let rest = Hello {
        id: Some("a".into()),
        ..Hello::default()
    };
    for odd in [
        r#""number":-1"#,
        r#""number":1.5"#,
        r#""number":"1""#,
        r#""number":18446744073709551616"#,
        r#""replace":0"#,
        r#""members":null"#,
        r#""versions":2,"session":{"id":"s"}"#,
        r#""versions":[1,3],"session":{"id":"s"}"#,
        r#""versions":["2"],"session":{"id":"s"}"#,
        r#""session":{"id":"s"}"#,
        r#""features":"interest""#,
        r#""features":{"interest":true}"#,
        r#""features":[["interest"],1,null,"Interest"]"#,
        r#""quiet":"""#,
        r#""limits":[1,2]"#,
        r#""limits":{"payload":-1,"id":"2"}"#,
        r#""relayed":7"#,
        r#""url":"ws://b""#,
    ] {
        assert_eq!(hello_of(&format!("{{\"id\":\"a\",{odd}}}")), rest, "{odd}");
    }
    for id in ["", "\"id\":\"\",", "\"id\":7,", "\"id\":\"\\ud800\","] {
        let hello = hello_of(&format!("{{{id}\"number\":1}}"));
        assert_eq!((hello.id, hello.number), (None, Some(1)), "{id}");
    }
    assert_eq!(read_hello("{\"url\":\"\"}").url, None);
    assert_eq!(read_hello("{\"url\":7}").url, None);
}

#[test]
fn whatever_javascript_takes_for_true_is_set() {
    for (value, set) in [
        ("true", true),
        ("1", true),
        ("\"x\"", true),
        ("{}", true),
        ("[]", true),
        ("false", false),
        ("0", false),
        ("-0", false),
        ("\"\"", false),
        ("null", false),
    ] {
        let hello = hello_of(&format!(
            "{{\"replace\":{value},\"members\":{value},\"quiet\":{value}}}"
        ));
        let all = [hello.replace, hello.asks, hello.quiet];
        assert_eq!(all, [set; 3], "{value}");
        let welcome = welcome_of(&format!(
            "{{\"taken\":{value},\"duplicate\":{value},\"again\":{value},\"quiet\":{value}}}"
        ));
        let all = [
            welcome.taken,
            welcome.duplicate,
            welcome.again,
            welcome.quiet,
        ];
        assert_eq!(all, [set; 4], "{value}");
    }
}

#[test]
fn a_session_needs_an_id_of_64_characters_at_most_and_numbers_that_are_numbers() {
    let session = |session: &str| {
        let host = format!("{{\"versions\":[1,2],\"session\":{session}}}");
        let (hello, welcome) = (hello_of(&host), welcome_of(&host));
        assert_eq!(hello.session, welcome.session, "{session}");
        hello.session
    };
    let id = "x".repeat(64);
    let read = session(&format!("{{\"id\":\"{id}\"}}")).expect("a session");
    let expected = Offer {
        id: id.clone().into(),
        new: false,
        received: 0,
        seen: 0,
        window: 0,
    };
    assert_eq!(read, expected);
    for odd in [
        format!("{{\"id\":\"{id}x\"}}"),
        "7".to_owned(),
        "{}".to_owned(),
        "{\"id\":\"\"}".to_owned(),
        "{\"id\":7}".to_owned(),
        "{\"id\":\"a\",\"received\":-1}".to_owned(),
        "{\"id\":\"a\",\"seen\":1.0}".to_owned(),
        "{\"id\":\"a\",\"window\":null}".to_owned(),
        "{\"id\":\"a\",\"window\":18446744073709551616}".to_owned(),
    ] {
        assert_eq!(session(&odd), None, "{odd}");
    }
    let most = format!("{{\"id\":\"a\",\"window\":{}}}", u64::MAX);
    assert_eq!(session(&most).map(|s| s.window), Some(u64::MAX));
}

#[test]
fn an_answer_needs_no_versions_for_its_session_but_a_greeting_does() {
    let host = "{\"session\":{\"id\":\"s\"}}";
    assert!(welcome_of(host).session.is_some());
    assert!(hello_of(host).session.is_none());
}

#[test]
fn the_last_of_several_members_with_one_name_counts() {
    let hello = read_hello(
        "{\"url\":\"ws://a\",\"url\":\"ws://b\",\"host\":1,\"host\":{\"id\":\"a\",\"\\u0069d\":\"b\"}}",
    );
    assert_eq!(hello.url.as_deref(), Some("ws://b"));
    assert_eq!(hello.id.as_deref(), Some("b"));
}

#[test]
fn limits_that_are_not_said_are_the_usual_ones() {
    let usual = Limits::default();
    for (said, limits) in [
        ("{}", usual),
        (
            "{\"payload\":5}",
            Limits {
                payload: 5,
                ..usual
            },
        ),
        ("{\"id\":5,\"payload\":\"6\"}", Limits { id: 5, ..usual }),
        ("{\"id\":0,\"payload\":0}", Limits { id: 0, payload: 0 }),
    ] {
        let host = format!("{{\"limits\":{said}}}");
        assert_eq!(hello_of(&host).limits, limits, "{said}");
        assert_eq!(welcome_of(&host).limits, limits, "{said}");
    }
}

#[test]
fn members_are_read_as_far_as_they_are_members_and_no_more_than_4096() {
    let read = |list: &str| member::read(Some(&list.into()));
    assert_eq!(member::read(None), []);
    for list in ["", "7", "null", "{}", "[{\"url\":\"a\"}"] {
        assert_eq!(read(list), [], "{list}");
    }
    let list = r#"[7,null,[],{},{"url":7,"id":7},{"url":"","id":""},{"url":"ws://a"},{"id":"b"},{"url":"ws://c","id":"c"},"ws://d"]"#;
    let listed = |url: &'static str, host: Option<&'static str>| Member {
        url: url.into(),
        host: host.map(ByteString::from_static),
    };
    let members = [
        listed("ws://a", None),
        Member::relayed("b".into()),
        listed("ws://c", Some("c")),
    ];
    assert_eq!(read(list), members);
    assert_eq!(read(&member::written(&members)), members);
    let many = vec![listed("ws://a", None); 5_000];
    assert_eq!(read(&member::written(&many)).len(), 4_096);
}

#[test]
fn a_host_of_another_network_is_refused_in_the_words_of_0_4_0_and_one_of_none_belongs_to_any() {
    let mismatch = |theirs: Option<&'static str>, ours: Option<&'static str>| {
        let network = theirs.map(Raw::from_static);
        let hello = Hello {
            network,
            ..Hello::default()
        };
        hello.mismatch(&ours.map(Raw::from_static))
    };
    for theirs in [None, Some("null"), Some("\"\""), Some("0"), Some("false")] {
        assert_eq!(mismatch(theirs, Some("\"a\"")), None, "{theirs:?}");
    }
    assert_eq!(mismatch(Some("\"a\""), Some("\"\\u0061\"")), None);
    assert_eq!(mismatch(Some("1"), Some("1")), None);
    let text =
        |theirs: &str, ours: &str| Some(format!("Network id mismatch ({theirs} !== {ours})"));
    assert_eq!(mismatch(Some("\"a\""), Some("\"b\"")), text("a", "b"));
    assert_eq!(mismatch(Some("\"a\""), None), text("a", "undefined"));
    assert_eq!(mismatch(Some("1"), Some("\"1\"")), text("1", "1"));
}
