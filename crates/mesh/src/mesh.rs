//! Joins the parts: takes an input, moves what it concerns, and says what is to be done.

mod beats;
mod calls;
mod greeting;
mod interest;
mod joining;
mod leaving;
mod members;
mod membership;
mod messages;
mod notes;
mod places;
mod plain;
mod pressure;
mod reconnect;
mod relay;
mod replies;
mod serving;
mod session;
mod traffic;
mod watching;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytestring::ByteString;

use crate::answers::{Answers, Held};
use crate::channels::Channels;
use crate::config::Config;
use crate::directory::Directory;
use crate::error::{CallError, SendError};
use crate::event::{Answer, Call, Event, Input, LinkId, Output, Raw, Time};
use crate::hosts::{Hosts, State};
use crate::liveness::Liveness;
use crate::members::Members;
use crate::patterns::Patterns;
use crate::peers::{Parcel, Peers};
use crate::recent::Recent;
use crate::relays::{Relays, is_relayed};
use crate::requests::Requests;
use crate::roster::Roster;
use crate::sessions::Sessions;
use crate::stats::Stats;
use crate::wire::v1::{self, Frame};
use crate::wire::v2;
use interest::Barrier;
use plain::Plain;
use traffic::{Cargo, Told};

/// A goodbye is answered by a program that is leaving or staying, not by one that works: nobody waits longer than this.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);

/// One host's view of the mesh. See the crate's documentation.
#[derive(Debug)]
pub struct Mesh {
    config: Config,
    id: ByteString,
    url: Option<ByteString>,
    network: Option<Raw>,
    random: fastrand::Rng,
    now: Time,
    out: Vec<Output>,

    hosts: Hosts<Waiter>,
    members: Members,
    roster: Roster,
    channels: Channels,
    directory: Directory,
    liveness: Liveness,
    /// The patterns that other hosts listen to.
    patterns: Patterns<ByteString>,
    peers: Peers,
    recent: Recent,
    relays: Relays,
    requests: Requests<Asked>,
    answers: Answers<Due>,
    sessions: Sessions<Cargo>,
    /// Frames that are being made.
    frames: BTreeMap<LinkId, v2::Frame>,
    /// Links over which more could be said if what was said before were acknowledged.
    held_up: BTreeSet<LinkId>,
    /// Hosts that have accepted requests.
    asked: BTreeSet<ByteString>,
    /// Links for which much waits.
    pressed: BTreeSet<LinkId>,
    /// What waits for original hosts, as far as anything ever did.
    plains: BTreeMap<LinkId, Plain>,
    /// What was published and does not go to a host, by the host's key and the channel, as far as nobody has been told.
    drops: BTreeMap<(ByteString, Option<Raw>), u64>,
    stats: Stats,
    /// What came over sessions and waits for the program, in the order of the events.
    told: VecDeque<Told>,
    rounds: BTreeMap<u64, Round>,
    next_round: u64,
    /// Calls that wait until others know what is listened to here.
    barriers: BTreeMap<u64, Barrier>,
    /// Joins that were told that the other host's own connection to us will serve.
    expected: Vec<Expected>,
    /// The call of `close` that waits for the last link to end.
    closing: Option<Call>,
    /// The call of `drain` that waits until nothing is under way.
    draining: Option<Call>,
    drained: bool,
}

/// Who waits for a host to be joined.
#[derive(Debug)]
enum Waiter {
    /// The program.
    Call(Call),
    /// Another host, which told us to join.
    Request { link: LinkId, id: Raw },
    /// Nobody but the network: others have told us of that member. Perhaps a round of questions, of which this is one more.
    Member { round: Option<u64> },
    /// Nobody.
    Hint,
    /// We do: the host was lost.
    Redial {
        key: ByteString,
        host: Option<ByteString>,
        since: Time,
        delay: f64,
    },
}

impl Waiter {
    /// Whether there is reason to believe that the host is there.
    fn hopes(&self) -> bool {
        !matches!(self, Waiter::Redial { .. })
    }
}

/// What was asked on the wire.
#[derive(Debug)]
enum Asked {
    Greeting,
    Join { round: u64 },
    Hosts { link: LinkId, round: u64 },
    Find { key: ByteString, search: u64 },
    Send(Parcel),
    List { round: u64 },
    Goodbye,
}

/// What will be answered once the program has applied everything before.
#[derive(Debug)]
enum Due {
    /// This message; none stands for undefined.
    Message(Option<String>),
    /// This answer to a greeting, after which the session can be used.
    Greeting(String),
    /// How the delivery went.
    Delivery { to: Option<Raw> },
    /// How the publish went.
    Publish,
    /// Where the peer lives.
    Lookup,
    /// Whether the peer lives here.
    Found { number: u64 },
    /// Which peers live here.
    List,
    /// Goodbye, and perhaps our own goodbye after it.
    Goodbye { back: bool },
    /// Nothing more: the link ends.
    End,
}

/// Questions to several hosts, and what happens when all have been answered, refused or given up.
#[derive(Debug)]
struct Round {
    left: usize,
    /// When it ends anyway.
    until: Option<Time>,
    end: RoundEnd,
}

#[derive(Debug)]
enum RoundEnd {
    /// We have joined all members that we were told of, and others have joined those that they were told of.
    Joined(Vec<Waiter>),
    /// An original host that joined us has been announced to the others: answer its greeting.
    Greeted { link: LinkId, id: Option<Raw> },
    /// We have joined the members that another host told us of: answer it.
    Introduced { link: LinkId, id: Option<Raw> },
    /// The hosts have listed their peers.
    Listed { call: Call, ids: Vec<Raw> },
}

/// A host that will connect to us.
#[derive(Debug)]
struct Expected {
    host: ByteString,
    url: ByteString,
    until: Time,
    waiters: Vec<Waiter>,
}

impl Mesh {
    /// A host that is connected with nobody. `host_id` must be unique in the network; `seed` decides what is left to chance.
    pub fn new(config: Config, host_id: ByteString, seed: u64) -> Mesh {
        Mesh {
            config,
            id: host_id.clone(),
            url: None,
            network: None,
            random: fastrand::Rng::with_seed(seed),
            now: Time::ZERO,
            out: Vec::new(),
            hosts: Hosts::new(),
            members: Members::default(),
            roster: Roster::default(),
            channels: Channels::default(),
            directory: Directory::new(host_id),
            liveness: Liveness::default(),
            patterns: Patterns::default(),
            peers: Peers::default(),
            recent: Recent::default(),
            relays: Relays::default(),
            requests: Requests::new(),
            answers: Answers::new(),
            sessions: Sessions::new(),
            frames: BTreeMap::new(),
            held_up: BTreeSet::new(),
            asked: BTreeSet::new(),
            pressed: BTreeSet::new(),
            plains: BTreeMap::new(),
            drops: BTreeMap::new(),
            stats: Stats::default(),
            told: VecDeque::new(),
            rounds: BTreeMap::new(),
            next_round: 0,
            barriers: BTreeMap::new(),
            expected: Vec::new(),
            closing: None,
            draining: None,
            drained: false,
        }
    }

    /// A number for a link that somebody else opened, for [`Input::Accepted`].
    pub fn next_link(&mut self) -> LinkId {
        self.hosts.next_link()
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Time> {
        let expected = self.expected.iter().map(|e| e.until).min();
        let rounds = self.rounds.values().filter_map(|r| r.until).min();
        let barriers = self.barriers.values().map(|b| b.until).min();
        let (directory, relays) = (self.directory.deadline(), self.relays.deadline());
        let (requests, sessions) = (self.requests.deadline(), self.sessions.deadline());
        let (hosts, members) = (self.hosts.deadline(), self.members.deadline());
        let recent = self.recent.deadline();
        let liveness = self.liveness.deadline(self.config.heartbeat_timeout);
        [
            requests, sessions, hosts, members, directory, relays, expected, rounds, barriers,
            recent, liveness,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The links over which more could be said if what was said before were acknowledged: it pays to read them.
    pub fn held_up(&self) -> &BTreeSet<LinkId> {
        &self.held_up
    }

    /// Takes an input and appends what is to be done to `out`, in order.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        let before = out.len();
        std::mem::swap(&mut self.out, out);
        self.dispatch(input);
        self.perform_relayed(before);
        self.finish_closing();
        self.finish_draining();
        std::mem::swap(&mut self.out, out);
    }

    /// Closes the frames that are being made, so that what was said leaves now. To be called when no more inputs are at hand;
    /// until then messages to the same host are collected, up to what makes a good frame.
    pub fn flush(&mut self, out: &mut Vec<Output>) {
        let before = out.len();
        std::mem::swap(&mut self.out, out);
        self.tell_drops();
        self.close_frames();
        self.perform_relayed(before);
        std::mem::swap(&mut self.out, out);
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Configure(config) => self.configure(config),
            Input::SetUrl(url) => self.url = url,
            Input::SetNetworkId(id) => self.network = id,
            Input::Join { call, url } => self.join(url, Waiter::Call(call)),
            Input::Find { call, id } => self.find(call, id),
            Input::List { call } => self.list(call),
            Input::Created { ids } => self.change_peers(ids, true),
            Input::Removed { ids } => self.change_peers(ids, false),
            Input::Subscribe { topic } => self.change_interest(topic, true),
            Input::Unsubscribe { topic } => self.change_interest(topic, false),
            Input::Ready { call } => self.ready(call),
            Input::Close { call } => self.close(call),
            Input::Send {
                seq,
                from,
                to,
                payload,
            } => self.send(Parcel::new(seq, from, to, payload)),
            Input::SendPatiently {
                seq,
                from,
                to,
                payload,
            } => self.send(Parcel {
                patient: true,
                ..Parcel::new(seq, from, to, payload)
            }),
            Input::Request {
                seq,
                from,
                to,
                payload,
            } => self.send(Parcel {
                asks: true,
                ..Parcel::new(seq, from, to, payload)
            }),
            Input::Reply {
                host,
                number,
                outcome,
                payload,
            } => self.reply(&host, number, outcome, payload),
            Input::Drain { call } => {
                self.drained = true;
                if let Some(earlier) = self.draining.replace(call) {
                    self.done(earlier, Ok(Answer::Done));
                }
            }
            Input::Backlog { link, bytes } => self.backlog(link, bytes),
            Input::Publish { channel, payload } => self.publish(channel, payload),
            Input::Note {
                seq,
                host,
                head,
                payload,
            } => self.note(seq, &host, head, payload),
            Input::Disconnect { key } => {
                if let Some(link) = self.hosts.route(&key) {
                    self.drop_link(link);
                }
            }
            Input::CancelTimer { key } => self.give_up(key),
            Input::Retry { url } => self.try_again(url),
            Input::Accepted { link } if self.closing.is_some() || self.drained => {
                self.close_link(link)
            }
            Input::Accepted { link } => self.hosts.accept(link),
            Input::Opened { link } => self.greet(link),
            Input::DialFailed { link, error } => self.not_joined(link, CallError::Dial(error)),
            Input::Received { link, text } => self.received(link, text),
            Input::ReceivedBinary { link, bytes } => self.received_binary(link, &bytes),
            Input::Heard { link, at } => self.heard(link, at),
            Input::Closed { link } => self.closed(link),
            Input::Applied {
                upto,
                part,
                replies,
            } => {
                self.liveness.applied(upto, self.now);
                self.applied(upto, part, &replies);
                for (held, reply) in self.answers.applied(upto, &replies) {
                    self.give(held, reply);
                }
            }
            Input::Invalid { event } => self.invalid(event),
            Input::Tick => self.tick(),
        }
    }

    fn tick(&mut self) {
        for (link, asked) in self.requests.take_expired(self.now) {
            self.unanswered(link, asked, Silence::Timeout);
        }
        self.expire_sessions();
        self.expire_barriers();
        self.recent.expire(self.now);
        self.redial_due();
        self.try_all_due();
        let now = self.now;
        let overdue: Vec<Expected> = self.expected.extract_if(.., |e| e.until <= now).collect();
        for expected in overdue {
            self.insist(expected);
        }
        self.end_overdue_rounds();
        self.compare_notes();
        self.rearrange();
        self.beat_if_due();
    }

    fn received(&mut self, link: LinkId, text: ByteString) {
        if self.hosts.get(link).is_none() {
            return;
        }
        let requests = &self.requests;
        let pending = |id: &Raw| v1::request_number(id).is_some_and(|n| requests.is_open(link, n));
        match v1::decode(&text, pending) {
            Some(Frame::Request { id, body }) => self.serve(link, Some(id), body),
            Some(Frame::Notification { body }) => self.serve(link, None, body),
            Some(Frame::Answer {
                id,
                message,
                error,
                host,
            }) => {
                // An answer that nobody waits for is a late one: the original would ask back, without end.
                let asked = v1::request_number(&id).and_then(|n| self.requests.take(link, n));
                if let Some(asked) = asked {
                    self.answered(link, asked, message, error, host);
                }
            }
            None => {}
        }
    }

    fn answered(
        &mut self,
        link: LinkId,
        asked: Asked,
        message: Option<Raw>,
        error: Option<Raw>,
        host: Option<Raw>,
    ) {
        match (asked, error) {
            (Asked::Greeting, None) => self.greeted(link, message),
            (Asked::Greeting, Some(error)) => {
                let text = crate::wire::json::display(&Some(error));
                self.not_joined(link, CallError::Refused { text });
            }
            (Asked::Join { round }, _) => self.round_answer(round, None),
            (Asked::Hosts { link, round }, None) => self.hosts_answer(link, round, message),
            (Asked::Hosts { round, .. }, Some(_)) => self.round_answer(round, None),
            (Asked::List { round }, None) => self.round_answer(round, message),
            (Asked::List { round }, Some(_)) => self.round_answer(round, None),
            (Asked::Find { key, search }, _) => self.find_answer(link, key, search, message, host),
            (Asked::Send(parcel), error) => {
                self.landed_plain(link, &parcel);
                self.send_answer(parcel, error);
            }
            (Asked::Goodbye, _) => self.end_link(link),
        }
    }

    /// An answer will not come any more.
    fn unanswered(&mut self, link: LinkId, asked: Asked, why: Silence) {
        match asked {
            Asked::Greeting => {
                let url = self
                    .hosts
                    .get(link)
                    .and_then(|l| l.dialled.clone())
                    .unwrap_or_default();
                let error = if why == Silence::Timeout {
                    CallError::Timeout
                } else {
                    CallError::Lost { url }
                };
                self.not_joined(link, error);
            }
            Asked::Join { round } | Asked::Hosts { round, .. } | Asked::List { round } => {
                self.round_answer(round, None);
            }
            Asked::Find { key, search } => self.find_answer(link, key, search, None, None),
            Asked::Send(parcel) => {
                self.landed_plain(link, &parcel);
                let id = parcel.to.clone();
                let url = self.peers.address(&parcel.key).map(|a| a.url.clone());
                let timeout = why == Silence::Timeout;
                let error = if timeout {
                    SendError::Timeout { id }
                } else {
                    SendError::Unknown { id, url }
                };
                self.failed(parcel.seq, error);
                self.arrived(&parcel.key, parcel.seq, 1);
            }
            Asked::Goodbye => self.end_link(link),
        }
    }

    // What the parts have in common: saying things.

    fn event(&mut self, event: Event) {
        self.stats.count(&event);
        self.answers.told();
        self.out.push(Output::Event(event));
    }

    fn done(&mut self, call: Call, result: Result<Answer, CallError>) {
        self.event(Event::Done { call, result });
    }

    fn failed(&mut self, seq: u64, error: SendError) {
        self.event(Event::Failed { seq, error });
    }

    fn transmit(&mut self, link: LinkId, text: ByteString) {
        if self.hosts.get(link).is_some() {
            self.close_frame(link);
            self.out.push(Output::Transmit { link, text });
        }
    }

    fn ask(
        &mut self,
        link: LinkId,
        method: &str,
        params: Option<&str>,
        asked: Asked,
        within: Duration,
    ) {
        let number = self.requests.open(link, self.now + within, asked);
        self.transmit(link, v1::request(number, method, params));
    }

    /// Answers when the program has applied all events so far. Notifications (no id) are not answered.
    fn owe(&mut self, link: LinkId, id: Option<Raw>, answer: Due) {
        if let Some(id) = id
            && let Some(held) = self.answers.hold(Held { link, id, answer })
        {
            self.give(held, None);
        }
    }

    /// Starts a round of questions. Ends at once when there is nobody to ask.
    fn start_round(
        &mut self,
        asked: Vec<LinkId>,
        method: &str,
        params: Option<&str>,
        end: RoundEnd,
    ) {
        if asked.is_empty() {
            return self.end_round(end);
        }
        let round = self.open_round(asked.len(), end);
        let within = self.config.request_timeout;
        for link in asked {
            let asked = if method == "list" {
                Asked::List { round }
            } else {
                Asked::Join { round }
            };
            self.ask(link, method, params, asked, within);
        }
    }

    fn open_round(&mut self, left: usize, end: RoundEnd) -> u64 {
        self.next_round += 1;
        self.rounds.insert(
            self.next_round,
            Round {
                left,
                until: None,
                end,
            },
        );
        self.next_round
    }

    fn round_answer(&mut self, number: u64, message: Option<Raw>) {
        let Some(round) = self.rounds.get_mut(&number) else {
            return;
        };
        if let (RoundEnd::Listed { ids, .. }, Some(message)) = (&mut round.end, message)
            && message.starts_with('[')
        {
            ids.push(message);
        }
        round.left -= 1;
        if round.left == 0
            && let Some(round) = self.rounds.remove(&number)
        {
            self.end_round(round.end);
        }
    }

    fn end_round(&mut self, end: RoundEnd) {
        match end {
            RoundEnd::Joined(waiters) if self.closing.is_some() => self.fail_all(waiters),
            RoundEnd::Joined(waiters) => self.joined(waiters),
            RoundEnd::Greeted { link, id } => self.answer_greeting(link, id, false, false, None),
            RoundEnd::Introduced { link, id } => self.owe(link, id, Due::Message(None)),
            RoundEnd::Listed { call, ids } => self.done(call, Ok(Answer::Ids(ids))),
        }
    }

    fn joined_links(&self, except: Option<LinkId>) -> Vec<LinkId> {
        self.hosts
            .joined()
            .map(|(_, link)| link)
            .filter(|link| Some(*link) != except)
            .collect()
    }
}

/// Why an answer does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    Timeout,
    LinkLost,
}

impl Mesh {
    /// Ends a link at once, as if it had been lost.
    fn drop_link(&mut self, link: LinkId) {
        self.close_link(link);
        self.closed(link);
    }

    /// Has the link closed after what was said over it.
    fn close_link(&mut self, link: LinkId) {
        self.close_frame(link);
        self.out.push(Output::Close { link });
    }

    /// The link is gone, without a goodbye unless it was leaving.
    fn closed(&mut self, link: LinkId) {
        let Some(l) = self.hosts.get(link) else {
            return;
        };
        let (dialled, host, state) = (l.dialled.clone(), l.host.clone(), l.state);
        self.frames.remove(&link);
        self.held_up.remove(&link);
        self.liveness.forget(link);
        self.release(link);
        let session = self.session_of(link);
        if let Some(key) = self.hosts.unregister(link, State::Leaving) {
            self.event(Event::Disconnected { key: key.clone() });
            self.members.change(self.now);
            if let Some(host) = &session
                && let Some(session) = self.sessions.get_mut(host)
            {
                session.detach(link);
                self.synced_all(host);
                self.place_leaves(host);
            }
            if self.closing.is_none() {
                if is_relayed(link) {
                    self.lose_relayed(link, key.clone(), host.clone());
                } else {
                    self.lose(key.clone(), dialled, host.clone());
                }
                self.member_is_lost(host.as_ref(), &key);
            } else {
                self.member_is_gone(link, &key);
            }
        } else if let Some(host) = session {
            self.end_session(&host);
            self.relays.forget_newest(&host);
        }
        for asked in self.requests.take_all(link) {
            self.unanswered(link, asked, Silence::LinkLost);
        }
        if state == State::Dialling {
            self.not_joined(link, CallError::Closed);
        }
        self.hosts.remove(link);
        self.plains.remove(&link);
        self.carrier_lost(link, host);
    }
}
