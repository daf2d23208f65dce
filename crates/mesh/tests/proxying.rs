//! What a 0.4.0 host says to the peers of hosts that do not listen goes through a host that does.

mod support;

use std::time::Duration;

use distribus_mesh::Answer;
use support::{LATENCY, Net, url};

/// Host 0 listens, 1 does not, and 2 is a 0.4.0 host.
fn network() -> Net {
    let mut net = Net::new(1);
    for address in [None, Some(url(2))] {
        let n = net.add(address);
        if n == 2 {
            net.v1_hosts.insert(n);
        }
        let call = net.join(n, &url(0));
        net.settle();
        assert_eq!(net.result(n, call), Some(Ok(Answer::Done)));
    }
    net
}

#[test]
fn a_peer_of_a_host_without_a_url_is_found_and_reached() {
    let mut net = network();
    net.create(1, ["\"p\"".to_owned()]);
    let found = net.find(2, "\"p\"");
    let sent = net.send(2, "\"a\"", "\"p\"", "1");
    let nobody = net.send(2, "\"a\"", "\"nobody\"", "2");
    net.settle();
    assert_eq!(
        net.result(2, found),
        Some(Ok(Answer::Url(Some(url(0).into()))))
    );
    assert_eq!(net.outcome(2, sent), Some(Ok(())));
    assert!(net.outcome(2, nobody).is_some_and(|o| o.is_err()));
    assert_eq!(net.arrived(1, "\"p\""), ["1"]);
}

/// What host 0 was told after message 2 for that peer, which had got that one. A message before it counts although it found no peer.
fn after_the_second(net: &Net) -> Vec<String> {
    let arrived = net.arrived(0, "\"p\"");
    let second = arrived.iter().position(|m| m == "2").expect("delivered");
    arrived[second + 1..].to_vec()
}

/// The 0.4.0 host sends to a peer while it lives nowhere, and again when it lives at host 0 anew. The first message is looked for at the
/// host without a url meanwhile, and comes too late: whoever sent it must not send it once more.
#[test]
fn what_waits_for_a_search_does_not_come_after_what_the_peer_has_got_here() {
    for apart in 0..12 {
        let mut net = network();
        net.create(0, ["\"p\"".to_owned()]);
        let known = net.send(2, "\"a\"", "\"p\"", "0");
        net.settle();
        assert_eq!(net.outcome(2, known), Some(Ok(())));

        net.remove(0, "\"p\"");
        let first = net.send(2, "\"a\"", "\"p\"", "1");
        net.run_for(LATENCY);
        net.create(0, ["\"p\"".to_owned()]);
        net.run_for(apart * LATENCY / 4);
        let second = net.send(2, "\"a\"", "\"p\"", "2");
        net.settle();
        assert_eq!(net.outcome(2, second), Some(Ok(())));
        assert_eq!(after_the_second(&net), [""; 0], "{apart} quarters apart");
        assert!(net.outcome(2, first).is_some(), "{apart} quarters apart");
    }
}

/// The same when the first message is on its way to the host without a url already, from which the peer has gone.
#[test]
fn what_was_passed_on_does_not_come_after_what_the_peer_has_got_here() {
    for apart in 0..16 {
        let mut net = network();
        net.create(1, ["\"p\"".to_owned()]);
        let known = net.send(2, "\"a\"", "\"p\"", "0");
        net.settle();
        assert_eq!(net.outcome(2, known), Some(Ok(())));

        let first = net.send(2, "\"a\"", "\"p\"", "1");
        net.remove(1, "\"p\"");
        net.run_for(apart * LATENCY / 4);
        net.create(0, ["\"p\"".to_owned()]);
        let second = net.send(2, "\"a\"", "\"p\"", "2");
        net.settle();
        assert_eq!(net.outcome(2, second), Some(Ok(())));
        assert_eq!(after_the_second(&net), [""; 0], "{apart} quarters apart");
        // Not that it was not found: the host would send it once more.
        net.run_for(Duration::from_secs(120));
        assert!(net.outcome(2, first).is_some(), "{apart} quarters apart");
        assert_eq!(after_the_second(&net), [""; 0], "{apart} quarters apart");
    }
}
