//! What is said: messages, what is published, notes, replies, and the sessions that carry them. It stands below
//! [network](super::network) and never calls up.

pub(super) mod cargo;
mod frames;
mod interest;
mod messages;
mod notes;
mod outcomes;
mod places;
mod pressure;
pub(super) mod proxied;
mod proxying;
mod pumping;
mod queues;
mod receipts;
mod replies;
mod seeking;
mod v1_host;
mod v1_hosts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytestring::ByteString;

use crate::parts::channels::Channels;
use crate::parts::directory::Directory;
use crate::parts::peers::Peers;
use crate::parts::recent::Recent;
use crate::parts::sessions::Sessions;
use crate::words::{Call, LinkId, Raw, Time};
use cargo::Cargo;
use frames::Frames;
use proxied::Proxied;
use v1_host::V1Host;

/// What is said, and what is known about where it goes.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) sessions: Sessions<Cargo>,
    pub(super) peers: Peers,
    directory: Directory,
    channels: Channels,
    recent: Recent,
    /// Frames that are being made.
    frames: Frames,
    /// Links over which more could be said if what was said before were acknowledged.
    held_up: BTreeSet<LinkId>,
    /// Hosts that have accepted requests.
    asked: BTreeSet<ByteString>,
    /// Links for which much waits.
    pressed: BTreeSet<LinkId>,
    /// What waits for 0.4.0 hosts, as far as anything ever did.
    v1_hosts: BTreeMap<LinkId, V1Host>,
    /// What was published and does not go to a host, by the host's key and the channel, as far as nobody has been told.
    drops: BTreeMap<(ByteString, Option<Raw>), u64>,
    /// What came over sessions and waits for the program, in the order of the events.
    told: VecDeque<Told>,
    /// What all that weighs that came over sessions and is not applied, told or not.
    held: usize,
    /// Calls that wait until others know what is listened to here.
    barriers: BTreeMap<u64, Barrier>,
    /// What 0.4.0 hosts wait for that other hosts have to say.
    proxied: Proxied,
}

impl Traffic {
    /// For the host with that id.
    pub(super) fn new(host_id: ByteString) -> Traffic {
        Traffic {
            sessions: Sessions::new(),
            peers: Peers::default(),
            directory: Directory::new(host_id),
            channels: Channels::default(),
            recent: Recent::default(),
            frames: Frames::default(),
            held_up: BTreeSet::new(),
            asked: BTreeSet::new(),
            pressed: BTreeSet::new(),
            v1_hosts: BTreeMap::new(),
            drops: BTreeMap::new(),
            told: VecDeque::new(),
            held: 0,
            barriers: BTreeMap::new(),
            proxied: Proxied::default(),
        }
    }

    /// When something is due here.
    pub(super) fn deadline(&self) -> Option<Time> {
        let barriers = self.barriers.values().map(|b| b.until).min();
        let (directory, sessions) = (self.directory.deadline(), self.sessions.deadline());
        let (recent, peers) = (self.recent.deadline(), self.peers.deadline());
        [barriers, directory, sessions, recent, peers]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing is listened to here.
    pub(super) fn is_quiet(&self) -> bool {
        self.channels.here().len() == 0
    }

    /// A link is gone, or nothing is to be said over it any more.
    pub(super) fn forget_link(&mut self, link: LinkId) {
        self.frames.forget(link);
        self.held_up.remove(&link);
    }

    /// The link is gone, which may have been that of a 0.4.0 host.
    pub(super) fn forget_v1_host(&mut self, link: LinkId) {
        self.v1_hosts.remove(&link);
    }

    /// Forgets what was published longer ago than anybody may ask for.
    pub(super) fn expire_recent(&mut self, now: Time) {
        self.recent.expire(now);
    }

    /// The links over which more could be said if what was said before were acknowledged.
    pub(super) fn held_up(&self) -> &BTreeSet<LinkId> {
        &self.held_up
    }
}

/// Messages of a session that the program has been told about and has not applied yet.
#[derive(Debug)]
struct Told {
    event: u64,
    host: ByteString,
    session: ByteString,
    first: u64,
    count: u32,
    done: u32,
    weight: usize,
}

/// A call that waits until other hosts know what is listened to here.
#[derive(Debug)]
struct Barrier {
    call: Call,
    left: BTreeSet<ByteString>,
    until: Time,
}

/// Where a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mesh) enum Whereabouts {
    /// It is connected, by that link.
    There(LinkId),
    /// It may come back.
    Lost,
    Gone,
}
