//! The settings of a host.

use std::time::Duration;

/// What `host.config()` can set and the mesh obeys.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long to try to reconnect before a lost host is forgotten.
    pub reconnect_timeout: Duration,
    /// The wait before the first attempt to reconnect.
    pub reconnect_delay: Duration,
    /// Every further wait is the one before, divided by this.
    pub reconnect_decay: f64,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// Whether the program tells what it listens to ([`Input::Subscribe`](crate::Input::Subscribe)). Else everything that is
    /// published comes here. Counts for connections that are made from then on.
    pub interests: bool,
    /// Whether the program tells who lives here ([`Input::Created`](crate::Input::Created)). Else whoever looks for a peer has to
    /// ask here. Counts for connections that are made from then on.
    pub directory: bool,
    /// How many addresses of peers on other hosts are remembered.
    pub max_addresses: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            reconnect_timeout: Duration::from_secs(300),
            reconnect_delay: Duration::from_secs(1),
            reconnect_decay: 2.0,
            request_timeout: Duration::from_secs(60),
            interests: false,
            directory: false,
            max_addresses: 1 << 20,
        }
    }
}
