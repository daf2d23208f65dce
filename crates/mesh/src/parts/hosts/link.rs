//! One link, and what is known about the host at its other end.

use bytestring::ByteString;

use crate::limits::Limits;
use crate::wire::greeting::{Features, Offer};
use crate::words::{Nearness, Time};

/// How far a link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// We are connecting.
    Dialling,
    /// We have said hello and wait for the answer.
    Greeting,
    /// They connected and did not say hello yet, or are not to be registered. They may ask us things all the same.
    Stranger,
    /// A member of the network, registered under its key.
    Joined,
    /// A goodbye is in flight.
    Leaving,
}

/// One link and what is known about the host at its other end.
#[derive(Debug)]
pub struct Link<W> {
    pub state: State,
    /// The url that we dialled; none when they dialled us.
    pub dialled: Option<ByteString>,
    /// Who has named the url that we dialled, at the nearest: the dial may have led to no nearer address.
    pub told_from: Nearness,
    /// How near its other end is, as far as is known.
    pub near: Nearness,
    /// The name under which it is registered.
    pub key: Option<ByteString>,
    /// The url that it advertises; if that is [taken](Link::taken), the one by which we have dialled it.
    pub url: Option<ByteString>,
    /// It advertises a url that is that of another host: ours, or one with which we are connected.
    pub taken: bool,
    /// It has said hello.
    pub met: bool,
    /// Its host id. 0.4.0 hosts have none.
    pub host: Option<ByteString>,
    /// The host that is expected at the url that we dialled: it was there before.
    pub hint: Option<ByteString>,
    /// The host that is there now, as others have told us last.
    pub told: Option<ByteString>,
    /// What it said about the session that it wants to begin, or to go on with.
    pub offer: Option<Offer>,
    /// The session with which our greeting wanted to go on.
    pub named: Option<ByteString>,
    /// The session that we have said would begin.
    pub proposed: Option<ByteString>,
    /// What both sides said about telling what they listen to.
    pub interest: Interest,
    /// When the session began to use it.
    pub since: Time,
    /// What both sides said about taking part in the directory.
    pub directory: Part,
    /// What both sides said about relaying.
    pub relay: Part,
    /// What it says that it takes.
    pub limits: Limits,
    /// When we have said hello, and when it was registered, among all [numbers](Hosts::number).
    pub hello: u64,
    pub registered: u64,
    /// Who has been registered where we dialled since we said hello there.
    pub since_hello: Option<ByteString>,
    /// It shall take the place of the link that the other side still thinks it has.
    pub replace: bool,
    /// That host has left, as it has said over another link: most likely the one behind this.
    pub left: Option<ByteString>,
    /// We have asked it for the list of members.
    pub asks: bool,
    /// We have asked it once more for the hosts that it knows.
    pub compared: bool,
    /// What was news before we dialled.
    pub mark: u64,
    /// Who waits for the greeting's answer.
    pub waiters: Vec<W>,
}

impl<W> Link<W> {
    pub(super) fn new(state: State) -> Self {
        Link {
            state,
            dialled: None,
            told_from: Nearness::default(),
            near: Nearness::default(),
            key: None,
            url: None,
            taken: false,
            met: false,
            host: None,
            hint: None,
            told: None,
            offer: None,
            named: None,
            proposed: None,
            interest: Interest::default(),
            since: Time::ZERO,
            directory: Part::default(),
            relay: Part::default(),
            limits: Limits::default(),
            hello: 0,
            registered: 0,
            since_hello: None,
            replace: false,
            left: None,
            asks: false,
            compared: false,
            mark: 0,
            waiters: Vec::new(),
        }
    }

    /// The url by which others can be told of its host: what it advertises, or else the url under which it is registered.
    pub fn listed(&self) -> Option<ByteString> {
        let key = || self.key.clone().filter(|key| key.starts_with("ws"));
        self.url.clone().or_else(key)
    }

    /// Notes what we list in our greeting, or our answer.
    pub fn lists(&mut self, ours: Features) {
        self.interest.lists = ours.interest;
        self.directory.ours = ours.directory;
        self.relay.ours = ours.relay;
    }

    /// What we list, as [noted](Link::lists).
    pub fn listed_here(&self) -> Features {
        Features {
            interest: self.interest.lists,
            directory: self.directory.ours,
            relay: self.relay.ours,
        }
    }

    /// Notes what they list, and whether nothing is listened to there.
    pub fn listed_there(&mut self, theirs: Features, quiet: bool) {
        self.interest.theirs = theirs.interest;
        self.interest.quiet = quiet;
        self.directory.theirs = theirs.directory;
        self.relay.theirs = theirs.relay;
    }

    /// How near a dial may lead that is to find the same host again: its url may mean another address by then.
    pub fn reach(&self) -> Nearness {
        self.told_from.max(self.near)
    }

    /// Whether we have dialled it and are not through with that.
    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Dialling | State::Greeting)
    }
}

/// What was said in a greeting and its answer about telling what is listened to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interest {
    /// We want to be told, and to tell.
    pub lists: bool,
    /// They do.
    pub theirs: bool,
    /// Nothing is listened to there.
    pub quiet: bool,
    /// Nothing was listened to here when we said so.
    pub said_quiet: bool,
}

/// Whether something is used that both sides have to want.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    pub ours: bool,
    pub theirs: bool,
}

impl Part {
    pub fn both(self) -> bool {
        self.ours && self.theirs
    }
}
