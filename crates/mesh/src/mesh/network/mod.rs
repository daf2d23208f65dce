//! Who is there: dialling, greeting, joining, relaying, losing, leaving. It stands above [traffic](super::traffic) and may call it.
//!
//! [`losing`] is how a link ends, [`leaving`] the goodbye of another host, [`closing`] our own.

mod announcing;
mod beats;
mod closing;
mod dialling;
mod for_traffic;
mod greeting;
mod handshake;
mod hearsay;
mod joining;
mod leaving;
mod listening;
mod losing;
mod members;
mod membership;
mod numbers;
mod reaching;
mod reconnect;
mod relaying;
mod rounds;
mod twins;
pub(super) mod waiters;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use crate::config::Config;
use crate::parts::gossip::Gossip;
use crate::parts::hearsay::Hearsay;
use crate::parts::hosts::Hosts;
use crate::parts::liveness::Liveness;
use crate::parts::numbers::Numbers;
use crate::parts::relays::Relays;
use crate::parts::roster::Roster;
use crate::words::{LinkId, Time};
use waiters::{Doubt, Expected, Round, Waiter};

/// Who is there, and who is looked for. Only the files of this folder see what is in it.
#[derive(Debug)]
pub(super) struct Network {
    hosts: Hosts<Waiter>,
    hearsay: Hearsay<Waiter>,
    gossip: Gossip,
    roster: Roster,
    liveness: Liveness,
    numbers: Numbers,
    relays: Relays,
    rounds: BTreeMap<u64, Round>,
    /// Joins that were told that the other host's own connection to us will serve.
    expected: Vec<Expected>,
    /// Who has said hello with the url of somebody else.
    doubts: Vec<Doubt>,
    /// Urls that several hosts have, as the program was told.
    taken: BTreeSet<ByteString>,
}

impl Network {
    /// Nobody is there.
    pub(super) fn new() -> Network {
        Network {
            hosts: Hosts::new(),
            hearsay: Hearsay::default(),
            gossip: Gossip::default(),
            roster: Roster::default(),
            liveness: Liveness::default(),
            numbers: Numbers::default(),
            relays: Relays::default(),
            rounds: BTreeMap::new(),
            expected: Vec::new(),
            doubts: Vec::new(),
            taken: BTreeSet::new(),
        }
    }

    /// When something is due here.
    pub(super) fn deadline(&self, config: &Config) -> Option<Time> {
        let expected = self.expected.iter().map(|e| e.until).min();
        let doubts = self.doubts.iter().map(|d| d.until).min();
        let rounds = self.rounds.values().filter_map(|r| r.until).min();
        let (hosts, gossip) = (self.hosts.deadline(), self.gossip.deadline());
        let liveness = self.liveness.deadline(config.heartbeat_timeout);
        let (relays, hearsay) = (self.relays.deadline(), self.hearsay.deadline());
        [
            expected, doubts, rounds, hosts, gossip, liveness, relays, hearsay,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A number for a new link.
    pub(super) fn next_link(&mut self) -> LinkId {
        self.hosts.next_link()
    }

    /// The registered links, but for that one.
    fn joined_links(&self, except: Option<LinkId>) -> Vec<LinkId> {
        self.hosts
            .joined()
            .map(|(_, link)| link)
            .filter(|link| Some(*link) != except)
            .collect()
    }

    /// So much waits to be written to a link that may carry relayed ones.
    pub(super) fn set_backlog(&mut self, link: LinkId, bytes: usize) {
        self.relays.set_backlog(link, bytes);
    }

    /// The program has applied all events before that one.
    pub(super) fn applied(&mut self, upto: u64, now: Time) {
        self.liveness.applied(upto, now);
    }

    /// The link with the host that is registered under that key.
    pub(super) fn route(&self, key: &str) -> Option<LinkId> {
        self.hosts.route(key)
    }
}
