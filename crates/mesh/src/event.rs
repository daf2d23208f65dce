//! What goes into the mesh and what comes out of it.
//!
//! The mesh is driven by one function, [`Mesh::handle`](crate::Mesh::handle): an [`Input`] goes in, any number
//! of [`Output`]s are appended to a list. Whoever drives it performs the outputs in the order of the list.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use crate::config::Config;
use crate::error::{CallError, DialError, SendError};
use crate::payload::Payload;
use crate::topic::Topic;
use crate::words::{
    Answer, Call, Change, CloseReason, LinkId, Nearness, NoteKind, Outcome, Raw, Reach, Reply, Time,
};

/// What an event costs beside its names and its messages, in bytes, about.
const EVENT: usize = 128;

/// What the mesh is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// Replaces the settings. Deadlines that are already running keep their time.
    Configure(Config),
    /// The url under which this host can be dialled, or none when it does not listen.
    SetUrl(Option<ByteString>),
    /// The network id as JSON text, or none when it is undefined.
    SetNetworkId(Option<Raw>),
    /// Connects to a host and to every host that it knows. Ends with [`Event::Done`].
    Join { call: Call, url: ByteString },
    /// Asks where a peer lives. Ends with [`Event::Done`].
    Find { call: Call, id: Option<Raw> },
    /// Asks our other hosts for the ids of all their peers (a 0.4.0 host cannot tell). Ends with [`Event::Done`].
    List { call: Call },
    /// Says goodbye to everyone and closes all links. Ends with [`Event::Done`], after 5 seconds at the latest.
    Close { call: Call },
    /// The same, but nobody is waited for longer than this.
    CloseWithin { call: Call, within: Duration },
    /// Sends messages to a peer that does not live here. Each ends with [`Event::Settled`] or [`Event::Failed`].
    /// `seq` is the number of the first one; it grows by one with every message that this host sends.
    Send {
        seq: u64,
        from: Option<Raw>,
        to: Option<Raw>,
        payload: Payload,
    },
    /// Says something to the program of a connected host of this version, in order with what is sent and published to it. Numbered and
    /// settled as sends are. What was not said when the connection is lost fails then: it will not be said.
    Note {
        seq: u64,
        host: ByteString,
        head: Option<Raw>,
        kind: NoteKind,
        payload: Payload,
    },
    /// Like [`Input::Send`], but what comes of it is told by [`Event::Accepted`], and then by [`Event::Reply`] with the same number.
    Request {
        seq: u64,
        from: Option<Raw>,
        to: Option<Raw>,
        payload: Payload,
    },
    /// Replies to consecutive requests of that host, of which `number` is the first; see [`Event::Request`]. They are dropped when
    /// that host is gone.
    Reply {
        host: ByteString,
        number: u64,
        outcome: Outcome,
        payload: Payload,
    },
    /// Peers have come to live here. To be told only with [`Config::directory`], and before anything that is said later.
    Created { ids: Vec<Option<Raw>> },
    /// Peers do not live here any more.
    Removed { ids: Vec<Option<Raw>> },
    /// The program listens to that from now on: its first subscription. To be told only with [`Config::interests`].
    Subscribe { topic: Topic },
    /// The program does not listen to that any more: its last subscription is gone.
    Unsubscribe { topic: Topic },
    /// Ends with [`Event::Done`] when every host that is connected knows what was subscribed to before. From then on no message
    /// of theirs is missed.
    Ready { call: Call },
    /// That url could not be joined, but another one could: keeps trying, as with a host that was lost.
    Retry { url: ByteString },
    /// As [`Send`](Input::Send), but while the peer's host is lost the messages wait for it, as far as they may.
    SendPatiently {
        seq: u64,
        from: Option<Raw>,
        to: Option<Raw>,
        payload: Payload,
    },
    /// Takes nobody in any more, and ends with [`Event::Done`] when nothing is in flight.
    Drain { call: Call },
    /// So many bytes wait to be written to that link: to be told when it is much, for links to 0.4.0 hosts and for those over which
    /// this host relays; and, as 0, when it is not much any more.
    Backlog { link: LinkId, bytes: usize },
    /// Publishes to all other hosts that listen.
    Publish {
        channel: Option<Raw>,
        payload: Payload,
    },
    /// Ends the connection with that key without a goodbye.
    Disconnect { key: ByteString },
    /// Gives up the reconnecting (or the waiting for a reconnect) that the timer with that key stands for.
    CancelTimer { key: ByteString },
    /// Somebody connected to this host. The number is from [`Mesh::next_link`](crate::Mesh::next_link).
    /// `near`: how near the other side is.
    Accepted { link: LinkId, near: Nearness },
    /// An [`Output::Dial`] succeeded. `near`: how near the address is that it is connected to.
    Opened { link: LinkId, near: Nearness },
    /// An [`Output::Dial`] failed. Nothing more will be heard of that link.
    DialFailed { link: LinkId, error: DialError },
    /// A text frame arrived.
    Received { link: LinkId, text: ByteString },
    /// A binary frame arrived.
    ReceivedBinary { link: LinkId, bytes: Bytes },
    /// The answer to an [`Output::Probe`].
    Heard { link: LinkId, at: Time },
    /// The protocol was broken over that link, by the other side or, as that says, by this one. It ends now, as [`Closed`](Input::Closed)
    /// will tell.
    Broken { link: LinkId },
    /// The link ended, whoever ended it. Nothing more will be heard of it.
    Closed { link: LinkId },
    /// Everything that [`Output::Event`] has told up to (not including) event number `upto` has been applied and
    /// every listener has returned, and so it is with the first `part` messages of event `upto`; `replies` says what did not
    /// go as usual, in ascending order of event and message.
    Applied {
        upto: u64,
        part: u32,
        replies: Vec<(u64, u32, Reply)>,
    },
    /// The messages of that event are not what their sender claimed, so they were not delivered.
    Invalid { event: u64 },
    /// The time of [`Mesh::deadline`](crate::Mesh::deadline) has come.
    Tick,
}

/// What the mesh wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Connect to that url, at an address that is within reach; answer with [`Input::Opened`] or [`Input::DialFailed`], within bounded time.
    Dial {
        link: LinkId,
        url: ByteString,
        reach: Reach,
    },
    /// Write one text frame.
    Transmit { link: LinkId, text: ByteString },
    /// Write one binary frame.
    TransmitBinary { link: LinkId, bytes: Bytes },
    /// Write one binary frame, unless much still waits to be written to that link: then the other side hears of us anyway, or
    /// does not read.
    Beat { link: LinkId, bytes: Bytes },
    /// Have the other side answer something, under the same condition. The answer is not told.
    Ping { link: LinkId },
    /// Look when something came over that link the last time, and answer with [`Input::Heard`] at once: with the time at which bytes
    /// were read from it, or with the present one if there are some to be read.
    Probe { link: LinkId },
    /// So many bytes of what was just transmitted over that link were caused by others: answers, and what is relayed. If much of that is not
    /// read, the link ends.
    Owed { link: LinkId, bytes: usize },
    /// The other side has said hello over a link that it has opened: it is no stranger any more. What it may say, and leave unread, is not
    /// limited as for strangers from now on.
    Greeted { link: LinkId },
    /// Write what was transmitted so far, then close the link for that reason; answer with [`Input::Closed`], within bounded time.
    Close { link: LinkId, reason: CloseReason },
    /// Tell the program. Events are numbered from 0 in the order in which they leave the mesh.
    Event(Event),
}

/// What the program is told. Its view of the host's state is what these events say, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Messages for a peer of this host.
    Deliver {
        to: Option<Raw>,
        from: Option<Raw>,
        payload: Payload,
    },
    /// Messages on a channel, from another host.
    Publish {
        channel: Option<Raw>,
        payload: Payload,
        /// It comes from a 0.4.0 host, or from one that is no member.
        from_v1: bool,
    },
    /// What the program of another host of this version says to this one.
    Note {
        host: ByteString,
        head: Option<Raw>,
        payload: Payload,
    },
    /// Requests for a peer of this host, to be answered by [`Input::Reply`] with that host, and numbers from `number` on.
    Request {
        host: ByteString,
        number: u64,
        to: Option<Raw>,
        from: Option<Raw>,
        payload: Payload,
    },
    /// Replies to the requests numbered `number`, `number + 1`, …
    Reply {
        number: u64,
        outcome: Outcome,
        payload: Payload,
    },
    /// The requests numbered `seq..seq + count` have been given to their peer on that host, which will reply.
    Accepted {
        seq: u64,
        count: u64,
        host: ByteString,
    },
    /// Requests that this host has accepted will not be replied to any more.
    Gone { host: ByteString },
    /// Does that peer live here?
    Lookup { id: Option<Raw> },
    /// Which peers live here?
    List,
    /// May that url be dialled, which the program has not named itself? Asked only with [`Config::asks_to_dial`].
    MayDial { url: ByteString },
    /// The sends numbered `seq..seq + count` have been delivered.
    Settled { seq: u64, count: u64 },
    /// That send failed, or ended in some other way than usual.
    Failed { seq: u64, error: SendError },
    /// A call ended.
    Done {
        call: Call,
        result: Result<Answer, CallError>,
    },
    /// A host is connected from now on, under that key. `url` is the one that it advertises: the key is the url that was
    /// dialled, or the host's id when it has no url. `host` is that id; 0.4.0 hosts have none.
    Connected {
        key: ByteString,
        url: Option<ByteString>,
        host: Option<ByteString>,
    },
    /// A member of the network that others told us of could not be connected to. It will be tried again (the timer with its url
    /// as key), unless it refused.
    Unreachable { url: ByteString, error: CallError },
    /// The connection with that key is gone.
    Disconnected { key: ByteString },
    /// Something has changed about a member of the network. Told after [`Connected`](Event::Connected) or
    /// [`Disconnected`](Event::Disconnected), if that is why. `url` is as in [`Connected`](Event::Connected); `host` is the incarnation:
    /// 0.4.0 hosts have none and are known by their url.
    Member {
        change: Change,
        url: Option<ByteString>,
        host: Option<ByteString>,
    },
    /// That peer lives on the host with that url (or key, when the host has no url).
    Located { id: Raw, url: ByteString },
    /// Nothing is known about that peer any more.
    Forgotten { id: Raw },
    /// A timer for the host with that key runs: a reconnect is scheduled, or a reconnect is waited for.
    TimerStarted { key: ByteString },
    /// The timer has gone off or was cancelled.
    TimerStopped { key: ByteString },
    /// That many messages that were published on that channel will not reach the host with that key: too much waited for it.
    Dropped {
        key: ByteString,
        channel: Option<Raw>,
        count: u64,
    },
    /// Of what the host with that key has published, so many messages are missing here; none: perhaps some.
    Gap { key: ByteString, count: Option<u64> },
    /// So much waits for the host with that key that it would be better to publish no more.
    Slow { key: ByteString },
    /// So much waited for other hosts that it was better to publish no more. That is over.
    Relieved,
    /// The program of a connected host has applied nothing for so long. Told once, until it goes on.
    Stalled {
        url: Option<ByteString>,
        host: Option<ByteString>,
        time: Duration,
    },
    /// Several hosts advertise that url, among them (`ours`) this one. All but one of them are known by other names. Told once.
    UrlTaken { url: ByteString, ours: bool },
    /// Nothing has happened. But while this is not applied the program stands still.
    Pulse,
    /// The network id was taken over from a joined host (none: undefined).
    NetworkId { id: Option<Raw> },
}

impl Event {
    /// The messages that it tells, if it tells any.
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Event::Deliver { payload, .. }
            | Event::Publish { payload, .. }
            | Event::Note { payload, .. }
            | Event::Request { payload, .. }
            | Event::Reply { payload, .. } => Some(payload),
            _ => None,
        }
    }

    /// How many messages it tells; what tells none counts as one.
    pub fn messages(&self) -> u32 {
        self.payload().map_or(1, Payload::count)
    }

    /// How much it costs the program, in bytes, about.
    pub fn weight(&self) -> usize {
        let length = |id: &Option<Raw>| id.as_ref().map_or(0, |id| id.len());
        let names = match self {
            Event::Deliver { to, from, .. } | Event::Request { to, from, .. } => {
                length(to) + length(from)
            }
            Event::Publish { channel, .. } => length(channel),
            Event::Note { head, .. } => length(head),
            Event::Lookup { id } => length(id),
            Event::MayDial { url } => url.len(),
            _ => 0,
        };
        EVENT + names + self.payload().map_or(0, Payload::weight)
    }

    /// Keeps the first of the messages that it tells, as [`Payload::cut`] does, and gives the others.
    pub fn cut(&mut self, messages: u32, bytes: usize) -> Option<Event> {
        let payload = self.payload_mut()?;
        let rest = payload.cut(messages, bytes)?;
        let kept = std::mem::replace(payload, Payload::Undefined { count: 0 });
        let count = u64::from(kept.count());
        let mut later = self.clone();
        *self.payload_mut()? = kept;
        *later.payload_mut()? = rest;
        if let Event::Request { number, .. } | Event::Reply { number, .. } = &mut later {
            *number += count;
        }
        Some(later)
    }

    /// The messages that it tells, if it tells any.
    pub fn payload_mut(&mut self) -> Option<&mut Payload> {
        match self {
            Event::Deliver { payload, .. }
            | Event::Publish { payload, .. }
            | Event::Note { payload, .. }
            | Event::Request { payload, .. }
            | Event::Reply { payload, .. } => Some(payload),
            _ => None,
        }
    }
}
