//! Which events can be told as one.

use distribus_mesh::{Event, Payload};

/// How many of the first events can be told as one run.
pub fn length(events: &[Event]) -> usize {
    let follows = |pair: &[Event]| match pair {
        [
            Event::Settled { seq, count },
            Event::Settled { seq: next, .. },
        ] => seq + count == *next,
        [first, next] => continues(first, next),
        _ => false,
    };
    1 + events.windows(2).take_while(|pair| follows(pair)).count()
}

/// Whether `next` is more JSON texts of the same run as `first`.
fn continues(first: &Event, next: &Event) -> bool {
    let json = |p: &Payload| matches!(p, Payload::Json { .. });
    match (first, next) {
        (
            Event::Deliver { to, from, payload },
            Event::Deliver {
                to: to2,
                from: from2,
                payload: payload2,
            },
        ) => json(payload) && json(payload2) && to == to2 && from == from2,
        (
            Event::Publish {
                channel,
                payload,
                from_v1,
            },
            Event::Publish {
                channel: channel2,
                payload: payload2,
                from_v1: next,
            },
        ) => json(payload) && json(payload2) && channel == channel2 && from_v1 == next,
        (
            Event::Note {
                host,
                head,
                payload,
            },
            Event::Note {
                host: host2,
                head: head2,
                payload: payload2,
            },
        ) => json(payload) && json(payload2) && host == host2 && head == head2,
        _ => false,
    }
}
