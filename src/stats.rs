//! Counters as JSON, for `host.stats()`.

use distribus_mesh::stats::{Outcomes, Queue, Stats};
use distribus_net::{HostStats, LinkStats, Traffic};
use serde_json::{Map, Value, json};

/// What `lib/stats.js` documents.
pub fn write(stats: &HostStats) -> String {
    let HostStats {
        mesh,
        traffic,
        under_way,
        links,
    } = stats;
    let Stats {
        sent,
        received,
        published,
        heard,
        outcomes,
        dropped,
        gaps,
        reconnects,
    } = mesh;
    json!({
        "sent": sent,
        "received": received,
        "published": published,
        "heard": heard,
        "outcomes": self::outcomes(outcomes),
        "dropped": dropped,
        "gaps": gaps,
        "reconnects": reconnects,
        "bytesIn": traffic.received,
        "bytesOut": traffic.sent,
        "undelivered": under_way,
        "links": links.iter().map(link).collect::<Map<String, Value>>(),
    })
    .to_string()
}

fn outcomes(outcomes: &Outcomes) -> Value {
    let Outcomes {
        delivered,
        threw,
        not_found,
        unreachable,
        overloaded,
        too_large,
        not_supported,
        unknown,
        timeout,
        closed,
    } = outcomes;
    json!({
        "delivered": delivered,
        "threw": threw,
        "notFound": not_found,
        "unreachable": unreachable,
        "overloaded": overloaded,
        "tooLarge": too_large,
        "notSupported": not_supported,
        "unknown": unknown,
        "timeout": timeout,
        "closed": closed,
    })
}

fn link(stats: &LinkStats) -> (String, Value) {
    let LinkStats {
        queue:
            Queue {
                key,
                link,
                messages,
                bytes,
                in_flight,
            },
        traffic: Traffic { received, sent },
        unwritten,
    } = stats;
    let value = json!({
        "connected": link.is_some(),
        "queuedMessages": messages,
        "queuedBytes": bytes,
        "inFlightBytes": in_flight,
        "unwrittenBytes": unwritten,
        "bytesIn": received,
        "bytesOut": sent,
    });
    (key.to_string(), value)
}
