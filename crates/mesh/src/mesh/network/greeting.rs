//! Being joined: somebody says hello.

use bytestring::ByteString;

use super::handshake::{read_offer, speaks};
use super::joining::join_params;
use crate::json;
use crate::limits::Limits;
use crate::mesh::traffic::interest::read_features;
use crate::mesh::{Due, Mesh, RoundEnd};
use crate::parts::gossip::Member;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::wire::v1::{self, Body};
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
    /// `sure`: whoever else has its url is gone.
    pub(in crate::mesh) fn greeting(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        body: &Body,
        sure: bool,
    ) {
        let [url, network, host] = body.params(["url", "networkId", "host"]);
        if let Some(theirs) = network.filter(json::truthy)
            && !same(&theirs, self.network.as_ref())
        {
            let text = format!(
                "Network id mismatch ({} !== {})",
                json::display(&Some(theirs)),
                json::display(&self.network)
            );
            return self.refuse(link, id, &text);
        }
        if self.closing.is_some() {
            return self.refuse(link, id, "Host is closing");
        }
        let limits = Limits::read(host.as_ref());
        let names = [
            "id", "replace", "versions", "session", "members", "features", "quiet", "relayed",
            "number",
        ];
        let [
            host,
            replace,
            versions,
            session,
            asks,
            features,
            quiet,
            relayed,
            number,
        ] = host
            .as_ref()
            .and_then(|h| json::members(h, names))
            .unwrap_or_default();
        let replace = replace.as_ref().is_some_and(json::truthy);
        let asks = asks.as_ref().is_some_and(json::truthy);
        let Some(l) = self.hosts.get_mut(link) else {
            return;
        };
        if l.state == State::Stranger {
            l.url = url
                .as_ref()
                .and_then(json::string)
                .filter(|url| !url.is_empty() && !l.taken);
            l.host = host
                .as_ref()
                .and_then(json::string)
                .filter(|id| !id.is_empty());
            l.limits = limits;
            l.interest.lists = self.config.interests;
            l.directory.ours = self.config.directory;
            l.relay.ours = true;
            (l.interest.theirs, l.directory.theirs, l.relay.theirs) =
                read_features(features.as_ref());
            l.interest.quiet = quiet.as_ref().is_some_and(json::truthy);
            l.offer = session
                .filter(|_| versions.is_some_and(|v| speaks(&v)))
                .as_ref()
                .and_then(read_offer);
        }
        if let Some(origin) = self.relays.get(link).map(|r| r.host.clone())
            && self.hosts.get(link).and_then(|l| l.host.as_ref()) != Some(&origin)
        {
            return self.refuse(link, id, "Another host");
        }
        let stale = self.is_stale(link, number.as_ref());
        let connected = |host: &ByteString| self.hosts.route_to_host(host).is_some();
        let host = self.hosts.get(link).and_then(|l| l.host.as_ref());
        if stale && (is_relayed(link) || !host.is_some_and(connected)) {
            // It has given that link up before it said what has arrived meanwhile.
            return self.drop_link(link);
        }
        if !stale && !sure && self.puts_off(link, &id, body) {
            return;
        }
        let relayed = relayed.as_ref().and_then(json::string);
        let decision = self.decide(link, replace, stale);
        match decision {
            Decision::Register(key) => {
                let waiters = self.register(link, key);
                self.go_on(link);
                self.joined_with_members(waiters);
                let Some(l) = self.hosts.get(link) else {
                    return;
                };
                if l.host.is_some() {
                    self.try_directly(link);
                    return self.answer_greeting(link, id, false, asks, relayed.as_deref());
                }
                // An original leaves it to us that everybody meets it.
                let params = join_params(l.url.as_deref());
                let others = self.joined_links(Some(link));
                self.start_round(
                    others,
                    "join",
                    Some(&params),
                    RoundEnd::Greeted { link, id },
                );
            }
            Decision::Duplicate => {
                self.answer_greeting(link, id, true, asks, relayed.as_deref());
            }
            Decision::Stranger => {
                self.answer_greeting(link, id, false, asks, relayed.as_deref());
            }
        }
    }

    pub(in crate::mesh) fn refuse(&mut self, link: LinkId, id: Option<Raw>, text: &str) {
        if let Some(id) = id {
            self.transmit(link, v1::failure(&id, &json::quote(text)));
        }
    }

    /// Two hosts that join each other at the same moment must keep the same one of their two connections: the one that the
    /// host with the smaller id dialled. Originals have no id; with them both connections stay, as they always did.
    fn decide(&mut self, link: LinkId, replace: bool, stale: bool) -> Decision {
        let Some(l) = self.hosts.get(link) else {
            return Decision::Stranger;
        };
        let (url, host) = (l.url.clone(), l.host.clone());
        let begins = l.offer.as_ref().is_some_and(|offer| offer.new);
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
        let ours_wins = host
            .as_ref()
            .is_some_and(|theirs| !replace && self.id < *theirs);
        let existing = host
            .as_ref()
            .and_then(|h| self.hosts.route_to_host(h))
            .or_else(|| self.hosts.route(&key));
        if let Some(existing) = existing {
            let Some(e) = self.hosts.get(existing) else {
                return Decision::Register(key);
            };
            let dialled = e.dialled.is_some();
            let same_host = e.host == host;
            let better = self.is_better(link, existing);
            if same_host && !replace && self.is_better(existing, link) {
                return Decision::Duplicate;
            }
            if same_host && stale && !better {
                // It was said before the other side knew of the existing connection, and was longer on its way: also if it was to take
                // the place of one before that.
                return Decision::Duplicate;
            }
            if same_host && !replace && begins && !better && self.session_of(existing).is_some() {
                // It did not know whom it dials, and has perhaps the existing connection as well. If not, it insists.
                return Decision::Duplicate;
            }
            let dialling = || {
                let direct = self.hosts.connecting(&key, host.as_deref());
                direct.is_some_and(|other| !is_relayed(other))
            };
            if same_host && ours_wins && better && dialling() {
                // Both try to do without the relay at the same moment.
                return Decision::Duplicate;
            }
            if dialled && same_host && ours_wins && !better {
                return Decision::Duplicate;
            }
            if dialled && host.is_none() {
                return Decision::Stranger;
            }
            // It has lost the old connection, or was started anew: it would not dial otherwise.
            self.displace(existing, link);
        } else if let Some(other) = self.hosts.connecting(&key, host.as_deref())
            && is_relayed(other) == is_relayed(link)
        {
            if host.is_none() {
                return Decision::Stranger;
            }
            if ours_wins {
                return Decision::Duplicate;
            }
        }
        Decision::Register(key)
    }

    pub(in crate::mesh) fn answer_greeting(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        duplicate: bool,
        asks: bool,
        relayed: Option<&str>,
    ) {
        let (ours, taken) = match self.hosts.get(link) {
            Some(l) => (l.host.is_some(), l.taken),
            None => (false, false),
        };
        let mut message = String::from("{");
        json::push_member(&mut message, "networkId", self.network.as_deref());
        if ours {
            let mut host = String::from("{");
            json::push_member(&mut host, "id", Some(&json::quote(&self.id)));
            json::push_member(
                &mut host,
                "url",
                self.url.as_deref().map(json::quote).as_deref(),
            );
            let number = self.hosts.number().to_string();
            json::push_member(&mut host, "number", Some(&number));
            json::push_member(&mut host, "taken", taken.then_some("true"));
            json::push_member(&mut host, "duplicate", duplicate.then_some("true"));
            let again = duplicate && self.keeps_unnamed(link);
            json::push_member(&mut host, "again", again.then_some("true"));
            let members = self.members_for(link, asks, relayed);
            json::push_member(&mut host, "members", (members != "[]").then_some(&members));
            self.note_newcomer(link, asks);
            if let Some(session) = self.standing(link) {
                json::push_member(&mut host, "version", Some("2"));
                self.push_features(link, &mut host);
                json::push_member(&mut host, "session", Some(&session));
            }
            host.push('}');
            json::push_member(&mut message, "host", Some(&host));
        }
        message.push('}');
        self.owe(link, id, Due::Greeting(message));
    }
}

impl Mesh {
    /// Others who join through another host at the same moment are to hear of whom we have given our list.
    fn note_newcomer(&mut self, link: LinkId, asks: bool) {
        let Some(l) = self.hosts.get(link) else {
            return;
        };
        if let (true, Some(url), Some(host)) = (asks, &l.url, &l.host)
            && *host != self.id
        {
            let (url, host) = (url.clone(), Some(host.clone()));
            self.gossip.add(self.now, Member { url, host }, true);
        }
    }
}

/// Whether two network ids are the same value, however they are written.
fn same(theirs: &Raw, ours: Option<&Raw>) -> bool {
    ours.is_some_and(|ours| {
        theirs == ours
            || matches!((json::string(theirs), json::string(ours)), (Some(a), Some(b)) if a == b)
    })
}
