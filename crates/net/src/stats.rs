//! What a host has done so far, for whoever watches it.

use distribus_mesh::stats::{Queue, Stats};

use crate::link::Traffic;

/// Counters from the beginning of the host's life, and what waits now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    pub mesh: Stats,
    pub traffic: Traffic,
    /// How many messages are in flight.
    pub under_way: usize,
    pub links: Vec<LinkStats>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStats {
    pub queue: Queue,
    pub traffic: Traffic,
    /// How many bytes wait for room in the socket.
    pub unwritten: usize,
}
