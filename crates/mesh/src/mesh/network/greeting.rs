//! Being joined: somebody says hello.

use bytestring::ByteString;

use super::joining::join_params;
use crate::event::Output;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{RoundEnd, Waiter};
use crate::mesh::pending::Due;
use crate::parts::hosts::{Link, State};
use crate::parts::relays::is_relayed;
use crate::wire::greeting::{Hello, Welcome};
use crate::wire::member::Member;
use crate::words::{LinkId, Raw};

/// What becomes of a link over which somebody said hello.
enum Decision {
    /// Registered under that key.
    Register(ByteString),
    /// Not registered: the connection that we are making, or have made, to that host will serve.
    Duplicate,
    /// Not registered, and used for whatever comes over it.
    Stranger,
}

impl Mesh {
    /// Somebody says hello. `sure`: whoever else has its url is gone.
    pub(in crate::mesh) fn greeting(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        hello: Hello,
        sure: bool,
    ) {
        if let Some(text) = hello.mismatch(&self.network_id) {
            return self.refuse(link, id, &text);
        }
        if self.closing.is_some() {
            return self.refuse(link, id, "Host is closing");
        }
        if !self.meet(link, &hello) {
            return;
        }
        if let Some(origin) = self.network.relays.get(link).map(|r| r.host.clone())
            && self.network.hosts.get(link).and_then(|l| l.host.as_ref()) != Some(&origin)
        {
            return self.refuse(link, id, "Another host");
        }
        if !is_relayed(link) {
            self.out.push(Output::Greeted { link });
        }
        let stale = self.network.is_stale(link, hello.number, self.now);
        let connected = |host: &ByteString| self.network.hosts.route_to_host(host).is_some();
        let host = self.network.hosts.get(link).and_then(|l| l.host.as_ref());
        if stale && (is_relayed(link) || !host.is_some_and(connected)) {
            // It has given that link up before it said what has arrived meanwhile.
            return self.drop_link(link);
        }
        if !stale && !sure && self.puts_off(link, &id, &hello) {
            return;
        }
        match self.decide(link, hello.replace, stale) {
            Decision::Register(key) => self.let_in(link, id, key, &hello),
            Decision::Duplicate => self.answer_greeting(link, id, true, &hello),
            Decision::Stranger => self.answer_greeting(link, id, false, &hello),
        }
    }

    /// Notes what a stranger says of itself. False when that link is not there any more.
    fn meet(&mut self, link: LinkId, hello: &Hello) -> bool {
        let ours = self.features();
        let Some(l) = self.network.hosts.get_mut(link) else {
            return false;
        };
        if l.state == State::Stranger {
            l.met = true;
            l.url = hello.url.clone().filter(|_| !l.taken);
            l.host = hello.id.clone();
            l.limits = hello.limits;
            l.offer = hello.session.clone();
            l.lists(ours);
            l.listed_there(hello.features, hello.quiet);
        }
        true
    }

    /// Registers a host that has said hello, and answers it.
    fn let_in(&mut self, link: LinkId, id: Option<Raw>, key: ByteString, hello: &Hello) {
        let waiters = self.register(link, key);
        self.go_on(link);
        self.joined_with_members(waiters);
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        if l.host.is_some() {
            self.try_directly(link);
            return self.answer_greeting(link, id, false, hello);
        }
        // A 0.4.0 host leaves it to us that everybody meets it.
        let params = join_params(l.url.as_deref());
        let others = self.network.joined_links(Some(link));
        self.start_round(
            others,
            "join",
            Some(&params),
            RoundEnd::Greeted { link, id },
        );
    }

    /// Two hosts that join each other at the same moment must keep the same one of their two connections: the one that the
    /// host with the smaller id dialled. 0.4.0 hosts have no id; with them both connections stay, as they always did.
    fn decide(&mut self, link: LinkId, replace: bool, stale: bool) -> Decision {
        let Some(l) = self.network.hosts.get(link) else {
            return Decision::Stranger;
        };
        let (url, host) = (l.url.clone(), l.host.clone());
        if l.state != State::Stranger || host.as_ref() == Some(&self.id) {
            return Decision::Stranger;
        }
        let Some(key) = url.clone().or_else(|| host.clone()) else {
            return Decision::Stranger;
        };
        if !replace && self.keeps_unnamed(link) {
            // It did not know whom it dials. It dials again, and names the session that both have, or insists if it has none.
            return Decision::Duplicate;
        }
        let existing = host
            .as_ref()
            .and_then(|h| self.network.hosts.route_to_host(h))
            .or_else(|| self.network.namesake(&key, host.as_ref()));
        if let Some(existing) = existing {
            if let Some(decision) = self.decide_between(link, existing, &key, replace, stale) {
                return decision;
            }
            // It has lost the old connection, or was started anew: it would not dial otherwise.
            self.displace(existing, link);
        } else if self.network.is_crossed(link, &key) {
            if host.is_none() {
                return Decision::Stranger;
            }
            if !replace && host.is_some_and(|theirs| self.id < theirs) {
                return Decision::Duplicate;
            }
        }
        Decision::Register(key)
    }

    /// Somebody says hello under a name under which a link is registered already. `None`: the new one takes its place.
    fn decide_between(
        &self,
        link: LinkId,
        existing: LinkId,
        key: &ByteString,
        replace: bool,
        stale: bool,
    ) -> Option<Decision> {
        let l = self.network.hosts.get(link)?;
        let Some(e) = self.network.hosts.get(existing) else {
            return Some(Decision::Register(key.clone()));
        };
        let host = l.host.as_ref();
        let begins = l.offer.as_ref().is_some_and(|offer| offer.new);
        let ours_wins = !replace && host.is_some_and(|theirs| self.id < *theirs);
        let dialled = e.dialled.is_some();
        let same_host = e.host == l.host;
        let better = self.is_better(link, existing);
        if same_host && !replace && self.is_better(existing, link) {
            return Some(Decision::Duplicate);
        }
        if same_host && stale && !better {
            // It was said before the other side knew of the existing connection, and was longer on its way: also if it was to take
            // the place of one before that.
            return Some(Decision::Duplicate);
        }
        if same_host && !replace && begins && !better && self.session_of(existing).is_some() {
            // It did not know whom it dials, and has perhaps the existing connection as well. If not, it insists.
            return Some(Decision::Duplicate);
        }
        let dialling = || {
            let direct = self.network.hosts.connecting(key, host.map(|h| h as &str));
            direct.is_some_and(|other| !is_relayed(other))
        };
        if same_host && ours_wins && better && dialling() {
            // Both try to do without the relay at the same moment.
            return Some(Decision::Duplicate);
        }
        if dialled && same_host && ours_wins && !better {
            return Some(Decision::Duplicate);
        }
        (dialled && host.is_none()).then_some(Decision::Stranger)
    }

    pub(super) fn answer_greeting(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        duplicate: bool,
        hello: &Hello,
    ) {
        let mut welcome = Welcome {
            network: self.network_id.clone(),
            ..Welcome::default()
        };
        let l = self.network.hosts.get(link).filter(|l| l.host.is_some());
        if let Some(taken) = l.map(|l| l.taken) {
            welcome.id = Some(self.id.clone());
            welcome.url = self.url.clone();
            welcome.number = Some(self.network.hosts.number());
            welcome.taken = taken;
            welcome.duplicate = duplicate;
            welcome.again = duplicate && self.keeps_unnamed(link);
            welcome.members = self.members_for(link, hello);
            self.note_newcomer(link, hello.asks);
            welcome.session = self.standing(link);
            if welcome.session.is_some() {
                (welcome.features, welcome.quiet) = self.list_features(link);
                welcome.limits = self.limits();
            }
        }
        self.owe(link, id, Due::Greeting(welcome.written()));
    }

    /// Others who join through another host at the same moment are to hear of whom we have given our list.
    fn note_newcomer(&mut self, link: LinkId, asks: bool) {
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        if let (true, Some(url), Some(host)) = (asks, &l.url, &l.host)
            && *host != self.id
        {
            let (url, host) = (url.clone(), Some(host.clone()));
            self.network
                .gossip
                .add(self.now, Member { url, host }, true);
        }
    }
}

impl Network {
    /// Whether we are just connecting to the host that says hello on that link, in the same manner. A relayed link leads to one
    /// host alone, whoever else has its url.
    fn is_crossed(&self, link: LinkId, key: &ByteString) -> bool {
        let relayed = is_relayed(link);
        let host = self.hosts.get(link).and_then(|l| l.host.as_ref());
        let there = |l: &Link<Waiter>| {
            (!relayed && l.dialled.as_ref() == Some(key))
                || (host.is_some() && l.hint.as_ref() == host)
        };
        let mut links = self.hosts.loose();
        links.any(|(id, l)| l.is_connecting() && is_relayed(id) == relayed && there(l))
    }
}
