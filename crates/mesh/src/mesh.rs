//! One host's state, and which input concerns what.
//!
//! - [`receiving`] is the door for all that other hosts say; [`serving`] answers them, and [`asking`] gets their answers;
//! - [`network`] decides who is there, and may call traffic;
//! - [`traffic`] decides what is said, and asks network for six things only;
//! - [`saying`] is what all of them have in common, and [`pending`] what this host and others owe each other.

mod asking;
mod network;
mod pending;
mod receiving;
mod saying;
mod serving;
mod traffic;

use std::collections::BTreeSet;
use std::time::Duration;

use bytestring::ByteString;

use crate::config::Config;
use crate::event::{Input, Output};
use crate::parts::answers::Answers;
use crate::parts::peers::Parcel;
use crate::parts::questions::Questions;
use crate::stats::Stats;
use crate::words::{Call, LinkId, Raw, Reply, Time};
use network::Network;
use network::waiters::{CloseBy, Waiter};
use pending::{Asked, Due, Silence};
use traffic::Traffic;
use traffic::cargo::Note;

/// A goodbye is answered by a program that is leaving or staying, not by one that works: nobody waits longer than this.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);

/// One host's view of the mesh. See the crate's documentation.
#[derive(Debug)]
pub struct Mesh {
    config: Config,
    id: ByteString,
    url: Option<ByteString>,
    network_id: Option<Raw>,
    random: fastrand::Rng,
    now: Time,
    out: Vec<Output>,

    /// Who is there.
    network: Network,
    /// What is said.
    traffic: Traffic,
    questions: Questions<Asked>,
    answers: Answers<Due>,
    stats: Stats,
    /// How many rounds of questions and barriers there have been.
    next_round: u64,
    /// The call of `close` that waits for the last link to end.
    closing: Option<Call>,
    close_by: CloseBy,
    /// The program wants to retire this host: nobody is let in any more, and it has no peers for others.
    retiring: bool,
    /// The call that waits until nothing is in flight.
    until_idle: Option<Call>,
}

impl Mesh {
    /// A host that is connected with nobody. `host_id` must be unique in the network; `seed` decides what is left to chance.
    pub fn new(config: Config, host_id: ByteString, seed: u64) -> Mesh {
        Mesh {
            config,
            id: host_id.clone(),
            url: None,
            network_id: None,
            random: fastrand::Rng::with_seed(seed),
            now: Time::ZERO,
            out: Vec::new(),
            network: Network::new(),
            traffic: Traffic::new(host_id),
            questions: Questions::new(),
            answers: Answers::new(),
            stats: Stats::default(),
            next_round: 0,
            closing: None,
            close_by: CloseBy::default(),
            retiring: false,
            until_idle: None,
        }
    }

    /// A number for a link that somebody else opened, for [`Input::Accepted`].
    pub fn next_link(&mut self) -> LinkId {
        self.network.next_link()
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Time> {
        [
            self.close_deadline(),
            self.questions.deadline(),
            self.network.deadline(&self.config),
            self.traffic.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The links over which more could be said if what was said before were acknowledged: it pays to read them.
    pub fn held_up(&self) -> &BTreeSet<LinkId> {
        self.traffic.held_up()
    }

    /// Takes an input and appends what is to be done to `out`, in order.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        let before = out.len();
        std::mem::swap(&mut self.out, out);
        self.dispatch(input);
        self.dial_told();
        self.perform_relayed(before);
        self.finish_closing();
        self.finish_retiring();
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
            Input::SetNetworkId(id) => self.network_id = id,
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
            Input::Drain { call } => self.retire(call),
            Input::Backlog { link, bytes } => self.backlog(link, bytes),
            Input::Publish { channel, payload } => self.publish(channel, payload),
            Input::Note {
                seq,
                host,
                head,
                kind,
                payload,
            } => self.note(&host, Note::new(seq, head, kind, payload)),
            Input::Disconnect { key } => self.disconnect(&key),
            Input::CancelTimer { key } => self.give_up(key),
            Input::Retry { url } => self.try_again(url),
            Input::Accepted { link, near } => self.visited(link, near),
            Input::Opened { link, near } => self.opened(link, near),
            Input::DialFailed { link, error } => self.not_reached(link, error),
            Input::Received { link, text } => self.received(link, text),
            Input::ReceivedBinary { link, bytes } => self.received_binary(link, &bytes),
            Input::Heard { link, at } => self.heard(link, at),
            Input::Broken { link } => self.broken(link),
            Input::Closed { link } => self.closed(link),
            Input::Applied {
                upto,
                part,
                replies,
            } => self.settle_applied(upto, part, &replies),
            Input::Invalid { event } => self.invalid(event),
            Input::Tick => self.tick(),
        }
    }

    /// What waits to be written to a link; nothing, if it is not much.
    fn backlog(&mut self, link: LinkId, bytes: usize) {
        if self.session_of(link).is_some() {
            self.network.set_backlog(link, bytes);
        } else {
            self.backlog_of_v1(link, bytes);
        }
    }

    /// The program wants to be disconnected from the host with that key.
    fn disconnect(&mut self, key: &str) {
        if let Some(link) = self.network.route(key) {
            self.drop_link(link);
        }
    }

    /// The program has applied what came before that event, and of that one the first messages.
    fn settle_applied(&mut self, upto: u64, part: u32, replies: &[(u64, u32, Reply)]) {
        self.network.applied(upto, self.now);
        self.applied(upto, part, replies);
        for (held, reply) in self.answers.applied(upto, replies) {
            self.give(held, reply);
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
        self.traffic.expire_recent(self.now);
        self.redial_due();
        self.try_all_due();
        self.network.forget_numbers();
        self.insist_on_overdue();
        self.look_at_doubtful();
        self.end_overdue_rounds();
        self.compare_notes();
        self.rearrange();
        self.beat_if_due();
        self.end_overdue_links();
    }
}
