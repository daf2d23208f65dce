//! How links end, whoever ends them.

use crate::error::CallError;
use crate::event::{Event, Output};
use crate::mesh::Mesh;
use crate::mesh::pending::Silence;
use crate::parts::hosts::State;
use crate::parts::relays::is_relayed;
use crate::words::{CloseReason, LinkId};

impl Mesh {
    /// Ends a link at once, as if it had been lost.
    pub(in crate::mesh) fn drop_link(&mut self, link: LinkId) {
        self.close_link(link);
        self.closed(link);
    }

    /// The other side does not keep to the protocol, and would not over another link: ends the link for that reason, and the session.
    /// What was in flight is not resent.
    pub(in crate::mesh) fn break_off(&mut self, link: LinkId, reason: CloseReason) {
        self.close_frame(link);
        self.out.push(Output::Close { link, reason });
        self.broken(link);
    }

    /// The protocol was broken over that link. Without its session nothing that was said over it is resent, and broken again.
    pub(in crate::mesh) fn broken(&mut self, link: LinkId) {
        let host = self.session_of(link);
        if let Some(host) = &host {
            self.forget_arrivals(host);
        }
        self.closed(link);
        if let Some(host) = host {
            self.break_session(&host);
        }
    }

    /// Has the link closed after what was said over it.
    pub(in crate::mesh) fn close_link(&mut self, link: LinkId) {
        self.close_frame(link);
        let reason = CloseReason::Done;
        self.out.push(Output::Close { link, reason });
    }

    /// The link is gone, without a goodbye unless it was leaving.
    pub(in crate::mesh) fn closed(&mut self, link: LinkId) {
        self.network.hearsay.end(link, false);
        let Some(l) = self.network.hosts.get(link) else {
            return;
        };
        let (dialled, host, state) = (l.dialled.clone(), l.host.clone(), l.state);
        let reach = l.reach();
        let has_left = l.left.is_some() && l.left == l.host;
        self.tell_what_came(link);
        if has_left && let Some(key) = self.network.hosts.unregister(link, State::Leaving) {
            self.has_left(link, &key);
        }
        self.traffic.forget_link(link);
        self.network.liveness.forget(link);
        self.release(link);
        let session = self.session_of(link);
        if let Some(key) = self.network.hosts.unregister(link, State::Leaving) {
            self.event(Event::Disconnected { key: key.clone() });
            self.network.gossip.change(self.now);
            if let Some(host) = &session {
                self.traffic.sessions.detach(host, link);
                self.return_notes(host);
                self.synced_all(host);
                self.place_leaves(host);
            }
            if self.closing.is_none() {
                if is_relayed(link) {
                    self.lose_relayed(link, key.clone(), host.clone());
                } else {
                    let itself = self.network.teller(link);
                    let by = Some(itself).filter(|_| dialled.is_none());
                    self.lose(key.clone(), dialled, host.clone(), by, reach);
                }
                self.member_is_lost(host.as_ref(), &key);
            } else {
                self.member_is_gone(link, &key);
            }
        } else if let Some(host) = session {
            self.end_session(&host);
            self.network.forget_number(&host);
        }
        for asked in self.questions.take_all(link) {
            self.unanswered(link, asked, Silence::LinkLost);
        }
        if state == State::Dialling {
            self.not_joined(link, CallError::Closed);
        }
        self.network.hosts.remove(link);
        self.traffic.forget_v1_host(link);
        self.carrier_lost(link, host, state);
        self.forget_doubts(link);
    }
}
