//! A host is lost, and another one advertises its url, at which nobody listens any more, or somebody else: it is reached over whoever has
//! told of it. The simulation found these.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, Input};
use support::{Net, url};

/// Host 2 does not listen, and is not connected. It looks for the former host 1, and cannot reach host 0, which knows the host that
/// has come with the url of host 1 since.
fn successor() -> Net {
    let mut net = Net::new(2);
    net.connect_all();
    net.add(None);
    net.join(2, &url(0));
    net.settle();
    net.blocked.insert((2, 0));
    net.crash(1);
    net.sever(0, 2);
    net.settle();
    net.revive(1, Some(url(1)));
    let call = net.join(1, &url(0));
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    assert!(net.nodes[2].connections.is_empty());
    net
}

/// Host 2 joins host 0.
fn join(net: &mut Net) -> u64 {
    net.blocked.clear();
    let call = net.join(2, &url(0));
    net.settle();
    call
}

fn assert_met(net: &mut Net) {
    for (n, m) in [(1, 2), (2, 1)] {
        let peer = format!("\"of {m}\"");
        net.create(m, [peer.clone()]);
        let seq = net.send(n, "\"x\"", &peer, "1");
        net.settle();
        assert_eq!(net.outcome(n, seq), Some(Ok(())), "from {n} to {m}");
    }
    net.run_for(Duration::from_secs(1));
    assert!(net.nodes[2].timers.is_empty(), "nobody is missed any more");
}

#[test]
fn who_advertises_a_url_at_which_nobody_listens_is_reached_although_another_one_was_lost_there() {
    let mut net = successor();
    let call = join(&mut net);
    assert_eq!(net.result(2, call), Some(Ok(Answer::Done)));
    assert_met(&mut net);
}

#[test]
fn so_it_is_when_the_former_one_is_just_being_dialled() {
    let mut net = successor();
    net.hanging.insert((2, 1));
    net.run_for(Duration::from_secs(2));
    join(&mut net);
    assert_ne!(net.end_hanging(), 0);
    net.settle();
    assert_met(&mut net);
}

#[test]
fn so_it_is_when_the_one_who_is_told_compares_notes_meanwhile() {
    let mut net = successor();
    // It is no news any more.
    net.run_for(Duration::from_secs(15));
    net.hanging.insert((2, 1));
    net.blocked.clear();
    net.run_for(Duration::from_secs(5));
    assert!(net.nodes[2].connections.contains(&url(0)));
    assert_ne!(net.end_hanging(), 0);
    net.settle();
    assert_met(&mut net);
}

#[test]
fn so_it_is_when_the_url_leads_to_the_machine_itself() {
    let mut net = successor();
    net.dead.clear();
    net.reached.insert((2, url(1)), 2);
    join(&mut net);
    net.settle();
    assert_met(&mut net);
}

#[test]
fn so_it_is_when_a_third_host_answers_there() {
    let mut net = successor();
    net.dead.clear();
    let third = net.add(None);
    net.reached.insert((2, url(1)), third);
    join(&mut net);
    net.settle();
    assert_met(&mut net);
}

#[test]
fn who_comes_to_a_url_by_which_another_host_was_dialled_once_is_reached() {
    let other = "ws://127.0.0.1:4000";
    let mut net = Net::new(2);
    net.add(None);
    net.reached.insert((2, other.to_owned()), 1);
    for url in [&url(1), other] {
        let call = net.join(2, url);
        net.settle();
        assert_eq!(net.result(2, call), Some(Ok(Answer::Done)));
    }
    net.reached.clear();
    net.nodes[0].url = Some(other.to_owned());
    net.input(0, Input::SetUrl(Some(other.into())));
    let call = net.join(1, other);
    net.settle();
    assert_eq!(net.result(1, call), Some(Ok(Answer::Done)));
    assert!(net.nodes[2].connections.contains(other));
}
