//! The links, the hosts at their other ends, and when a lost one is dialled again.

mod aliases;
mod link;
mod lost;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytestring::ByteString;

use crate::words::{LinkId, Nearness, Teller, Time};
use aliases::Aliases;
pub use link::{Link, State};
use lost::LostHosts;
pub use lost::{Lost, Redial};

/// All links of this host. `W` is who waits for a connection.
#[derive(Debug)]
pub struct Hosts<W> {
    next: u64,
    links: BTreeMap<LinkId, Link<W>>,
    /// Those of them that are not registered.
    loose: BTreeSet<LinkId>,
    joined: BTreeMap<ByteString, LinkId>,
    /// Those of them of our own hosts that have said no url.
    unlisted: BTreeMap<ByteString, LinkId>,
    /// The registered links of our own hosts, by their ids.
    by_host: HashMap<ByteString, LinkId>,
    /// The registered links to hosts without sessions.
    v1: BTreeSet<LinkId>,
    /// Further urls of the host with a key. They outlive the connection, as peers' addresses do.
    aliases: Aliases,
    lost: LostHosts,
}

impl<W> Hosts<W> {
    pub fn new() -> Self {
        Hosts {
            next: 0,
            links: BTreeMap::new(),
            loose: BTreeSet::new(),
            joined: BTreeMap::new(),
            unlisted: BTreeMap::new(),
            by_host: HashMap::new(),
            v1: BTreeSet::new(),
            aliases: Aliases::default(),
            lost: LostHosts::default(),
        }
    }

    pub fn next_link(&mut self) -> LinkId {
        self.next += 1;
        LinkId(self.next)
    }

    /// A number for what is said now: what is said later comes with a greater one.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a link that we dial, to no nearer address than that.
    pub fn dial(
        &mut self,
        link: LinkId,
        url: ByteString,
        hint: Option<ByteString>,
        waiters: Vec<W>,
        told_from: Nearness,
    ) {
        let dialled = Some(url);
        self.loose.insert(link);
        self.links.insert(
            link,
            Link {
                dialled,
                hint,
                waiters,
                told_from,
                ..Link::new(State::Dialling)
            },
        );
    }

    /// Adds a link that they dialled, from so near.
    pub fn accept(&mut self, link: LinkId, near: Nearness) {
        self.loose.insert(link);
        self.links.insert(
            link,
            Link {
                near,
                ..Link::new(State::Stranger)
            },
        );
    }

    pub fn get(&self, link: LinkId) -> Option<&Link<W>> {
        self.links.get(&link)
    }

    pub fn get_mut(&mut self, link: LinkId) -> Option<&mut Link<W>> {
        self.links.get_mut(&link)
    }

    /// Those who wait for that link wait for something else now.
    pub fn take_waiters(&mut self, link: LinkId) -> Vec<W> {
        let link = self.links.get_mut(&link);
        link.map_or_else(Vec::new, |l| std::mem::take(&mut l.waiters))
    }

    pub fn links(&self) -> impl Iterator<Item = (LinkId, &Link<W>)> {
        self.links.iter().map(|(id, link)| (*id, link))
    }

    /// Those that are not registered: being made, of strangers, or leaving.
    pub fn loose(&self) -> impl DoubleEndedIterator<Item = (LinkId, &Link<W>)> {
        let link = |id: &LinkId| Some((*id, self.links.get(id)?));
        self.loose.iter().filter_map(link)
    }

    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The registered links with their keys, in the order of the keys.
    pub fn joined(&self) -> impl Iterator<Item = (&ByteString, LinkId)> {
        self.joined.iter().map(|(key, link)| (key, *link))
    }

    /// Those of them whose hosts have said no url.
    pub fn unlisted(&self) -> impl Iterator<Item = (LinkId, &Link<W>)> {
        let link = |id: &LinkId| Some((*id, self.links.get(id)?));
        self.unlisted.values().filter_map(link)
    }

    /// The registered links to hosts that speak the protocol of 0.4.0 only.
    pub fn v1(&self) -> impl Iterator<Item = LinkId> {
        self.v1.iter().copied()
    }

    /// The registered link of the host with that url or key.
    pub fn route(&self, url: &str) -> Option<LinkId> {
        let joined = |key: &str| self.joined.get(key).copied();
        joined(url).or_else(|| self.aliases.get(url).and_then(|key| joined(key)))
    }

    /// The registered link of the host with that id.
    pub fn route_to_host(&self, host: &str) -> Option<LinkId> {
        self.by_host.get(host).copied()
    }

    /// The link over which we are just connecting to that url.
    pub fn dialling(&self, url: &str) -> Option<LinkId> {
        self.connecting(url, None)
    }

    /// The link over which we are just connecting to that url, or to where we expect that host.
    pub fn connecting(&self, url: &str, host: Option<&str>) -> Option<LinkId> {
        let there = |l: &Link<W>| {
            l.dialled.as_deref() == Some(url) || (host.is_some() && l.hint.as_deref() == host)
        };
        self.loose()
            .find(|(_, l)| l.is_connecting() && there(l))
            .map(|(id, _)| id)
    }

    /// Whether we have proposed that session where we have said hello and wait for the answer.
    pub fn has_proposed(&self, session: &ByteString) -> bool {
        let mut links = self.loose();
        links.any(|(_, l)| l.state == State::Greeting && l.proposed.as_ref() == Some(session))
    }

    /// The hosts that are expected where we are just connecting to one with that key.
    pub fn hints(&self, key: &str) -> Vec<ByteString> {
        let there = |l: &Link<W>| {
            let dialled = l.dialled.as_deref();
            dialled.is_some_and(|d| self.is_name_of(d, key))
        };
        let links = self.loose().filter(|(_, l)| there(l));
        links.filter_map(|(_, l)| l.hint.clone()).collect()
    }

    /// A link whose host said that url in its greeting and was not registered, because we were dialling it ourselves.
    pub fn spare(&self, url: &str) -> Option<LinkId> {
        let spare = |l: &Link<W>| l.state == State::Stranger && l.url.as_deref() == Some(url);
        self.loose().find(|(_, l)| spare(l)).map(|(id, _)| id)
    }

    /// Registers a link under a key.
    pub fn register(&mut self, link: LinkId, key: ByteString) {
        let number = self.number();
        if let Some(l) = self.links.get_mut(&link) {
            self.loose.remove(&link);
            l.state = State::Joined;
            l.registered = number;
            l.key = Some(key.clone());
            let (url, host) = (l.url.clone(), l.host.clone());
            if l.offer.is_none() {
                self.v1.insert(link);
            }
            // Whoever else was known by that name, or had that key, is somebody else.
            self.aliases.remove(&key);
            self.aliases.pass(&key, host.as_ref());
            self.joined.insert(key.clone(), link);
            match url {
                Some(url) => {
                    self.unlisted.remove(&key);
                    self.alias(url, key.clone());
                }
                // A 0.4.0 host that we dialled does not say its url.
                None if host.is_none() => {}
                None => {
                    self.unlisted.insert(key, link);
                }
            }
            if let Some(host) = host {
                self.by_host.insert(host, link);
            }
        }
    }

    /// Whether there are links over which a greeting, or the answer to ours, may still come.
    pub fn is_greeting(&self) -> bool {
        let silent = |l: &Link<W>| l.state == State::Stranger && l.host.is_none();
        let mut links = self.loose().rev();
        links.any(|(_, l)| l.state == State::Greeting || silent(l))
    }

    /// That host is where we have said hello under a name of that key: whoever else answers there was there before it.
    pub fn overtake(&mut self, key: &str, host: &ByteString) {
        let there = |url: &ByteString| self.is_name_of(url, key);
        let greeting = |l: &Link<W>| l.state == State::Greeting;
        let links = self.loose();
        let links = links.filter(|(_, l)| greeting(l) && l.dialled.as_ref().is_some_and(there));
        let links: Vec<LinkId> = links.map(|(link, _)| link).collect();
        for link in links {
            if let Some(l) = self.links.get_mut(&link) {
                l.since_hello = Some(host.clone());
            }
        }
    }

    /// The registered link of the host that is known by that url: it advertises it, or was dialled by it.
    pub fn holder(&self, url: &str) -> Option<LinkId> {
        let holds = |l: &Link<W>| [&l.key, &l.url].iter().any(|u| u.as_deref() == Some(url));
        self.route(url)
            .filter(|link| self.links.get(link).is_some_and(holds))
    }

    /// Notes another url of the host with that key, unless it is that of another one.
    pub fn alias(&mut self, url: ByteString, key: ByteString) {
        if url != key && self.holder(&url).is_none() {
            let joined = || self.links.get(self.joined.get(&key)?);
            let host = match joined() {
                Some(l) => l.host.clone(),
                None => self.lost(&key).and_then(|lost| lost.host.clone()),
            };
            self.aliases.insert(url, key, host);
        }
    }

    /// Takes a link out of the register, not out of the links. Gives its key if it was registered.
    pub fn unregister(&mut self, link: LinkId, state: State) -> Option<ByteString> {
        let l = self.links.get_mut(&link)?;
        self.loose.insert(link);
        l.state = state;
        let key = l.key.take()?;
        self.v1.remove(&link);
        if let Some(host) = &l.host
            && self.by_host.get(host) == Some(&link)
        {
            self.by_host.remove(host);
        }
        if self.joined.get(&key) == Some(&link) {
            self.joined.remove(&key);
            self.unlisted.remove(&key);
            return Some(key);
        }
        None
    }

    pub fn remove(&mut self, link: LinkId) -> Option<Link<W>> {
        self.loose.remove(&link);
        self.links.remove(&link)
    }

    /// Whether that url, or key, names the host with that key.
    pub fn is_name_of(&self, url: &str, key: &str) -> bool {
        url == key || self.aliases.get(url).is_some_and(|k| k == key)
    }

    /// Forgets the other urls of that host.
    pub fn forget_aliases(&mut self, key: &str) {
        self.aliases.forget(key);
    }

    /// Notes that a host is lost. One entry a key.
    pub fn lose(&mut self, key: ByteString, lost: Lost) {
        self.lost.insert(key, lost);
    }

    /// From now on it is for us to dial that lost host, if it was not.
    pub fn redial(&mut self, key: &str, at: Time, redial: Redial, reach: Nearness) {
        self.lost.change(key, |lost| {
            if lost.redial.is_none() {
                (lost.at, lost.redial) = (at, Some(redial));
                lost.reach = lost.reach.max(reach);
            }
        });
    }

    /// That lost host is to be dialled at that time, if it is for us to do so.
    pub fn redial_at(&mut self, key: &str, at: Time) {
        self.lost.change(key, |lost| {
            if lost.redial.is_some() {
                lost.at = at;
            }
        });
    }

    /// Another host has told of that lost one as well, if it is known by hearsay alone.
    pub fn tell_again(&mut self, key: &str, by: &Teller) {
        self.lost.change(key, |lost| {
            if let Some(before) = &lost.by {
                lost.reach = lost.reach.max(by.near);
                // Who has told of itself has been here: it is looked for whoever else is gone.
                if before.host.is_none() || before.host != lost.host {
                    lost.by = Some(by.clone());
                }
            }
        });
    }

    /// How many lost hosts are dialled that are known by hearsay alone.
    pub fn lost_told(&self) -> usize {
        self.lost.told()
    }

    /// Gives up waiting for the host with that key.
    pub fn found(&mut self, key: &str) -> Option<Lost> {
        self.lost.remove(key)
    }

    /// The key of the lost host that has waited for longest, if there are too many.
    pub fn lost_surplus(&self) -> Option<ByteString> {
        self.lost.surplus().cloned()
    }

    /// The host with that key, if it is lost.
    pub fn lost(&self, key: &str) -> Option<&Lost> {
        self.lost.get(key)
    }

    /// The id of the lost host that has that url or key.
    pub fn lost_behind(&self, url: &str) -> Option<ByteString> {
        let lost = |key: &str| self.lost.get(key);
        let lost = lost(url).or_else(|| self.aliases.get(url).and_then(|key| lost(key)));
        lost.and_then(|lost| lost.host.clone())
    }

    /// The keys of lost hosts with that host id.
    pub fn lost_host(&self, host: &str) -> Vec<ByteString> {
        self.lost.keys_of(host)
    }

    /// Whether the host with that id is lost.
    pub fn is_lost(&self, host: &str) -> bool {
        self.lost.is_host(host)
    }

    /// All lost hosts, by their keys.
    pub fn all_lost(&self) -> impl Iterator<Item = (&ByteString, &Lost)> {
        self.lost.iter()
    }

    /// Takes the lost hosts about which there is something to do now.
    pub fn due(&mut self, now: Time) -> Vec<(ByteString, Lost)> {
        self.lost.take_due(now)
    }

    pub fn deadline(&self) -> Option<Time> {
        self.lost.deadline()
    }
}
