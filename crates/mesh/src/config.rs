//! The settings of a host.

use std::time::Duration;

use crate::limits::Limits;

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
    /// Whether the program wants to be asked ([`Event::MayDial`](crate::Event::MayDial)) before a url is dialled that it has not named.
    pub asks_to_dial: bool,
    /// How many addresses of peers on other hosts are remembered.
    pub max_addresses: usize,
    /// How much is remembered of what one other host listens to: how many names of channels, or nodes of patterns, of which each holds
    /// up to 16 bytes. One that tells more gets everything.
    pub max_subscriptions: usize,
    /// The largest frame that is taken here, in bytes. Other hosts are told, and are said nothing that is larger than they take.
    pub max_payload: usize,
    /// How long the text of an id or a channel may be, as JavaScript counts.
    pub max_id_length: usize,
    /// How much may wait for one host, or in all for those that are lost, in bytes of memory. One message may always wait.
    pub max_queue_bytes: usize,
    /// How many messages to one host may wait for their acknowledgement.
    pub max_in_flight: usize,
    /// How often other hosts hear of this one. Zero: neither are they told, nor is anybody who is silent taken for lost.
    pub heartbeat_interval: Duration,
    /// Who has been silent for so long is lost.
    pub heartbeat_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let Limits { payload, id } = Limits::default();
        Config {
            reconnect_timeout: Duration::from_secs(300),
            reconnect_delay: Duration::from_secs(1),
            reconnect_decay: 2.0,
            request_timeout: Duration::from_secs(60),
            interests: false,
            directory: false,
            asks_to_dial: false,
            max_addresses: 1 << 20,
            max_subscriptions: 1 << 20,
            max_payload: payload,
            max_id_length: id,
            max_queue_bytes: 128 * 1024 * 1024,
            max_in_flight: 512 * 1024,
            heartbeat_interval: Duration::ZERO,
            heartbeat_timeout: Duration::from_secs(24),
        }
    }
}
