//! The greeting and its answer: what two hosts say of themselves when they meet. Their JSON is read and written here alone.
//!
//! A 0.4.0 host says its url and its network id, and ignores the member `host`, which says everything else. Whatever is odd counts as
//! missing: who writes nonsense is met as a 0.4.0 host.

use bytestring::ByteString;

use super::member::{self, Member};
use crate::json::{self, push_member};
use crate::limits::Limits;
use crate::words::Raw;

/// The versions beyond 1 that this host speaks.
const VERSIONS: &str = "[2]";

/// The names of the [`Features`].
const INTEREST: &str = "interest";
const DIRECTORY: &str = "directory";
const RELAY: &str = "relay";

/// The longest id of a session.
const MAX_SESSION_ID: usize = 64;

/// What is used beyond version 2 when both sides list it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Each says what it listens to.
    pub interest: bool,
    /// Each takes a part of the directory.
    pub directory: bool,
    /// Each relays for others.
    pub relay: bool,
}

/// A session, as a greeting or its answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub id: ByteString,
    /// It begins now.
    pub new: bool,
    /// The number of the last message that the sender has received.
    pub received: u64,
    /// Up to which number the sender has seen its own messages acknowledged.
    pub seen: u64,
    /// How many bytes the sender takes before it acknowledges.
    pub window: u64,
}

/// What a greeting says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The url that the host advertises.
    pub url: Option<ByteString>,
    /// The network id as JSON text.
    pub network: Option<Raw>,
    /// The host's id. 0.4.0 hosts have none, and say none of what follows.
    pub id: Option<ByteString>,
    /// Tells greetings and answers of one host apart: what it says later has a greater number.
    pub number: Option<u64>,
    /// This connection shall take the place of the one that the other side still thinks it has.
    pub replace: bool,
    /// It wants the list of all members.
    pub asks: bool,
    pub features: Features,
    /// Nothing is listened to there.
    pub quiet: bool,
    pub limits: Limits,
    /// The digest of the hosts without url that it knows.
    pub relayed: Option<ByteString>,
    /// The session that it begins or goes on with. Only who speaks version 2 has one.
    pub session: Option<Offer>,
}

/// What the answer to a greeting says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// The network id as JSON text: the joiner takes it over.
    pub network: Option<Raw>,
    /// The host's id. 0.4.0 hosts have none, are told none, and say none of what follows.
    pub id: Option<ByteString>,
    /// The url that the host advertises.
    pub url: Option<ByteString>,
    /// As in [`Hello`].
    pub number: Option<u64>,
    /// The joiner's url is that of another host.
    pub taken: bool,
    /// This connection is not used: there is another one, or the acceptor is dialling.
    pub duplicate: bool,
    /// The joiner may dial again at once, as it did not know of the session that there is.
    pub again: bool,
    /// The members of the network that it tells of.
    pub members: Vec<Member>,
    /// Written with a session only, as what follows.
    pub features: Features,
    /// Nothing is listened to there.
    pub quiet: bool,
    pub limits: Limits,
    /// The session in force.
    pub session: Option<Offer>,
}

impl Hello {
    /// Of the parameters of a `greeting`.
    pub fn read(params: Option<&Raw>) -> Hello {
        let [url, network, host] = members(params, ["url", "networkId", "host"]);
        let [
            id,
            number,
            replace,
            asks,
            versions,
            session,
            relayed,
            features,
            quiet,
            limits,
        ] = members(
            host.as_ref(),
            [
                "id", "number", "replace", "members", "versions", "session", "relayed", "features",
                "quiet", "limits",
            ],
        );
        Hello {
            url: text(url).filter(|url| !url.is_empty()),
            network,
            id: text(id).filter(|id| !id.is_empty()),
            number: number.and_then(|n| n.parse().ok()),
            replace: is_set(replace),
            asks: is_set(asks),
            features: Features::read(features.as_ref()),
            quiet: is_set(quiet),
            limits: read_limits(limits.as_ref()),
            relayed: text(relayed),
            session: session
                .filter(|_| versions.is_some_and(|v| speaks(&v)))
                .and_then(|session| Offer::read(&session)),
        }
    }

    /// As parameters of a `greeting`.
    pub fn written(&self) -> String {
        let mut host = String::from("{");
        push_text(&mut host, "id", self.id.as_deref());
        push_number(&mut host, "number", self.number);
        push_flag(&mut host, "replace", self.replace);
        push_flag(&mut host, "members", self.asks);
        push_member(&mut host, "versions", Some(VERSIONS));
        push_ability(&mut host, self.features, self.quiet, &self.limits);
        push_text(&mut host, "relayed", self.relayed.as_deref());
        push_session(&mut host, self.session.as_ref());
        host.push('}');
        let mut params = String::from("{");
        push_text(&mut params, "url", self.url.as_deref());
        push_member(&mut params, "networkId", self.network.as_deref());
        let host = self.id.is_some().then_some(&*host);
        push_member(&mut params, "host", host);
        params.push('}');
        params
    }

    /// Why a host of that network refuses it, if it does: in the words of 0.4.0. Who names no network belongs to any.
    pub fn mismatch(&self, network: &Option<Raw>) -> Option<String> {
        let theirs = self.network.as_ref().filter(|n| json::truthy(n))?;
        let same = network.as_ref().is_some_and(|ours| same(theirs, ours));
        let (theirs, ours) = (json::display(&self.network), json::display(network));
        (!same).then(|| format!("Network id mismatch ({theirs} !== {ours})"))
    }
}

impl Welcome {
    /// Of the message of an answer; `None` when that says nothing, not even of a network.
    pub fn read(message: Option<&Raw>) -> Option<Welcome> {
        let [network, host] = json::members(message?, ["networkId", "host"])?;
        let [
            id,
            url,
            number,
            taken,
            duplicate,
            again,
            list,
            session,
            features,
            quiet,
            limits,
        ] = members(
            host.as_ref(),
            [
                "id",
                "url",
                "number",
                "taken",
                "duplicate",
                "again",
                "members",
                "session",
                "features",
                "quiet",
                "limits",
            ],
        );
        Some(Welcome {
            network,
            id: text(id),
            url: text(url),
            number: number.and_then(|n| n.parse().ok()),
            taken: is_set(taken),
            duplicate: is_set(duplicate),
            again: is_set(again),
            members: member::read(list.as_ref()),
            features: Features::read(features.as_ref()),
            quiet: is_set(quiet),
            limits: read_limits(limits.as_ref()),
            session: session.and_then(|session| Offer::read(&session)),
        })
    }

    /// As the message of an answer.
    pub fn written(&self) -> String {
        let mut message = String::from("{");
        push_member(&mut message, "networkId", self.network.as_deref());
        if self.id.is_some() {
            let mut host = String::from("{");
            push_text(&mut host, "id", self.id.as_deref());
            push_text(&mut host, "url", self.url.as_deref());
            push_number(&mut host, "number", self.number);
            push_flag(&mut host, "taken", self.taken);
            push_flag(&mut host, "duplicate", self.duplicate);
            push_flag(&mut host, "again", self.again);
            let members = (!self.members.is_empty()).then(|| member::written(&self.members));
            push_member(&mut host, "members", members.as_deref());
            if self.session.is_some() {
                push_member(&mut host, "version", Some("2"));
                push_ability(&mut host, self.features, self.quiet, &self.limits);
                push_session(&mut host, self.session.as_ref());
            }
            host.push('}');
            push_member(&mut message, "host", Some(&host));
        }
        message.push('}');
        message
    }
}

impl Features {
    fn read(list: Option<&Raw>) -> Features {
        let mut features = Features::default();
        let is_array = list.is_some_and(|list| {
            json::each(list, |feature| match json::string(&feature).as_deref() {
                Some(INTEREST) => features.interest = true,
                Some(DIRECTORY) => features.directory = true,
                Some(RELAY) => features.relay = true,
                _ => {}
            })
        });
        if is_array {
            features
        } else {
            Features::default()
        }
    }

    fn written(&self) -> String {
        let listed = [
            (self.interest, INTEREST),
            (self.directory, DIRECTORY),
            (self.relay, RELAY),
        ];
        let listed = listed.iter().filter(|(on, _)| *on).map(|(_, name)| *name);
        serde_json::Value::from(listed.collect::<Vec<&str>>()).to_string()
    }
}

impl Offer {
    /// `None` without an id, or when a number is none.
    fn read(session: &Raw) -> Option<Offer> {
        let [id, new, received, seen, window] =
            json::members(session, ["id", "new", "received", "seen", "window"])?;
        let number = |n: Option<Raw>| n.map_or(Some(0), |n| n.parse().ok());
        Some(Offer {
            id: text(id).filter(|id| !id.is_empty() && id.len() <= MAX_SESSION_ID)?,
            new: is_set(new),
            received: number(received)?,
            seen: number(seen)?,
            window: number(window)?,
        })
    }
}

/// The members with those names, none of what is no object.
fn members<const N: usize>(object: Option<&Raw>, names: [&str; N]) -> [Option<Raw>; N] {
    let found = object.and_then(|object| json::members(object, names));
    found.unwrap_or([const { None }; N])
}

fn text(value: Option<Raw>) -> Option<ByteString> {
    json::string(&value?)
}

fn is_set(value: Option<Raw>) -> bool {
    value.as_ref().is_some_and(json::truthy)
}

/// Whether version 2 is among those.
fn speaks(versions: &Raw) -> bool {
    let mut speaks = false;
    json::each(versions, |version| speaks |= &*version == "2") && speaks
}

/// Whether two network ids are the same value, however they are written.
fn same(theirs: &Raw, ours: &Raw) -> bool {
    theirs == ours
        || matches!((json::string(theirs), json::string(ours)), (Some(a), Some(b)) if a == b)
}

fn push_ability(host: &mut String, features: Features, quiet: bool, limits: &Limits) {
    push_member(host, "features", Some(&features.written()));
    push_flag(host, "quiet", quiet);
    push_limits(host, limits);
}

/// What is not said is as usual.
fn read_limits(limits: Option<&Raw>) -> Limits {
    let [payload, id] = members(limits, ["payload", "id"]);
    let usual = Limits::default();
    let number = |n: Option<Raw>| n.and_then(|n| n.parse().ok());
    Limits {
        payload: number(payload).unwrap_or(usual.payload),
        id: number(id).unwrap_or(usual.id),
    }
}

fn push_limits(host: &mut String, limits: &Limits) {
    if *limits != Limits::default() {
        let Limits { payload, id } = limits;
        let limits = format!("{{\"payload\":{payload},\"id\":{id}}}");
        push_member(host, "limits", Some(&limits));
    }
}

fn push_session(host: &mut String, session: Option<&Offer>) {
    if let Some(session) = session {
        let mut out = String::from("{");
        push_text(&mut out, "id", Some(&session.id));
        push_flag(&mut out, "new", session.new);
        push_number(&mut out, "received", Some(session.received));
        push_number(&mut out, "seen", Some(session.seen));
        push_number(&mut out, "window", Some(session.window));
        out.push('}');
        push_member(host, "session", Some(&out));
    }
}

fn push_text(out: &mut String, name: &str, text: Option<&str>) {
    push_member(out, name, text.map(json::quote).as_deref());
}

fn push_flag(out: &mut String, name: &str, is_set: bool) {
    push_member(out, name, is_set.then_some("true"));
}

fn push_number(out: &mut String, name: &str, number: Option<u64>) {
    let number = number.map(|n| n.to_string());
    push_member(out, name, number.as_deref());
}
