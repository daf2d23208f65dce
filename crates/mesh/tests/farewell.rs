//! Who closes says goodbye to everybody who may know of it, whatever the connection with them is at.

mod support;

use std::time::Duration;

use distribus_mesh::{Answer, CallError, Change, Event, Input};
use support::{LATENCY, Net, url};

fn changes(net: &Net, n: usize) -> Vec<Change> {
    let change = |e: &Event| match e {
        Event::Member { change, .. } => Some(*change),
        _ => None,
    };
    net.nodes[n].log.iter().filter_map(change).collect()
}

fn pair() -> Net {
    let mut net = Net::new(2);
    net.join(0, &url(1));
    net.settle();
    net.assert_full_mesh();
    net
}

/// Host `n` is a member nowhere, nobody looks for it, and no link with it is left.
fn assert_left(net: &mut Net, n: usize, what: &str) {
    net.run_for(Duration::from_secs(8));
    for m in (0..net.nodes.len()).filter(|m| *m != n) {
        assert!(net.nodes[m].timers.is_empty(), "{what}: {m} looks for it");
        assert!(net.nodes[m].view.lost().is_empty(), "{what}: lost at {m}");
        assert_eq!(net.sockets_between(n, m), 0, "{what}");
        let changes = changes(net, m);
        let joins = changes.iter().filter(|c| **c == Change::Join).count();
        let leaves = changes.iter().filter(|c| **c == Change::Leave).count();
        assert_eq!(joins, leaves, "{what}: {changes:?} at {m}");
    }
}

/// Two hosts, of which one joins the other; one of them closes after so many milliseconds.
fn close_during_a_join(closes: usize, after: u32, v1: Option<usize>) -> (Net, u64, u64) {
    let mut net = Net::new(2);
    net.v1_hosts.extend(v1);
    let join = net.join(0, &url(1));
    net.run_for(after * LATENCY);
    let close = net.close(closes);
    net.nodes[closes].url = None;
    (net, join, close)
}

#[test]
fn a_host_that_closes_in_the_middle_of_its_join_leaves_for_good() {
    for v1 in [None, Some(0), Some(1)] {
        for after in 1..8 {
            let (mut net, join, close) = close_during_a_join(0, after, v1);
            let what = format!("after {after} ms, v1: {v1:?}");
            assert_left(&mut net, 0, &what);
            assert!(net.result(0, join).is_some(), "{what}");
            assert_eq!(net.result(0, close), Some(Ok(Answer::Done)), "{what}");
        }
    }
}

#[test]
fn a_host_that_closes_while_it_is_being_joined_leaves_for_good() {
    for v1 in [None, Some(0), Some(1)] {
        for after in 1..8 {
            let (mut net, join, close) = close_during_a_join(1, after, v1);
            let what = format!("after {after} ms, v1: {v1:?}");
            net.run_for(Duration::from_millis(100));
            let ended = net.result(0, join);
            assert!(ended.is_some(), "{what}");
            assert!(
                matches!(
                    ended,
                    Some(Ok(_) | Err(CallError::Lost { .. } | CallError::Dial(_)))
                ),
                "{what}: {ended:?}"
            );
            // A host of 0.4.0 does not say who leaves when it has not been registered yet.
            if v1 != Some(1) {
                assert_left(&mut net, 1, &what);
            }
            assert_eq!(net.result(1, close), Some(Ok(Answer::Done)), "{what}");
        }
    }
}

#[test]
fn an_answer_to_a_greeting_that_comes_after_the_goodbye_counts_for_nothing() {
    let mut net = Net::new(2);
    net.nodes[1].paused = true; // so that it answers no greeting yet
    let join = net.join(0, &url(1));
    net.run_for(5 * LATENCY);
    assert!(net.nodes[0].connections.is_empty());
    net.close(1);
    net.nodes[1].url = None;
    net.run_for(5 * LATENCY);
    let lost = matches!(net.result(0, join), Some(Err(CallError::Lost { .. })));
    assert!(lost, "{:?}", net.result(0, join));
    net.nodes[1].paused = false;
    net.apply(1);
    assert_left(&mut net, 1, "answered late");
    assert_eq!(changes(&net, 0), []);
}

#[test]
fn a_host_that_closes_in_the_middle_of_a_reconnect_leaves_for_good() {
    // Host 0 dials again a second after the loss, host 1 waits for that.
    for closes in [0, 1] {
        for after in [1, 2, 500, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006] {
            let mut net = pair();
            net.sever(0, 1);
            net.run_for(Duration::from_millis(after));
            let close = net.close(closes);
            net.nodes[closes].url = None;
            let what = format!("{closes} closes {after} ms after the loss");
            assert_left(&mut net, closes, &what);
            assert_eq!(net.result(closes, close), Some(Ok(Answer::Done)), "{what}");
        }
    }
}

#[test]
fn a_loss_that_only_one_side_knows_of_does_not_outlive_a_goodbye() {
    // Host 1 learns of the loss when it is over.
    for closes in [0, 1] {
        let mut net = pair();
        net.delayed.insert((0, 1));
        net.sever(0, 1);
        net.run_for(Duration::from_millis(10));
        net.close(closes);
        net.nodes[closes].url = None;
        net.run_for(Duration::from_millis(500));
        net.arrive_late();
        assert_left(&mut net, closes, &format!("{closes} closes"));
    }
}

#[test]
fn nobody_is_told_of_a_goodbye_that_was_dialled_for() {
    let mut net = pair();
    net.sever(0, 1);
    net.run_for(Duration::from_millis(500));
    net.close(0);
    net.run_for(Duration::from_secs(10));
    use Change::{Disconnect, Join, Leave};
    assert_eq!(changes(&net, 1), [Join, Disconnect, Leave]);
}

#[test]
fn a_lost_host_that_does_not_answer_holds_close_up_for_a_second() {
    let mut net = pair();
    net.hanging.insert((0, 1));
    net.sever(0, 1);
    net.run_for(Duration::from_millis(500));
    let close = net.close(0);
    net.run_for(Duration::from_millis(900));
    assert_eq!(net.result(0, close), None);
    net.run_for(Duration::from_millis(110));
    assert_eq!(net.result(0, close), Some(Ok(Answer::Done)));
}

#[test]
fn close_waits_no_longer_than_it_is_told_and_says_goodbye_all_the_same() {
    for (within, waits) in [(0, 0), (200, 200), (60_000, 5000)] {
        let mut net = Net::new(3);
        net.connect_all();
        net.nodes[1].paused = true;
        let within = Duration::from_millis(within);
        let close = net.call_with(0, |call| Input::CloseWithin { call, within });
        net.nodes[0].url = None;
        if waits > 0 {
            net.run_for(Duration::from_millis(waits - 1));
            assert_eq!(net.result(0, close), None);
            net.run_for(Duration::from_millis(1));
        }
        assert_eq!(net.result(0, close), Some(Ok(Answer::Done)), "{within:?}");
        net.nodes[1].paused = false;
        net.close(1);
        net.nodes[1].url = None;
        assert_left(&mut net, 0, &format!("within {within:?}"));
    }
}

#[test]
fn a_goodbye_that_overtakes_a_greeting_that_was_put_off_ends_that() {
    // Host 2 advertises the url of host 0, so that host 1 looks first who has it.
    let mut net = Net::new(2);
    net.join(1, &url(0));
    net.settle();
    let twin = net.add(Some(url(0)));
    net.join(twin, &url(1));
    net.run_for(3 * LATENCY);
    net.close(twin);
    net.run_for(Duration::from_secs(10));
    assert_eq!(changes(&net, 1), [Change::Join]);
    assert!(net.nodes[1].timers.is_empty());
}

#[test]
fn a_host_between_hears_the_goodbye_of_one_whose_relayed_hosts_do_not_answer() {
    for (within, waits) in [(0, 0), (200, 200), (60_000, 5000)] {
        let mut net = Net::new(1);
        let (one, other) = (net.add(None), net.add(None));
        for n in [one, other] {
            net.join(n, &url(0));
            net.settle();
        }
        net.run_for(Duration::from_secs(5));
        assert_eq!(net.nodes[one].connections.len(), 2);
        net.nodes[other].paused = true;
        let within = Duration::from_millis(within);
        let close = net.call_with(one, |call| Input::CloseWithin { call, within });
        net.run_for(Duration::from_millis(waits));
        assert_eq!(net.result(one, close), Some(Ok(Answer::Done)), "{within:?}");
        net.settle();
        use Change::{Join, Leave};
        assert_eq!(changes(&net, 0), [Join, Join, Leave], "{within:?}");
    }
}
