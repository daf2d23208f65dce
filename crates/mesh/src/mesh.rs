//! Joins the parts: takes an input, moves what it concerns, and says what is to be done.

mod asking;
mod network;
mod receiving;
mod saying;
mod serving;
mod traffic;
mod watching;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytestring::ByteString;

use crate::config::Config;
use crate::error::CallError;
use crate::event::{Input, Output};
use crate::parts::answers::Answers;
use crate::parts::channels::Channels;
use crate::parts::directory::Directory;
use crate::parts::gossip::Gossip;
use crate::parts::hosts::Hosts;
use crate::parts::liveness::Liveness;
use crate::parts::patterns::Patterns;
use crate::parts::peers::{Parcel, Peers};
use crate::parts::questions::Questions;
use crate::parts::recent::Recent;
use crate::parts::relays::Relays;
use crate::parts::roster::Roster;
use crate::parts::sessions::Sessions;
use crate::stats::Stats;
use crate::wire::v2;
use crate::words::{Answer, Call, LinkId, Raw, Time};
use asking::{Asked, Silence};
use network::closing::CloseBy;
use network::rounds::Round;
use network::twins::Doubt;
use traffic::arriving::Told;
use traffic::cargo::{Cargo, Note};
use traffic::interest::Barrier;
use traffic::v1_hosts::Plain;

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
    gossip: Gossip,
    roster: Roster,
    channels: Channels,
    directory: Directory,
    liveness: Liveness,
    /// The patterns that other hosts listen to.
    patterns: Patterns<ByteString>,
    peers: Peers,
    recent: Recent,
    relays: Relays,
    questions: Questions<Asked>,
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
    /// Who has said hello with the url of somebody else.
    doubts: Vec<Doubt>,
    /// Urls that several hosts have, as the program was told.
    taken: BTreeSet<ByteString>,
    /// The call of `close` that waits for the last link to end.
    closing: Option<Call>,
    close_by: CloseBy,
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
            gossip: Gossip::default(),
            roster: Roster::default(),
            channels: Channels::default(),
            directory: Directory::new(host_id),
            liveness: Liveness::default(),
            patterns: Patterns::default(),
            peers: Peers::default(),
            recent: Recent::default(),
            relays: Relays::default(),
            questions: Questions::new(),
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
            doubts: Vec::new(),
            taken: BTreeSet::new(),
            closing: None,
            close_by: CloseBy::default(),
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
        let doubts = self.doubts.iter().map(|d| d.until).min();
        let rounds = self.rounds.values().filter_map(|r| r.until).min();
        let barriers = self.barriers.values().map(|b| b.until).min();
        let (directory, relays) = (self.directory.deadline(), self.relays.deadline());
        let (questions, sessions) = (self.questions.deadline(), self.sessions.deadline());
        let (hosts, gossip) = (self.hosts.deadline(), self.gossip.deadline());
        let (recent, peers) = (self.recent.deadline(), self.peers.deadline());
        let liveness = self.liveness.deadline(self.config.heartbeat_timeout);
        let closing = self.close_deadline();
        [
            closing, questions, sessions, hosts, gossip, directory, relays, expected, doubts,
            rounds, barriers, recent, peers, liveness,
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
            Input::SetUrl(url) => self.set_url(url),
            Input::SetNetworkId(id) => self.network = id,
            Input::Join { call, url } => self.join(url, Waiter::Call(call)),
            Input::Find { call, id } => self.find(call, id),
            Input::List { call } => self.list(call),
            Input::Created { ids } => self.change_peers(ids, true),
            Input::Removed { ids } => self.change_peers(ids, false),
            Input::Subscribe { topic } => self.change_interest(topic, true),
            Input::Unsubscribe { topic } => self.change_interest(topic, false),
            Input::Ready { call } => self.ready(call),
            Input::Close { call } => self.close(call, GOODBYE_TIMEOUT),
            Input::CloseWithin { call, within } => self.close(call, within.min(GOODBYE_TIMEOUT)),
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
                kind,
                payload,
            } => {
                let note = Note {
                    seq,
                    head,
                    kind,
                    payload,
                };
                self.note(&host, note);
            }
            Input::Disconnect { key } => {
                if let Some(link) = self.hosts.route(&key) {
                    self.drop_link(link);
                }
            }
            Input::CancelTimer { key } => self.give_up(key),
            Input::Retry { url } => self.try_again(url),
            Input::Accepted { link } if self.closing.is_some() || self.drained => {
                self.turn_away(link)
            }
            Input::Accepted { link } => self.hosts.accept(link),
            Input::Opened { link } => self.greet(link),
            Input::DialFailed { link, error } => self.not_joined(link, CallError::Dial(error)),
            Input::Received { link, text } => self.received(link, text),
            Input::ReceivedBinary { link, bytes } => self.received_binary(link, &bytes),
            Input::Heard { link, at } => {
                self.end_doubts(link, at);
                self.heard(link, at);
            }
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
        for (link, asked) in self.questions.take_expired(self.now) {
            self.unanswered(link, asked, Silence::Timeout);
        }
        self.expire_sessions();
        self.expire_barriers();
        self.wake_searches(Some(self.now));
        self.poll(Some(self.now));
        self.recent.expire(self.now);
        self.redial_due();
        self.try_all_due();
        self.forget_numbers();
        let now = self.now;
        let overdue: Vec<Expected> = self.expected.extract_if(.., |e| e.until <= now).collect();
        for expected in overdue {
            self.insist(expected);
        }
        self.look_at_doubtful();
        self.end_overdue_rounds();
        self.compare_notes();
        self.rearrange();
        self.beat_if_due();
        self.end_overdue_links();
    }
}
