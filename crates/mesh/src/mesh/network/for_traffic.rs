//! All that traffic may ask of network. It reaches no further up, and a test counts these calls.
//!
//! Beside them stands `Mesh::break_off`, for hosts that do not keep to the protocol.

use bytestring::ByteString;

use crate::mesh::network::Network;
use crate::mesh::network::waiters::Waiter;
use crate::mesh::traffic::Whereabouts;
use crate::parts::hosts::Link;
use crate::parts::peers::Home;
use crate::words::LinkId;

impl Network {
    /// What is known about a link and the host behind it.
    pub(in crate::mesh) fn link(&self, link: LinkId) -> Option<&Link<Waiter>> {
        self.hosts.get(link)
    }

    /// The registered link with that host.
    pub(in crate::mesh) fn route_to_host(&self, host: &str) -> Option<LinkId> {
        self.hosts.route_to_host(host)
    }

    /// Whether the host is connected at which peers are known to live, or is looked for. It has that url, if it has no id.
    pub(in crate::mesh) fn whereabouts(
        &self,
        home: &Home,
        url: Option<&ByteString>,
    ) -> Whereabouts {
        let (link, lost) = match home {
            Home::Host(host) => {
                let link = self.hosts.route_to_host(host);
                let lost = || {
                    !self.hosts.lost_host(host).is_empty()
                        || self.hosts.connecting("", Some(&**host)).is_some()
                        || self.hearsay.names(host)
                };
                (link, link.is_none() && lost())
            }
            Home::Key(key) => {
                let mut names = [Some(key), url].into_iter().flatten();
                let link = names.clone().find_map(|name| self.hosts.route(name));
                let lost = |name: &ByteString| {
                    self.hosts.lost(name).is_some()
                        || self.hosts.dialling(name).is_some()
                        || self.hearsay.contains(name)
                };
                (link, link.is_none() && names.any(lost))
            }
        };
        match link {
            Some(link) => Whereabouts::There(link),
            None if lost => Whereabouts::Lost,
            None => Whereabouts::Gone,
        }
    }

    /// The registered hosts, by their keys.
    pub(in crate::mesh) fn joined(&self) -> impl Iterator<Item = (&ByteString, LinkId)> {
        self.hosts.joined()
    }

    /// Whether hosts are connected that have no url.
    pub(in crate::mesh) fn any_unlisted(&self) -> bool {
        self.hosts.unlisted().next().is_some()
    }

    /// The registered links with 0.4.0 hosts.
    pub(in crate::mesh) fn v1_links(&self) -> impl Iterator<Item = LinkId> {
        self.hosts.v1()
    }

    /// The host with that key is known by that url as well.
    pub(in crate::mesh) fn alias(&mut self, url: ByteString, key: ByteString) {
        self.hosts.alias(url, key);
    }
}
