//! Counters as JSON, for `host.stats()`.

use distribus_mesh::stats::{Queue, Stats};
use distribus_net::{HostStats, LinkStats, Traffic};
use serde_json::{Map, Value, json};

/// What `lib/host/stats.js` documents, but for what it counts itself.
pub fn write(stats: &HostStats) -> String {
    let HostStats {
        mesh,
        traffic,
        under_way,
        links,
    } = stats;
    let Stats {
        received,
        published,
        heard,
        dropped,
        gaps,
        reconnects,
    } = mesh;
    json!({
        "received": received,
        "published": published,
        "heard": heard,
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
