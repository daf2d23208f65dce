//! Peers of hosts without a url, for 0.4.0 hosts. These know peers by the urls of their hosts alone, and can dial no host that has none.
//! So a host that is connected with such hosts says that their peers are at its own url, and passes on what is sent to them.

use crate::error::{CallError, SendError};
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::traffic::proxied::Asker;
use crate::parts::peers::Parcel;
use crate::wire::v1;
use crate::words::{Answer, Call, LinkId, Raw};

/// While so many peers are looked for, no other one is for 0.4.0 hosts: one small question may make this host ask many others.
const MOST_SOUGHT: usize = 1024;

/// So many answers may wait for searches.
const MOST_WAITING: usize = 16384;

impl Mesh {
    /// Whether the host behind that link is one of 0.4.0 to which peers of others may be shown as ours.
    pub(in crate::mesh) fn proxies_for(&self, link: LinkId) -> bool {
        let l = self.network.link(link);
        let asks = l.is_some_and(|l| l.met && l.host.is_none());
        let open = self.closing.is_none() && !self.retiring && self.url.is_some();
        asks && open && self.network.any_unlisted()
    }

    /// The same, if that peer is known, or there is room to look for it.
    pub(in crate::mesh) fn proxies_now(&self, link: LinkId, peer: &Option<Raw>) -> bool {
        let (key, peers) = (json::id_key(peer), &self.traffic.peers);
        let (sought, searches) = peers.sought_now(&key);
        let room = self.traffic.proxied.len() < MOST_WAITING && (sought || searches < MOST_SOUGHT);
        self.proxies_for(link) && (room || peers.address(&key).is_some())
    }

    /// Looks for a peer for such a host.
    pub(in crate::mesh) fn find_for(&mut self, link: LinkId, id: Raw, peer: Option<Raw>) {
        let call: Call = self.traffic.proxied.begin(link, id, None);
        self.find(call, peer);
    }

    /// The search is over. Who has a url is asked by that host itself.
    pub(in crate::mesh) fn found_for(&mut self, call: Call, found: Result<Answer, CallError>) {
        let Some(Asker { link, id, .. }) = self.traffic.proxied.end(call) else {
            return;
        };
        let url = match found {
            Ok(Answer::Url(None)) => self.url.as_deref().map(json::quote),
            _ => None,
        };
        let text = v1::answer(&id, Some(url.as_deref().unwrap_or("null")), None);
        self.answer(link, text);
    }

    /// Passes on a message of such a host.
    pub(in crate::mesh) fn send_for(&mut self, link: LinkId, id: Raw, mut parcel: Parcel) {
        parcel.seq = self.traffic.proxied.begin(link, id, Some(&parcel.key));
        self.send(parcel);
    }

    /// A peer lives here and has got a message of a 0.4.0 host. What came before it, when the peer was not here, and still waits for the
    /// search for it, comes too late: that is said before the message is answered.
    pub(in crate::mesh) fn delivered_here(&mut self, to: &Option<Raw>) {
        if self.traffic.proxied.is_empty() {
            return;
        }
        let key = json::id_key(to);
        if self.traffic.proxied.is_sending_to(&key) {
            let numbers = self.traffic.proxied.numbers();
            for parcel in self.traffic.peers.overtaken(&key, &numbers) {
                self.not_found(&parcel);
            }
            self.traffic.proxied.overtake(&key);
        }
    }

    /// What was passed on has arrived, or not.
    pub(in crate::mesh) fn sent_for(&mut self, number: u64, error: Option<&SendError>) {
        let Some(asker) = self.traffic.proxied.end(number) else {
            return;
        };
        let Asker {
            link,
            id,
            overtaken,
        } = asker;
        let Some(error) = error else {
            return self.answer(link, v1::answer(&id, Some("null"), None));
        };
        let arrived = matches!(error, SendError::Threw | SendError::ThrewNotFound { .. });
        match in_v1(error) {
            // Who hears that the peer is not there may send it once more: after what has overtaken it.
            Some(_) if overtaken && !arrived => {}
            Some(text) => self.answer(link, v1::failure(&id, &json::quote(&text))),
            None => {}
        }
    }
}

/// What a 0.4.0 host would say: whatever it says but that the peer was not found, it says of a message that has arrived. So nothing is
/// said where that is not known: who has sent it waits in vain, as for a host that has gone.
fn in_v1(error: &SendError) -> Option<String> {
    match error {
        SendError::Unknown { .. } | SendError::Timeout { .. } => None,
        SendError::Threw => Some(format!("Error: {error}")),
        SendError::ThrewNotFound { id } => Some(v1::peer_not_found(id).split_off("Error: ".len())),
        SendError::NotFound { id }
        | SendError::Unreachable { id, .. }
        | SendError::NotSupported { id }
        | SendError::Overloaded { id }
        | SendError::TooLarge { id } => Some(v1::peer_not_found(id)),
        SendError::Closed => Some(v1::peer_not_found(&None)),
    }
}
