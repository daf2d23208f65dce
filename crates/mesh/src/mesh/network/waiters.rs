//! Who waits for what.

use bytestring::ByteString;

use crate::wire::greeting::Hello;
use crate::words::{Call, LinkId, Nearness, Raw, Teller, Time};

/// Who waits for a host to be joined.
#[derive(Debug)]
pub(in crate::mesh) enum Waiter {
    /// The program.
    Call(Call),
    /// Another host, which told us to join.
    Request { id: Raw, by: Teller },
    /// Nobody but the network: others have told us of that member. Perhaps a round of questions, of which this is one more.
    Member { round: Option<u64>, by: Teller },
    /// Nobody.
    Hint { by: Teller },
    /// We do: the host was lost.
    Redial(Seeking),
}

/// A lost host that is looked for.
#[derive(Debug)]
pub(in crate::mesh) struct Seeking {
    pub key: ByteString,
    pub host: Option<ByteString>,
    pub since: Time,
    pub delay: f64,
    /// None if it has answered at that url before, or the program has named it.
    pub by: Option<Teller>,
    /// How near the dial may lead.
    pub reach: Nearness,
}

impl Waiter {
    /// Whether there is reason to believe that the host is there.
    pub(super) fn hopes(&self) -> bool {
        !matches!(self, Waiter::Redial(_))
    }

    /// Who has told us of the url, if it is known by hearsay alone.
    pub(super) fn by(&self) -> Option<&Teller> {
        match self {
            Waiter::Call(_) => None,
            Waiter::Request { by, .. } | Waiter::Member { by, .. } | Waiter::Hint { by } => {
                Some(by)
            }
            Waiter::Redial(Seeking { by, .. }) => by.as_ref(),
        }
    }

    /// How near the dial may lead for which that one waits.
    pub(super) fn reach(&self) -> Nearness {
        match self {
            Waiter::Call(_) => Nearness::Program,
            Waiter::Request { by, .. } | Waiter::Member { by, .. } | Waiter::Hint { by } => by.near,
            Waiter::Redial(Seeking { reach, .. }) => *reach,
        }
    }
}

/// How near the dial may lead for which these wait.
pub(super) fn reach(waiters: &[Waiter]) -> Nearness {
    let all = waiters.iter().map(Waiter::reach);
    all.max().unwrap_or_default()
}

/// Who has told of the url for which these wait: the nearest one.
pub(super) fn teller(waiters: &[Waiter]) -> Option<&Teller> {
    let all = waiters.iter().filter_map(Waiter::by);
    all.max_by_key(|by| by.near)
}

/// A host that will connect to us.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) host: ByteString,
    pub(super) url: ByteString,
    pub(super) until: Time,
    pub(super) waiters: Vec<Waiter>,
}

/// Questions to several hosts, and what happens when all have been answered, refused or given up.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) left: usize,
    /// When it ends anyway.
    pub(super) until: Option<Time>,
    pub(super) end: RoundEnd,
}

#[derive(Debug)]
pub(super) enum RoundEnd {
    /// We have joined all members that we were told of, and others have joined those that they were told of.
    Joined(Vec<Waiter>),
    /// A 0.4.0 host that joined us has been announced to the others: answer its greeting.
    Greeted { link: LinkId, id: Option<Raw> },
    /// We have joined the members that another host told us of: answer it.
    Introduced { link: LinkId, id: Option<Raw> },
    /// The hosts have listed their peers.
    Listed { call: Call, ids: Vec<Raw> },
}

/// Somebody has said hello with the url of a host that is connected, as far as we know. It was started anew, or there are two of them.
#[derive(Debug)]
pub(super) struct Doubt {
    /// Over which link it has said hello, and how.
    pub(super) link: LinkId,
    pub(super) id: Option<Raw>,
    pub(super) hello: Hello,
    /// The link with the host that has that url.
    pub(super) other: LinkId,
    pub(super) since: Time,
    pub(super) until: Time,
    /// We look whether something has come over that one, or it has ended.
    pub(super) looked: bool,
}

/// When `close` ends, whoever has not answered by then.
#[derive(Debug, Default)]
pub(in crate::mesh) struct CloseBy {
    /// Dials that go on end then.
    pub(super) dialled: Time,
    pub(super) all: Time,
}
