//! Messages that wait for a lost host although nobody knows yet that their peer lives there.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, Config, Input, SendError};
use support::{Net, url};

fn not_found() -> Option<Result<(), SendError>> {
    let id = Some("\"b\"".into());
    Some(Err(SendError::NotFound { id }))
}

/// Host 0 has lost host 1, and is connected with host 2. Nobody has ever asked for the peer of host 1.
fn lost() -> Net {
    let mut net = Net::new(3);
    net.connect_all();
    net.nodes[1].peers.insert("\"b\"".into());
    let config = Config {
        request_timeout: Duration::from_secs(20),
        reconnect_timeout: Duration::from_secs(10),
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    net.dead.extend([url(0), url(1)]);
    net.sever(0, 1);
    net.settle();
    net
}

#[test]
fn a_patient_send_waits_until_its_host_is_back_and_others_do_not() {
    let mut net = lost();
    let first = net.send_patiently(0, "\"b\"", "1");
    net.settle();
    let hurried = net.send(0, "\"a\"", "\"b\"", "2");
    let call = net.find(0, "\"b\"");
    let last = net.send_patiently(0, "\"b\"", "3");
    net.settle();
    assert_eq!(net.outcome(0, hurried), not_found());
    assert!(net.result(0, call).is_some_and(|r| r.is_err()));
    assert_eq!((net.outcome(0, first), net.outcome(0, last)), (None, None));
    assert_eq!(net.nodes[0].mesh.under_way(), 2);
    net.dead.clear();
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.outcome(0, first), Some(Ok(())));
    assert_eq!(net.outcome(0, last), Some(Ok(())));
    assert_eq!(net.arrived(1, "\"b\""), ["1", "3"]);
}

#[test]
fn it_looks_again_when_somebody_asks() {
    let mut net = lost();
    let patient = net.send_patiently(0, "\"b\"", "1");
    net.settle();
    net.nodes[2].peers.insert("\"b\"".into());
    net.send(0, "\"a\"", "\"b\"", "2");
    net.settle();
    assert_eq!(net.outcome(0, patient), Some(Ok(())));
    assert_eq!(net.arrived(2, "\"b\""), ["1", "2"]);
}

#[test]
fn it_ends_when_nobody_is_lost_any_more_or_after_the_request_timeout() {
    let mut net = lost();
    net.crash(1);
    let patient = net.send_patiently(0, "\"b\"", "1");
    net.run_for(Duration::from_secs(9));
    assert_eq!(net.outcome(0, patient), None);
    net.run_for(Duration::from_secs(2));
    assert_eq!(net.outcome(0, patient), not_found(), "it was given up");

    let mut net = lost();
    net.crash(1);
    let config = Config {
        request_timeout: Duration::from_secs(2),
        ..Config::default()
    };
    net.input(0, Input::Configure(config));
    let patient = net.send_patiently(0, "\"b\"", "1");
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.outcome(0, patient), not_found(), "it took too long");
    assert_eq!(net.nodes[0].mesh.under_way(), 0);
}

#[test]
fn closing_ends_it() {
    let mut net = lost();
    let patient = net.send_patiently(0, "\"b\"", "1");
    net.settle();
    let call = net.close(0);
    net.settle();
    assert_eq!(net.result(0, call), Some(Ok(Answer::Done)));
    assert_eq!(net.outcome(0, patient), Some(Err(SendError::Closed)));
}
