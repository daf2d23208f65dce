//! How near a dial may lead. A url that others tell of may mean another machine, or this one: whoever is elsewhere must not make this host
//! connect to its own loopback addresses. Unless the program decides, the body judges the address to which the url leads, by who has told
//! of the url.

use bytestring::ByteString;

use crate::error::DialError;
use crate::event::{Event, Output};
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::network::waiters;
use crate::mesh::pending::Due;
use crate::parts::answers::Held;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::urls;
use crate::wire::v1;
use crate::words::{LinkId, Nearness, Raw, Reach};

impl Mesh {
    /// Has a link dialled; or asks the program first, if it wants to be asked and has not named the url itself.
    pub(super) fn begin_dial(&mut self, link: LinkId, url: ByteString, told: Nearness) {
        if self.config.asks_to_dial && told < Nearness::Program {
            self.event(Event::MayDial { url });
            let (id, answer) = (Raw::new(), Due::Dial);
            self.answers.hold(Held { link, id, answer });
            return;
        }
        let own = self.url.as_ref();
        let namesake = own.is_some_and(|own| urls::are_namesakes(own, &url));
        let reach = Reach { told, namesake };
        self.out.push(Output::Dial { link, url, reach });
    }

    /// The program has answered whether that link may be dialled.
    pub(in crate::mesh) fn may_dial(&mut self, link: LinkId, yes: bool) {
        let l = self.network.hosts.get(link);
        let dialling = l.filter(|l| l.state == State::Dialling);
        let Some(url) = dialling.and_then(|l| l.dialled.clone()) else {
            return; // Nobody wants it any more.
        };
        if yes {
            let (told, namesake) = (Nearness::Program, false);
            let reach = Reach { told, namesake };
            return self.out.push(Output::Dial { link, url, reach });
        }
        let message = format!("Not dialled: the option \"dial\" of this host does not allow {url}");
        self.not_reached(link, DialError::not_allowed(message));
    }

    /// A dial has succeeded, and has led so near.
    pub(in crate::mesh) fn opened(&mut self, link: LinkId, near: Nearness) {
        if let Some(l) = self.network.hosts.get_mut(link) {
            l.near = near;
        }
        self.greet(link);
    }

    /// A relayed link begins between these two. If both are on this machine, each is told so of the other: no relayed frame says where it
    /// comes from.
    pub(super) fn vouch(&mut self, one: &ByteString, other: &ByteString) {
        let ends = [one, other].map(|host| self.network.hosts.route_to_host(host));
        let near = |link: LinkId| {
            let l = self.network.hosts.get(link);
            l.is_some_and(|l| l.near == Nearness::Machine)
        };
        if let [Some(first), Some(second)] = ends
            && near(first)
            && near(second)
        {
            for (link, host) in [(first, other), (second, one)] {
                let params = format!("{{\"id\":{}}}", json::quote(host));
                self.answer(link, v1::notification("near", &params));
            }
        }
    }

    /// The host behind that link relays to that one, and says that it is on its own machine. Only on this machine it can know.
    pub(in crate::mesh) fn vouched_for(&mut self, carrier: LinkId, host: Option<ByteString>) {
        let l = self.network.hosts.get(carrier);
        let is_near = l.is_some_and(|l| l.near == Nearness::Machine);
        if host.is_none() || !is_near || is_relayed(carrier) {
            return;
        }
        for link in self.network.relays.over(carrier, host.as_ref()) {
            if let Some(l) = self.network.hosts.get_mut(link) {
                l.near = Nearness::Machine;
            }
        }
    }

    /// A dial has failed. Dials again if somebody has come to wait for it in whose name it may lead nearer: it is not to be held up by
    /// what others tell. Gives whether it does.
    pub(super) fn dial_nearer(&mut self, link: LinkId) -> bool {
        let Some(l) = self.network.hosts.get(link) else {
            return false;
        };
        let reach = waiters::reach(&l.waiters);
        if l.state != State::Dialling
            || is_relayed(link)
            || reach <= l.told_from
            || self.closing.is_some()
        {
            return false;
        }
        let Some(l) = self.network.hosts.remove(link) else {
            return false;
        };
        let Some(url) = l.dialled else {
            return false;
        };
        let next = self.dial_within(reach, url, l.hint, l.waiters);
        self.network.hearsay.go_on(link, next);
        if let Some(n) = self.network.hosts.get_mut(next) {
            (n.replace, n.mark, n.told) = (l.replace, l.mark, l.told);
        }
        true
    }
}
