//! Shaking hands about a session: part of the greeting and of its answer.

use bytestring::ByteString;

use crate::limits::Limits;
use crate::mesh::Mesh;
use crate::parts::sessions::Standing;
use crate::wire::greeting::Features;
use crate::wire::greeting::Offer;
use crate::words::LinkId;

fn named(id: ByteString, new: bool, standing: &Standing) -> Offer {
    Offer {
        id,
        new,
        received: standing.received,
        seen: standing.seen,
        window: standing.window as u64,
    }
}

impl Mesh {
    /// What this host lists in greetings and answers.
    pub(super) fn features(&self) -> Features {
        Features {
            interest: self.config.interests,
            directory: self.config.directory,
            relay: true,
        }
    }

    /// What we list on that link, and whether nothing is listened to here: the other side is told now.
    pub(super) fn list_features(&mut self, link: LinkId) -> (Features, bool) {
        let quiet = self.traffic.is_quiet();
        let Some(l) = self.network.hosts.get_mut(link) else {
            return (Features::default(), false);
        };
        l.interest.said_quiet = l.interest.lists && quiet;
        (l.listed_here(), l.interest.said_quiet)
    }

    /// What our greeting says: the session with the host that we expect, or a new one.
    pub(super) fn offer(&mut self, link: LinkId, expected: Option<&ByteString>) -> Offer {
        match expected.and_then(|host| self.traffic.sessions.get(host)) {
            Some(session) => {
                if let Some(l) = self.network.hosts.get_mut(link) {
                    l.named = Some(session.id.clone());
                }
                named(session.id.clone(), false, &session.standing())
            }
            None => {
                let id = self.session_id();
                if let Some(l) = self.network.hosts.get_mut(link) {
                    l.proposed = Some(id.clone());
                }
                named(id, true, &Standing::new_session())
            }
        }
    }

    fn session_id(&mut self) -> ByteString {
        format!("{:016x}", self.random.u64(..)).into()
    }

    /// Whether the host that says hello on that link would begin a session, and one with it is kept here, over no link or over a worse
    /// one: it has come by a url by which it does not know us, or has given us up.
    pub(super) fn keeps_unnamed(&self, link: LinkId) -> bool {
        let Some(l) = self.network.hosts.get(link) else {
            return false;
        };
        let session = l
            .host
            .as_ref()
            .and_then(|host| self.traffic.sessions.get(host));
        let worse = |other| other != link && self.is_better(link, other);
        let kept = session.is_some_and(|s| s.link().is_none_or(worse));
        kept && l.offer.as_ref().is_some_and(|offer| offer.new)
    }

    /// Goes on with the session that the other host named on that link, or begins it. Gives the host, if it has sessions.
    pub(super) fn go_on(&mut self, link: LinkId) -> Option<ByteString> {
        let l = self.network.hosts.get(link)?;
        let (host, offer, dialled) = (l.host.clone()?, l.offer.clone()?, l.dialled.is_some());
        let key = l.key.clone().unwrap_or_else(|| host.clone());
        let named = l.named.as_ref() == Some(&offer.id);
        if named
            && self
                .traffic
                .sessions
                .get(&host)
                .is_none_or(|s| s.id != offer.id)
        {
            // They go on with a session of which we have told them how far it was, and which has ended here meanwhile.
            self.drop_link(link);
            return None;
        }
        let limits = self.network.limits_over(link);
        let there = Standing {
            received: offer.received,
            seen: offer.seen,
            window: usize::try_from(offer.window).unwrap_or(usize::MAX),
        };
        if let Some(session) = self.traffic.sessions.get(&host) {
            let same = session.id == offer.id;
            // What was taken in for a way that takes more cannot be said on this one.
            let smaller = limits.payload < session.limits.payload;
            let fits = !smaller || session.unacknowledged().all(|cargo| cargo.fits(&limits));
            let unused = session.is_unused();
            if same && fits && self.traffic.sessions.attach(&host, link, &there).is_some() {
                return self.begin_on(link, host, limits, key);
            }
            if !same && fits && unused {
                // Most likely its link was lost before the other side knew of it. What waits in it waits for that host, under whatever
                // name; what waited over there may be lost.
                if let Some(session) = self.traffic.sessions.get_mut(&host)
                    && (offer.new || dialled)
                {
                    session.id = offer.id;
                }
                let fresh = Standing {
                    window: there.window,
                    ..Standing::new_session()
                };
                self.traffic.sessions.attach(&host, link, &fresh)?;
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
        let begun = nothing_said && self.network.hosts.has_proposed(&offer.id);
        // Whoever dialled proposes a new session; a session that one side has forgotten cannot go on under its name.
        let id = if offer.new || dialled || begun {
            offer.id
        } else {
            self.session_id()
        };
        self.traffic.sessions.begin(host.clone(), id);
        self.traffic.sessions.attach(&host, link, &fresh)?;
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
        if let Some(session) = self.traffic.sessions.get_mut(&host) {
            (session.limits, session.key) = (limits, key);
        }
        if let Some(l) = self.network.hosts.get_mut(link) {
            l.since = self.now;
            let interest = l.interest;
            let complete = interest.lists && interest.theirs && interest.quiet;
            self.open_channels(&host, complete);
        }
        Some(host)
    }

    /// What our answer to the greeting on that link says about its session.
    pub(super) fn standing(&self, link: LinkId) -> Option<Offer> {
        let session = self.traffic.sessions.get(&self.session_of(link)?)?;
        Some(named(session.id.clone(), false, &session.standing()))
    }
}
