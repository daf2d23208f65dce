//! Shaking hands about a session: part of the greeting and of its answer.

use bytestring::ByteString;

use crate::json;
use crate::limits::Limits;
use crate::mesh::Mesh;
use crate::parts::hosts::Offer;
use crate::parts::sessions::Standing;
use crate::words::{LinkId, Raw};

/// The versions beyond the original's that are spoken here, as a greeting lists them.
pub(in crate::mesh) const VERSIONS: &str = "[2]";

/// Whether version 2 is among those.
pub(in crate::mesh) fn speaks(versions: &Raw) -> bool {
    serde_json::from_str::<Vec<serde_json::Value>>(versions)
        .is_ok_and(|versions| versions.iter().any(|v| v.as_u64() == Some(2)))
}

pub(in crate::mesh) fn read_offer(session: &Raw) -> Option<Offer> {
    let [id, new, received, seen, window] =
        json::members(session, ["id", "new", "received", "seen", "window"])?;
    let number = |n: Option<Raw>| n.map_or(Some(0), |n| n.parse().ok());
    Some(Offer {
        id: id
            .as_ref()
            .and_then(json::string)
            .filter(|id| !id.is_empty() && id.len() <= 64)?,
        new: new.as_ref().is_some_and(json::truthy),
        received: number(received)?,
        seen: number(seen)?,
        window: number(window)?,
    })
}

fn written(id: &str, new: bool, standing: &Standing) -> String {
    let mut out = String::from("{");
    json::push_member(&mut out, "id", Some(&json::quote(id)));
    json::push_member(&mut out, "new", new.then_some("true"));
    json::push_member(&mut out, "received", Some(&standing.received.to_string()));
    json::push_member(&mut out, "seen", Some(&standing.seen.to_string()));
    json::push_member(&mut out, "window", Some(&standing.window.to_string()));
    out.push('}');
    out
}

impl Mesh {
    /// What our greeting says: the session with the host that we expect, or a new one.
    pub(in crate::mesh) fn offer(&mut self, link: LinkId, expected: Option<&ByteString>) -> String {
        match expected.and_then(|host| self.sessions.get(host)) {
            Some(session) => {
                if let Some(l) = self.hosts.get_mut(link) {
                    l.named = Some(session.id.clone());
                }
                written(&session.id, false, &session.standing())
            }
            None => {
                let id = self.session_id();
                if let Some(l) = self.hosts.get_mut(link) {
                    l.proposed = Some(id.clone());
                }
                written(&id, true, &Standing::new_session())
            }
        }
    }

    fn session_id(&mut self) -> ByteString {
        format!("{:016x}", self.random.u64(..)).into()
    }

    /// Whether the host that says hello on that link would begin a session, and one with it is kept here, over no link or over a worse
    /// one: it has come by a url by which it does not know us, or has given us up.
    pub(in crate::mesh) fn keeps_unnamed(&self, link: LinkId) -> bool {
        let Some(l) = self.hosts.get(link) else {
            return false;
        };
        let session = l.host.as_ref().and_then(|host| self.sessions.get(host));
        let worse = |other| other != link && self.is_better(link, other);
        let kept = session.is_some_and(|s| s.link().is_none_or(worse));
        kept && l.offer.as_ref().is_some_and(|offer| offer.new)
    }

    /// Goes on with the session that the other host named on that link, or begins it. Gives the host, if it has sessions.
    pub(in crate::mesh) fn go_on(&mut self, link: LinkId) -> Option<ByteString> {
        let l = self.hosts.get(link)?;
        let (host, offer, dialled) = (l.host.clone()?, l.offer.clone()?, l.dialled.is_some());
        let key = l.key.clone().unwrap_or_else(|| host.clone());
        let named = l.named.as_ref() == Some(&offer.id);
        if named && self.sessions.get(&host).is_none_or(|s| s.id != offer.id) {
            // They go on with a session of which we have told them how far it was, and which has ended here meanwhile.
            self.drop_link(link);
            return None;
        }
        let limits = self.limits_over(link);
        let there = Standing {
            received: offer.received,
            seen: offer.seen,
            window: usize::try_from(offer.window).unwrap_or(usize::MAX),
        };
        if let Some(session) = self.sessions.get(&host) {
            let same = session.id == offer.id;
            // What was taken in for a way that takes more cannot be said on this one.
            let smaller = limits.payload < session.limits.payload;
            let fits = !smaller || session.unacknowledged().all(|cargo| cargo.fits(&limits));
            let unused = session.is_unused();
            if same && fits && self.sessions.attach(&host, link, &there).is_some() {
                return self.begin_on(link, host, limits, key);
            }
            if !same && fits && unused {
                // Most likely its link was lost before the other side knew of it. What waits in it waits for that host, under whatever
                // name; what waited over there may be lost.
                if let Some(session) = self.sessions.get_mut(&host)
                    && (offer.new || dialled)
                {
                    session.id = offer.id;
                }
                let fresh = Standing {
                    window: there.window,
                    ..Standing::new_session()
                };
                self.sessions.attach(&host, link, &fresh)?;
                self.perhaps_missing(key.clone());
                return self.begin_on(link, host, limits, key);
            }
            self.break_session(&host);
            if same && dialled {
                // They go on with what we cannot go on with: only a new handshake can make a new session.
                self.drop_link(link);
                return None;
            }
        }
        let fresh = Standing {
            window: there.window,
            ..Standing::new_session()
        };
        // They may have begun what we have proposed over another link, where their answer is still on its way.
        let nothing_said = offer.received == 0 && offer.seen == 0;
        let begun = nothing_said && self.hosts.has_proposed(&offer.id);
        // Whoever dialled proposes a new session; a session that one side has forgotten cannot go on under its name.
        let id = if offer.new || dialled || begun {
            offer.id
        } else {
            self.session_id()
        };
        self.sessions.begin(host.clone(), id);
        self.sessions.attach(&host, link, &fresh)?;
        self.begin_on(link, host, limits, key)
    }

    /// The session with that host uses that link now.
    fn begin_on(
        &mut self,
        link: LinkId,
        host: ByteString,
        limits: Limits,
        key: ByteString,
    ) -> Option<ByteString> {
        if let Some(session) = self.sessions.get_mut(&host) {
            (session.limits, session.key) = (limits, key);
        }
        self.open_channels(link, &host);
        Some(host)
    }

    /// What our answer to the greeting on that link says about its session.
    pub(in crate::mesh) fn standing(&self, link: LinkId) -> Option<String> {
        let session = self.sessions.get(&self.session_of(link)?)?;
        Some(written(&session.id, false, &session.standing()))
    }
}
