//! A liar says hello with the id of another host and a number that no greeting of that host will ever reach. Without a secret nobody can
//! tell whose an id is, but the host itself is not kept out.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use distribus_mesh::{Input, LinkId, Nearness};
use support::{Net, url};

/// The liar's greeting comes to host 0 over a new connection.
fn lie(net: &mut Net, advertised: &str) -> LinkId {
    let link = net.nodes[0].mesh.next_link();
    net.input(
        0,
        Input::Accepted {
            link,
            near: Nearness::Elsewhere,
        },
    );
    let session = r#"{"id":"a lie","new":true,"received":0,"seen":0,"window":1000000}"#;
    let host = format!(
        r#"{{"id":"host0001","number":{},"replace":true,"versions":[2],"features":["relay"],"session":{session}}}"#,
        u64::MAX
    );
    let params = format!(r#"{{{advertised}"host":{host}}}"#);
    let text = format!(r#"{{"id":"1","message":{{"method":"greeting","params":{params}}}}}"#);
    let text = text.into();
    net.input(0, Input::Received { link, text });
    link
}

fn pair() -> Net {
    let mut net = Net::new(2);
    net.connect_all();
    net
}

fn assert_connected(net: &Net) {
    net.assert_full_mesh();
    assert_eq!(net.sockets_between(0, 1), 1);
    assert_eq!(net.nodes[0].connections, BTreeSet::from([url(1)]));
}

#[test]
fn a_host_comes_back_soon_after_a_liar_that_stays_has_taken_its_place() {
    for advertised in [format!(r#""url":"{}","#, url(1)), String::new()] {
        let mut net = pair();
        lie(&mut net, &advertised);
        net.run_for(Duration::from_secs(5));
        net.assert_full_mesh();
        assert_eq!(net.sockets_between(0, 1), 1, "{advertised}");
    }
}

#[test]
fn and_soon_after_a_liar_that_has_gone() {
    let mut net = pair();
    let link = lie(&mut net, "");
    net.input(0, Input::Closed { link });
    net.run_for(Duration::from_secs(5));
    assert_connected(&net);
}

#[test]
fn nor_is_a_host_kept_out_that_has_never_been_there() {
    let mut net = Net::new(2);
    let link = lie(&mut net, "");
    net.run_for(Duration::from_secs(1));
    net.input(0, Input::Closed { link });
    net.run_for(Duration::from_secs(1));
    net.join(1, &url(0));
    net.run_for(Duration::from_secs(5));
    assert_connected(&net);
}

#[test]
fn who_can_come_over_a_relay_only_comes_back_a_minute_after_the_liar_has_gone() {
    let mut net = Net::new(1);
    let nobody_dials = |net: &mut Net| net.add(None);
    let leaf = nobody_dials(&mut net);
    let other = nobody_dials(&mut net);
    net.join(leaf, &url(0));
    net.settle();
    net.join(other, &url(0));
    net.settle();
    let id = |n: usize| format!("host{n:04}");
    let connected = |net: &Net| net.nodes[other].connections.contains(&id(leaf));
    assert!(connected(&net), "over the relay");
    let link = net.nodes[other].mesh.next_link();
    net.input(
        other,
        Input::Accepted {
            link,
            near: Nearness::Elsewhere,
        },
    );
    let host = format!(
        r#"{{"id":"host0001","number":{},"versions":[2]}}"#,
        u64::MAX
    );
    let text =
        format!(r#"{{"id":"1","message":{{"method":"greeting","params":{{"host":{host}}}}}}}"#);
    let text = text.into();
    net.input(other, Input::Received { link, text });
    net.input(other, Input::Closed { link });
    net.run_for(Duration::from_secs(100));
    assert!(connected(&net));
    let seq = net.send(leaf, "\"a\"", &format!("\"peer{other}\""), "1");
    net.nodes[other].peers.insert(format!("\"peer{other}\""));
    net.run_for(Duration::from_secs(1));
    assert!(net.outcome(leaf, seq).is_some());
}
