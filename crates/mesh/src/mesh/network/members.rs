//! Telling other hosts of this version who is in the network, and being told.

use std::collections::HashSet;
use std::time::Duration;

use bytestring::ByteString;

use super::joining::join_params;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{Round, RoundEnd, Waiter};
use crate::mesh::pending::{Asked, Due};
use crate::parts::gossip::digest;
use crate::wire::greeting::Hello;
use crate::wire::member::{self, Member};
use crate::wire::v1;
use crate::words::{LinkId, Raw, Teller};

/// A join waits that long for the members that it has been told of: for their dials, and for their answers to the greeting.
pub(super) const MEMBERS_WITHIN: Duration = Duration::from_secs(10);

impl Mesh {
    /// The hosts that we are connected with, or about to be, and that others can dial, or that we relay to. Not the one behind that
    /// link.
    fn member_list(&self, except: LinkId) -> Vec<Member> {
        let themselves = self.network.hosts.get(except).and_then(|l| l.host.clone());
        let listed = self.network.hosts.links().filter_map(|(link, l)| {
            let ours = l.host.is_some() || l.hint.is_some();
            let url = match &l.key {
                Some(key) => l.url.as_ref().or((!ours).then_some(key))?,
                // Who is dialled again may well be gone.
                None => l.dialled.as_ref().filter(|_| {
                    l.dialled != l.hint && l.is_connecting() && l.waiters.iter().any(Waiter::hopes)
                })?,
            };
            let host = l.host.clone().or_else(|| l.hint.clone());
            (link != except && (host.is_none() || host != themselves)).then(|| Member {
                url: url.clone(),
                host,
            })
        });
        // What has been told by whom the program has named is about to be tried as well.
        let hopeful = |w: &Waiter| {
            let by = w.by().and_then(|by| self.network.hosts.get(by.link));
            w.hopes() && by.is_some_and(|l| l.asks)
        };
        let told = self.network.hearsay.iter().filter_map(|(url, entry)| {
            let host = entry.host.clone();
            let listed = entry.waiters.iter().any(hopeful)
                && host.as_ref() != Some(url)
                && (host.is_none() || host != themselves);
            let url = url.clone();
            listed.then_some(Member { url, host })
        });
        let relayed = self.network.relayed_members(except);
        listed.chain(told).chain(relayed).collect()
    }

    /// What is said about members in the answer to a greeting: everything, if they join the network through us; else whom they may
    /// have missed.
    pub(super) fn members_for(&self, link: LinkId, hello: &Hello) -> Vec<Member> {
        if hello.asks {
            return self.member_list(link);
        }
        let Some(l) = self.network.hosts.get(link) else {
            return Vec::new();
        };
        let connected = |m: &&Member| m.host != l.host && self.knows(m);
        let mut news: Vec<Member> = self
            .network
            .gossip
            .recent(self.now)
            .filter(connected)
            .cloned()
            .collect();
        let to_relay = self.network.relayed_members(link);
        let digest = || digest(to_relay.iter().map(|m| &*m.url));
        if hello.relayed.as_ref().is_some_and(|d| *d != digest()) {
            news.extend(to_relay);
        }
        news
    }

    fn knows(&self, member: &Member) -> bool {
        let connected = match &member.host {
            Some(host) => *host == self.id || self.network.hosts.route_to_host(host).is_some(),
            None => false,
        };
        connected
            || self.url.as_ref() == Some(&member.url)
            || self.network.hosts.route(&member.url).is_some()
    }

    /// Joins a host that we were told of. `round` waits for that.
    pub(super) fn join_member(&mut self, member: Member, round: Option<u64>, by: Teller) {
        if let Some(round) = round.and_then(|r| self.network.rounds.get_mut(&r)) {
            round.left += 1;
        }
        self.join_host(member.url, member.host, Waiter::Member { round, by });
    }

    /// We have joined a host and got its list: those whom we know and it does not are to join all of these, and it.
    pub(super) fn introduce(&mut self, from: LinkId, list: &[Member], round: u64) {
        let names: HashSet<&ByteString> = list
            .iter()
            .flat_map(|m| m.host.iter().chain([&m.url]))
            .collect();
        let mut previous = self.network.joined_links(Some(from));
        previous.retain(|link| {
            self.network.hosts.get(*link).is_some_and(|l| {
                let named =
                    |name: &Option<ByteString>| name.as_ref().is_some_and(|n| names.contains(n));
                !named(&l.host) && !named(&l.key) && !named(&l.url)
            })
        });
        let is_from = |m: &Member| {
            self.network
                .hosts
                .get(from)
                .is_some_and(|l| m.host == l.host)
        };
        // To those that we cannot dial it is the host behind that link who relays.
        let new = list.iter().filter(|m| !m.is_relayed());
        let new = new.filter(|m| is_from(m) || !self.knows(m));
        let new: Vec<Member> = new.cloned().collect();
        let connecting = !self.network.hearsay.is_empty()
            || self.network.hosts.loose().any(|(_, l)| l.is_connecting());
        if new.is_empty() || (previous.is_empty() && !connecting) {
            return;
        }
        for link in previous {
            self.tell_members(link, &new, round);
        }
        for member in new {
            self.network.gossip.add(self.now, member, false);
        }
    }

    /// Has the host behind that link join these; `round` waits for that.
    pub(super) fn tell_members(&mut self, link: LinkId, members: &[Member], round: u64) {
        let within = self.config.request_timeout;
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        let questions = if l.host.is_some() {
            vec![("members", params("members", &member::written(members)))]
        } else {
            // A 0.4.0 host is told of one at a time.
            let one = |m: &Member| ("join", join_params(Some(&m.url)));
            members.iter().map(one).collect()
        };
        for (method, params) in questions {
            if let Some(round) = self.network.rounds.get_mut(&round) {
                round.left += 1;
            }
            self.ask(link, method, Some(&params), Asked::Join { round }, within);
        }
    }

    /// Has that round end in time even if somebody does not answer.
    pub(super) fn limit_round(&mut self, round: u64) {
        let until = Some(self.now + MEMBERS_WITHIN);
        if let Some(round) = self.network.rounds.get_mut(&round) {
            round.until = until;
        }
    }

    pub(in crate::mesh) fn end_overdue_rounds(&mut self) {
        let overdue = |r: &Round| r.until.is_some_and(|at| at <= self.now);
        let numbers = self.network.rounds.iter().filter(|(_, r)| overdue(r));
        for number in numbers.map(|(n, _)| *n).collect::<Vec<u64>>() {
            if let Some(round) = self.network.rounds.remove(&number) {
                self.end_round(round.end);
            }
        }
    }

    /// Another host of this version tells of members, or compares notes.
    pub(in crate::mesh) fn members_request(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        list: Vec<Member>,
        [digest, relayed]: [Option<ByteString>; 2],
        all: bool,
    ) {
        self.network.learn_ways(link, &list);
        if let Some(theirs) = digest
            && theirs != self.digest()
            && !self.network.gossip.defer(link)
        {
            let mut note = params("members", &member::written(&self.member_list(link)));
            note.truncate(note.len() - 1);
            json::push_member(&mut note, "all", Some("true"));
            note.push('}');
            self.answer(link, v1::notification("members", &note));
        } else if let Some(theirs) = relayed {
            self.tell_relayed(link, &theirs);
        }
        if all {
            let mut missing = self.member_list(link);
            missing.retain(|m| {
                !list
                    .iter()
                    .any(|l| l.host == m.host && (m.host.is_some() || l.url == m.url))
            });
            if !missing.is_empty() {
                let note = params("members", &member::written(&missing));
                self.answer(link, v1::notification("members", &note));
            }
        }
        let by = self.network.teller(link);
        let round = self.open_round(1, RoundEnd::Introduced { link, id });
        self.limit_round(round);
        for member in list {
            // Whoever is being joined already is not waited for: two that wait for each other would wait for ever.
            let connecting = self
                .network
                .hosts
                .connecting(&member.url, member.host.as_deref());
            let waits = !self.network.hearsay.contains(&member.url);
            match connecting {
                Some(link) => self
                    .network
                    .note_told(link, &member.url, member.host.as_ref()),
                None => self.join_member(member, Some(round).filter(|_| waits), by.clone()),
            }
        }
        self.round_answer(round, None);
    }

    /// The host behind that link knows other hosts that nobody can dial than we do, perhaps: it is told of those to which we relay.
    fn tell_relayed(&mut self, link: LinkId, theirs: &str) {
        let to_relay = self.network.relayed_members(link);
        if !to_relay.is_empty() && theirs != digest(to_relay.iter().map(|m| &*m.url)) {
            let note = params("members", &member::written(&to_relay));
            self.transmit(link, v1::notification("members", &note));
        }
    }

    /// A host asks which hosts we know, and perhaps tells us of some.
    pub(in crate::mesh) fn hosts_request(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        urls: Vec<ByteString>,
    ) {
        for url in urls {
            self.join_told(link, url, None);
        }
        let known = |l: LinkId| {
            self.network.hosts.get(l).is_some_and(|l| {
                let dialled = l.dialled.is_some() && l.dialled != l.host;
                dialled || l.url.is_some()
            })
        };
        let urls: Vec<&str> = self
            .network
            .hosts
            .joined()
            .filter(|(_, l)| known(*l))
            .map(|(key, _)| key.as_ref())
            .collect();
        let message = serde_json::Value::from(urls).to_string();
        self.owe(link, id, Due::Message(Some(message)));
    }

    fn digest(&self) -> String {
        let own = self.url.as_ref().map(|_| &*self.id);
        digest(self.network.listed_hosts().map(|(id, _)| id).chain(own))
    }

    /// It has become quiet: compare notes with the host whose id is the next one after ours. As everybody does, any difference
    /// between two hosts shows somewhere around the ring.
    pub(in crate::mesh) fn compare_notes(&mut self) {
        if !self.network.gossip.due(self.now) || self.closing.is_some() {
            return;
        }
        let own = &*self.id;
        let next = self
            .network
            .listed_hosts()
            .min_by_key(|(id, _)| (*id < own, *id));
        let next = next.map(|(_, link)| link);
        let mut links = self.network.gossip.take_deferred();
        links.extend(next);
        let mut note = params("digest", &json::quote(&self.digest()));
        note.truncate(note.len() - 1);
        let relayed = json::quote(&self.network.relayed_digest());
        json::push_member(&mut note, "relayed", Some(&relayed));
        note.push('}');
        for link in links {
            self.transmit(link, v1::notification("members", &note));
        }
        self.ask_v1_hosts();
    }

    /// A 0.4.0 host has no notes to compare, and says only once who has come; two that join through 0.4.0 hosts at the same moment may miss
    /// each other. So each 0.4.0 host is asked once more for the hosts that it knows.
    fn ask_v1_hosts(&mut self) {
        let links: Vec<LinkId> = self.network.hosts.v1().collect();
        for link in links {
            let Some(l) = self.network.hosts.get_mut(link) else {
                continue;
            };
            if l.host.is_none() && !std::mem::replace(&mut l.compared, true) {
                let within = self.config.request_timeout;
                self.ask(link, "hosts", None, Asked::Missed, within);
            }
        }
    }

    /// A 0.4.0 host has told which hosts it knows. It may be just dialling one that we have lost as well: that one is looked for anyway.
    pub(in crate::mesh) fn join_missed(&mut self, link: LinkId, urls: Vec<ByteString>) {
        let by = self.network.teller(link);
        for url in urls {
            let member = Member { url, host: None };
            if !self.knows(&member)
                && self.network.hosts.lost_behind(&member.url).is_none()
                && self.network.hosts.lost(&member.url).is_none()
            {
                self.join_member(member, None, by.clone());
            }
        }
    }
}

impl Network {
    /// Our hosts that can be dialled and that we are connected with.
    fn listed_hosts(&self) -> impl Iterator<Item = (&str, LinkId)> {
        self.hosts.joined().filter_map(|(_, link)| {
            let l = self.hosts.get(link)?;
            l.url.as_ref()?;
            Some((&**l.host.as_ref()?, link))
        })
    }
}

fn params(name: &str, value: &str) -> String {
    let mut params = String::from("{");
    json::push_member(&mut params, name, Some(value));
    params.push('}');
    params
}
