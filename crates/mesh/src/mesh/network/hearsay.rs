//! Hosts of which others have told us are dialled in turn: few at a time, and later than those that the program has named or that have
//! answered before. What was told by a host that is gone is forgotten.

use std::time::Duration;

use bytestring::ByteString;

use crate::error::{CallError, DialError};
use crate::event::Event;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{self, Expected, Seeking, Waiter};
use crate::parts::hearsay::Entry;
use crate::parts::hosts::State;
use crate::words::{LinkId, Raw, Teller};

/// So many tellers of one url are remembered, beside those who wait for an answer.
const MOST_TELLERS: usize = 8;

/// When there is no room for a dial that insists, it is made after this time.
const INSIST_LATER: Duration = Duration::from_millis(250);

impl Mesh {
    /// Another host has told us to join that url, and perhaps waits for the answer.
    pub(in crate::mesh) fn join_told(&mut self, link: LinkId, url: ByteString, id: Option<Raw>) {
        let by = self.network.teller(link);
        let waiter = match id {
            Some(id) => Waiter::Request { id, by },
            None => Waiter::Hint { by },
        };
        self.join_host(url, None, waiter);
    }

    /// That url is known by hearsay alone: it is dialled when it is its turn.
    pub(super) fn join_in_turn(
        &mut self,
        url: ByteString,
        host: Option<ByteString>,
        waiter: Waiter,
    ) {
        let Some(by) = waiter.by().cloned() else {
            return;
        };
        if let Some(entry) = self.network.hearsay.get_mut(&url) {
            let ended = add(&mut entry.waiters, waiter);
            self.network.hearsay.expect(&url, host);
            return self.joined(ended.into_iter().collect());
        }
        let line = self.network.line_of(&by);
        let waiter = match waiter {
            // A 0.4.0 host may be waited for by others until it is answered, and these by others: it waits for a dial, not for its turn.
            request @ Waiter::Request { .. }
                if !self.network.hearsay.would_begin(line, self.now) =>
            {
                self.joined(vec![request]);
                Waiter::Member { round: None, by }
            }
            waiter => waiter,
        };
        let mark = self.network.gossip.mark();
        let out = self.network.hearsay.push(line, url, host, waiter, mark);
        if let Some((url, entry)) = out {
            for waiter in entry.waiters {
                self.fail(waiter, CallError::Lost { url: url.clone() });
            }
        }
    }

    /// The host behind that relayed link may be dialled directly, when it is its turn.
    pub(super) fn try_in_turn(&mut self, link: LinkId, url: ByteString, host: ByteString) {
        if !self.network.hearsay.contains(&url) {
            let mut by = self.network.teller(link);
            if let Some(l) = self.network.hosts.get(link)
                && l.dialled.as_ref() == Some(&url)
            {
                // A direct dial has failed, and may lead as near as that one.
                by.near = by.near.max(l.told_from);
            }
            self.join_in_turn(url.clone(), Some(host), Waiter::Hint { by });
            if let Some(entry) = self.network.hearsay.get_mut(&url) {
                entry.relayed = Some(link);
            }
        }
    }

    /// Dials those whose turn it is.
    pub(in crate::mesh) fn dial_told(&mut self) {
        while let Some((line, url, entry)) = self.network.hearsay.next(self.now) {
            let mark = entry.mark;
            if let Some(link) = self.dial_next(url, entry) {
                self.network.hearsay.begin(link, line, self.now);
                if let Some(l) = self.network.hosts.get_mut(link) {
                    l.mark = mark;
                }
            }
        }
    }

    /// Gives the link, if that one is to be dialled still.
    fn dial_next(&mut self, url: ByteString, entry: Entry<Waiter>) -> Option<LinkId> {
        let Entry {
            host,
            waiters,
            relayed,
            ..
        } = entry;
        if let Some(relayed) = relayed {
            if self.may_try(relayed, &url) {
                return Some(self.dial(url, host, waiters));
            }
            self.joined(waiters);
            return None;
        }
        let mut left = Vec::new();
        let mut name = url.clone();
        for waiter in waiters {
            if let Some((url, waiter)) = self.unmet(url.clone(), host.as_ref(), waiter) {
                name = url;
                left.push(waiter);
            }
        }
        if left.iter().any(|w| self.network.is_wanted(w)) {
            return Some(self.dial_for(name, host, left));
        }
        self.forget_told(&url, left);
        None
    }

    /// Whoever has told of that url is gone, and nobody has ever answered there.
    fn forget_told(&mut self, url: &ByteString, waiters: Vec<Waiter>) {
        for waiter in waiters {
            match waiter {
                Waiter::Redial(Seeking { key, host, .. }) => {
                    self.end_of_wait(&key, host);
                    self.event(Event::Pulse);
                }
                waiter => self.fail(waiter, CallError::Lost { url: url.clone() }),
            }
        }
    }

    /// A dial has failed.
    pub(in crate::mesh) fn not_reached(&mut self, link: LinkId, error: DialError) {
        if self.dial_nearer(link) {
            return;
        }
        self.not_joined(link, CallError::Dial(error));
        self.network.hearsay.end(link, false);
    }

    /// A host is connected under that name: nobody has to dial it, unless another one is expected there.
    pub(super) fn meet_told(&mut self, name: &ByteString, host: Option<&ByteString>) {
        let hearsay = &mut self.network.hearsay;
        if let Some(entry) = hearsay.get_mut(name)
            && entry.host.as_ref().is_none_or(|there| Some(there) == host)
            && let Some(entry) = hearsay.take(name)
        {
            self.joined(entry.waiters);
        }
    }

    /// Nobody wants to wait for the lost host with that key, or with that id, any more.
    pub(super) fn give_up_told(&mut self, key: &ByteString) {
        let Some(entry) = self.network.hearsay.get_mut(key) else {
            return;
        };
        let redial = |w: &mut Waiter| matches!(w, Waiter::Redial(_));
        let cancelled: Vec<Waiter> = entry.waiters.extract_if(.., redial).collect();
        if entry.waiters.is_empty() {
            self.network.hearsay.take(key);
        }
        self.forget_told(key, cancelled);
    }

    /// Takes that dial among those by hearsay. Gives whether there is no room for it now.
    pub(super) fn waits_for_room(&mut self, expected: &Expected) -> bool {
        let told = expected.waiters.iter().all(|w| w.by().is_some());
        told && !self.network.hearsay.has_room(self.now)
    }

    /// There is no room to insist now.
    pub(super) fn insist_later(&mut self, mut expected: Expected) {
        expected.until = self.now + INSIST_LATER;
        self.network.expected.push(expected);
    }
}

impl Network {
    /// Whoever tells us something over that link.
    pub(super) fn teller(&self, link: LinkId) -> Teller {
        let l = self.hosts.get(link);
        Teller {
            link,
            host: l.and_then(|l| l.host.clone()),
            near: l.map(|l| l.near).unwrap_or_default(),
        }
    }

    /// Among whom that one takes its turn: all that have not said who they are stand in one line.
    pub(super) fn line_of(&self, by: &Teller) -> LinkId {
        match by.host.is_some()
            || self
                .hosts
                .get(by.link)
                .is_some_and(|l| l.state == State::Joined)
        {
            true => by.link,
            false => LinkId(0),
        }
    }

    /// Whether it is still there.
    fn is_there(&self, by: &Teller) -> bool {
        let link = self.hosts.get(by.link);
        let host = by.host.as_ref();
        link.is_some_and(|l| l.state != State::Leaving)
            || host.is_some_and(|host| self.hosts.route_to_host(host).is_some())
    }

    /// Whether that host is looked for, of which that one has told us: perhaps it has done so itself, and is lost.
    pub(super) fn is_sought(&self, host: Option<&ByteString>, by: Option<&Teller>) -> bool {
        by.is_none_or(|by| self.is_there(by) || (host.is_some() && by.host.as_ref() == host))
    }

    fn is_wanted(&self, waiter: &Waiter) -> bool {
        let host = match waiter {
            Waiter::Redial(Seeking { host, .. }) => host.as_ref(),
            _ => None,
        };
        self.is_sought(host, waiter.by())
    }
}

/// One more waits for a host. Gives back who does not have to.
fn add(waiters: &mut Vec<Waiter>, waiter: Waiter) -> Option<Waiter> {
    let by = waiter.by().cloned();
    let (waiter, ended) = match (waiter, by) {
        // Two hosts that wait for each other's joins would wait for ever.
        (waiter @ Waiter::Request { .. }, Some(by)) => (Waiter::Hint { by }, Some(waiter)),
        (waiter, _) => (waiter, None),
    };
    match &waiter {
        Waiter::Redial(Seeking { key, .. }) => {
            waiters.retain(|w| !matches!(w, Waiter::Redial(Seeking { key: k, .. }) if k == key));
        }
        Waiter::Hint { by } | Waiter::Member { round: None, by } => {
            let known = |w: &Waiter| w.by().is_some_and(|b| b.link == by.link);
            let is_needed = by.near > waiters::reach(waiters);
            if !is_needed && (waiters.len() >= MOST_TELLERS || waiters.iter().any(known)) {
                return ended;
            }
        }
        _ => {}
    }
    waiters.push(waiter);
    ended
}
