//! Settings, from the JSON that `lib/` writes (it has checked them already).

use std::time::Duration;

use distribus_mesh::Config;
use distribus_net::Limits;
use serde_json::Value;

/// How much may wait to be written beside messages, in bytes.
const CONTROL: usize = 16 * 1024 * 1024;

/// Reads the options that the mesh obeys, and those that the sockets obey; what is missing or makes no sense keeps its default.
pub fn read(json: &str) -> (Config, Limits) {
    let (defaults, limits) = (Config::default(), Limits::default());
    let Ok(options) = serde_json::from_str::<Value>(json) else {
        return (defaults, limits);
    };
    let number = |name: &str| {
        options
            .get(name)
            .and_then(Value::as_f64)
            .filter(|n| n.is_finite())
    };
    let millis = |name: &str, default: Duration| {
        let duration = number(name).and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        duration.unwrap_or(default)
    };
    let size = |name: &str, default: usize| number(name).map_or(default, |n| n as usize);
    let config = Config {
        reconnect_timeout: millis("reconnectTimeout", defaults.reconnect_timeout),
        reconnect_delay: millis("reconnectDelay", defaults.reconnect_delay),
        reconnect_decay: number("reconnectDecay")
            .filter(|n| *n > 0.0)
            .unwrap_or(defaults.reconnect_decay),
        request_timeout: millis("requestTimeout", defaults.request_timeout),
        directory: options.get("directory") == Some(&Value::Bool(true)),
        asks_to_dial: options.get("asksToDial") == Some(&Value::Bool(true)),
        max_addresses: size("maxAddresses", defaults.max_addresses),
        max_subscriptions: size("maxSubscriptions", defaults.max_subscriptions),
        interests: options.get("interests") == Some(&Value::Bool(true)),
        max_payload: size("maxPayload", defaults.max_payload),
        max_id_length: size("maxIdLength", defaults.max_id_length),
        max_queue_bytes: size("maxQueueBytes", defaults.max_queue_bytes),
        max_in_flight: size("maxInFlight", defaults.max_in_flight),
        heartbeat_interval: millis("heartbeatInterval", defaults.heartbeat_interval),
        heartbeat_timeout: millis("heartbeatTimeout", defaults.heartbeat_timeout),
    };
    let limits = Limits {
        max_payload: config.max_payload,
        handshake_timeout: millis("handshakeTimeout", limits.handshake_timeout),
        max_connections: size("maxConnections", limits.max_connections),
        max_pending_handshakes: size("maxPendingHandshakes", limits.max_pending_handshakes),
        max_stranger_bytes: size("maxStrangerBytes", limits.max_stranger_bytes),
        max_buffer_bytes: size("maxBufferBytes", limits.max_buffer_bytes),
        // Everything that may wait, two messages more, and whatever else is said.
        max_outbox: config
            .max_queue_bytes
            .saturating_add(config.max_payload.saturating_mul(2))
            .saturating_add(CONTROL),
    };
    (config, limits)
}
