//! Settings, from the JSON that `lib/` writes (it has checked them already).

use std::time::Duration;

use distribus_mesh::Config;
use serde_json::Value;

/// Reads the options that the mesh obeys; what is missing or makes no sense keeps its default.
pub fn read(json: &str) -> Config {
    let defaults = Config::default();
    let Ok(options) = serde_json::from_str::<Value>(json) else {
        return defaults;
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
    Config {
        reconnect_timeout: millis("reconnectTimeout", defaults.reconnect_timeout),
        reconnect_delay: millis("reconnectDelay", defaults.reconnect_delay),
        reconnect_decay: number("reconnectDecay")
            .filter(|n| *n > 0.0)
            .unwrap_or(defaults.reconnect_decay),
        request_timeout: millis("requestTimeout", defaults.request_timeout),
        directory: options.get("directory") == Some(&Value::Bool(true)),
        max_addresses: number("maxAddresses").map_or(defaults.max_addresses, |n| n as usize),
        interests: options.get("interests") == Some(&Value::Bool(true)),
    }
}
