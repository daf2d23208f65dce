//! The words that everything else is said in.

use std::time::Duration;

use bytestring::ByteString;

/// The time on the driver's clock. Only differences matter, so any epoch will do.
pub type Time = Duration;

/// Raw JSON text, exactly as it was written on the wire or by `JSON.stringify`: the mesh never parses user data.
pub type Raw = ByteString;

/// Anything that carries frames in order between two hosts. Numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// How near an address is, and whoever speaks from there. Who is farther must not make this host connect to what is nearer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// Another machine, as far as is known.
    #[default]
    Elsewhere,
    /// A machine on the same link: a link-local address.
    Network,
    /// This machine: a loopback address.
    Machine,
    /// The program of this host.
    Program,
}

/// Which addresses a dial may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Those that are no nearer than this. [`Program`](Nearness::Program): all.
    pub told: Nearness,
    /// The url names the machine by the name that is in the url of this host.
    pub namesake: bool,
}

/// Who has told of a host that this one has never been connected with by that url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teller {
    pub link: LinkId,
    /// 0.4.0 hosts have no id.
    pub host: Option<ByteString>,
    pub near: Nearness,
}

/// A call of the API that waits for its result, by the number that the caller gave it.
pub type Call = u64;

/// What a note is for, and so what becomes of it when it cannot be said soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// It fails when it is not acknowledged in time, or when there is no room.
    Question,
    /// How things are: there is always room for it, so its sender must say little, and it waits for as long as the connection lasts.
    State,
    /// It fails when there is no room. When it was said and is not acknowledged in time, it fails with
    /// [`SendError::Timeout`](crate::SendError::Timeout); what becomes of it in the end is told all the same.
    Job,
}

/// What became of a request, beside the reply's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value is the reply.
    Answered,
    /// The handler threw; the value is the error's text.
    Threw,
    /// The peer has no handler.
    NoHandler,
}

/// How this host's program answered an [event](crate::Event), where that is not the usual answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To `Deliver`, `Request` and `Note`: no such peer lives here, or nobody whom the note concerns.
    NoSuchPeer,
    /// To `Deliver` and `Publish`: a listener threw, this is the error's text as JSON string.
    Threw(Raw),
    /// To `Request`: too many wait for their replies already, the peer did not get it.
    Overloaded,
    /// To `Lookup`: yes, that peer lives here. (No is the usual answer.)
    Here,
    /// To `MayDial`: yes. (No is the usual answer.)
    Dial,
    /// To `List`: the ids of all peers here, a JSON array. (None is the usual answer.)
    Ids(Raw),
}

/// What becomes of a member: `Join`, then any number of `Disconnect` and `Reconnect` in turn, then `Leave`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is connected for the first time.
    Join,
    /// It has said goodbye, is given up, or another incarnation has taken its place.
    Leave,
    /// Its connection is lost.
    Disconnect,
    /// The same incarnation (of a 0.4.0 host: the same url) is connected again.
    Reconnect,
}

/// Why this host ends a link, as the other side is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// It is not needed any more, or cannot be used.
    Done,
    /// The other side does not keep to the protocol.
    Fault,
    /// The other side uses more of this host than it may.
    Policy,
    /// The other side says something that is larger than what this host accepts.
    TooLarge,
    /// This host has no room for what the other side says now.
    Overloaded,
}

/// What a call resolves with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing but the fact.
    Done,
    /// The url of a peer's host, or none when the peer was found on a host without url.
    Url(Option<ByteString>),
    /// Ids of peers: one JSON array for each host that answered.
    Ids(Vec<Raw>),
}
