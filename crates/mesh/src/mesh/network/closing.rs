//! Our own goodbye: to everybody who may know of us, whatever the connection with them is at.

use std::time::Duration;

use bytestring::ByteString;

use crate::error::{CallError, SendError};
use crate::event::{Event, Output};
use crate::json;
use crate::mesh::network::waiters::{CloseBy, Waiter};
use crate::mesh::pending::Asked;
use crate::mesh::{GOODBYE_TIMEOUT, Mesh};
use crate::parts::hosts::{Link, State};
use crate::parts::peers::Parcel;
use crate::parts::relays::is_relayed;
use crate::sabotage::{self, Sabotage};
use crate::wire::v1;
use crate::words::{Answer, Call, LinkId, Nearness, Teller, Time};

/// A lost host that has not answered a dial by then will not hear our goodbye.
const DIAL_WITHIN: Duration = Duration::from_secs(1);

/// So many lost hosts are dialled to say goodbye to them.
const MOST_DIALLED: usize = 256;

impl Mesh {
    /// Says goodbye over that link. `leaving`: we leave the network, and say who does: the other side may still know us by another
    /// connection, which it takes for lost.
    fn say_goodbye_for_good(&mut self, link: LinkId) {
        let within = GOODBYE_TIMEOUT.min(self.config.request_timeout);
        let params = self.own_goodbye();
        self.ask(link, "goodbye", Some(&params), Asked::Goodbye, within);
    }

    fn own_goodbye(&self) -> String {
        format!("{{\"host\":{{\"id\":{}}}}}", json::quote(&self.id))
    }

    /// Says goodbye over a direct link; or later, if there are relayed links that go over it and are still to say theirs.
    fn say_goodbye_last(&mut self, link: LinkId) {
        if self.network.relays.over(link, None).is_empty() {
            self.say_goodbye_for_good(link);
        } else {
            self.network.relays.leave_last(link);
        }
    }

    pub(super) fn say_last_goodbyes(&mut self) {
        for link in self.network.relays.take_leaving() {
            if self.network.hosts.get(link).is_some() {
                self.say_goodbye_for_good(link);
            }
        }
    }

    /// Somebody connects while we leave: perhaps a host that was lost and looks for us.
    fn turn_away(&mut self, link: LinkId) {
        if self.closing.is_some() {
            let text = v1::notification("goodbye", &self.own_goodbye());
            self.out.push(Output::Transmit { link, text });
        }
        self.close_link(link);
    }

    /// Somebody connects to us, from so near.
    pub(in crate::mesh) fn visited(&mut self, link: LinkId, near: Nearness) {
        if self.closing.is_some() || self.retiring {
            self.turn_away(link);
        } else {
            self.network.hosts.accept(link, near);
        }
    }

    /// We have reached a host from which we take leave: it needs to know no more than that.
    pub(super) fn take_leave(&mut self, link: LinkId) {
        self.network.hosts.unregister(link, State::Leaving);
        if let Some(l) = self.network.hosts.get_mut(link) {
            l.waiters.clear();
        }
        self.say_goodbye_for_good(link);
    }

    /// Leaves the network: says goodbye to everyone, gives up everything that is in flight, and is done when the last link has
    /// ended, or when the time is over.
    pub(in crate::mesh) fn close(&mut self, call: Call, within: Duration) {
        let links: Vec<(LinkId, State)> = self
            .network
            .hosts
            .links()
            .map(|(id, l)| (id, l.state))
            .collect();
        for (link, _) in links.iter().filter(|(_, state)| *state == State::Joined) {
            // What was published before must not be lost behind the other host's window.
            if let Some(host) = self.session_of(*link) {
                self.pump(&host, true);
            }
        }
        if let Some(earlier) = self.closing.replace(call) {
            self.done(earlier, Ok(Answer::Done));
        }
        self.close_by = CloseBy {
            dialled: self.now.saturating_add(within.min(DIAL_WITHIN)),
            all: self.now.saturating_add(within),
        };
        let missed = self.missed();
        self.give_up_waits();
        let twins: Vec<LinkId> = links
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| self.network.twin(*id).is_some())
            .collect();
        for (link, state) in links {
            self.leave_link(link, state, twins.contains(&link));
        }
        self.all_members_are_gone();
        for host in self.traffic.sessions.hosts() {
            if self
                .traffic
                .sessions
                .get(&host)
                .is_some_and(|s| s.link().is_none())
            {
                self.end_session(&host);
            }
        }
        for (url, host, by, reach) in missed {
            self.dial_to_leave(url, host, by, reach);
        }
    }

    /// Nobody is looked for any more, and whoever waits for somebody waits in vain.
    fn give_up_waits(&mut self) {
        let lost = self.network.hosts.all_lost().map(|(key, _)| key.clone());
        for key in lost.collect::<Vec<ByteString>>() {
            self.network.hosts.found(&key);
            self.event(Event::TimerStopped { key });
        }
        for expected in std::mem::take(&mut self.network.expected) {
            self.fail_all(expected.waiters);
        }
        for entry in self.network.hearsay.clear() {
            self.fail_all(entry.waiters);
        }
        self.network.doubts.clear();
        let (sends, finds) = self.traffic.peers.clear();
        for seq in sends.iter().flat_map(Parcel::numbers) {
            self.failed(seq, SendError::Closed);
        }
        self.fail_barriers();
        for call in finds {
            self.done(call, Err(CallError::Closed));
        }
    }

    /// Says goodbye over that link, or ends it where nobody knows of us. `twin`: a 0.4.0 host knows us by it, perhaps.
    fn leave_link(&mut self, link: LinkId, state: State, twin: bool) {
        match state {
            State::Joined => {
                self.tell_what_came(link);
                if let Some(key) = self.network.hosts.unregister(link, State::Leaving) {
                    self.network.hosts.forget_aliases(&key);
                    self.event(Event::Disconnected { key });
                }
                self.say_goodbye_last(link);
            }
            State::Dialling if self.is_missed(link) => {
                let waiters = self.network.hosts.take_waiters(link);
                self.fail_all(waiters);
            }
            State::Greeting if sabotage::is(Sabotage::NoGoodbye) => self.drop_link(link),
            State::Dialling => {
                self.close_link(link);
                if let Some(l) = self.network.hosts.remove(link) {
                    self.fail_all(l.waiters);
                }
            }
            State::Greeting => {
                // The other side has perhaps registered us.
                self.questions.take_all(link);
                let waiters = self.network.hosts.take_waiters(link);
                self.fail_all(waiters);
                self.take_leave(link);
            }
            State::Stranger if twin => self.take_leave(link),
            State::Stranger => self.turn_away(link),
            State::Leaving if is_relayed(link) => self.close_link(link),
            State::Leaving => {}
        }
    }

    /// The link broke before our goodbye was answered: the other side has perhaps lost us before it was said.
    pub(in crate::mesh) fn say_goodbye_elsewhere(&mut self, link: LinkId) {
        let Some(l) = self
            .network
            .hosts
            .get(link)
            .filter(|_| self.closing.is_some())
        else {
            return;
        };
        let url = l.url.clone().or_else(|| l.dialled.clone());
        if let (Some(url), Some(host), false) = (url, l.host.clone(), is_relayed(link))
            && self.now < self.close_by.dialled
        {
            let by = self.network.teller(link);
            let (by, reach) = match l.dialled.as_ref() == Some(&url) {
                true => (None, l.reach()),
                false => (Some(by), l.near),
            };
            self.dial_to_leave(url, host, by, reach);
        }
    }

    /// Dials a host to say goodbye, unless it is one of too many that have said themselves where they are.
    fn dial_to_leave(
        &mut self,
        url: ByteString,
        host: ByteString,
        by: Option<Teller>,
        reach: Nearness,
    ) {
        if by.is_some() && !self.network.hearsay.has_room(self.now) {
            return;
        }
        let link = self.dial_within(reach, url, Some(host), Vec::new());
        if let Some(by) = by {
            self.network.hearsay.begin(link, by.link, self.now);
        }
    }

    /// The lost hosts of this version that wait for us, or look for us, where they can be dialled, who has said so, and how near that may be.
    fn missed(&self) -> Vec<(ByteString, ByteString, Option<Teller>, Nearness)> {
        let missed = self.network.hosts.all_lost().filter_map(|(key, lost)| {
            let host = lost.host.clone()?;
            self.traffic.sessions.get(&host)?;
            let url = lost.redial.as_ref().map_or(key, |redial| &redial.url);
            url.contains("://")
                .then(|| (url.clone(), host, lost.by.clone(), lost.reach))
        });
        missed.take(MOST_DIALLED).collect()
    }

    /// Whether we are just dialling a host that is lost.
    fn is_missed(&self, link: LinkId) -> bool {
        let hint = |l: &Link<Waiter>| l.hint.clone().filter(|_| !is_relayed(link));
        let host = self.network.hosts.get(link).and_then(hint);
        host.is_some_and(|host| {
            self.traffic
                .sessions
                .get(&host)
                .is_some_and(|s| s.link().is_none())
        })
    }

    pub(super) fn fail_all(&mut self, waiters: Vec<Waiter>) {
        for waiter in waiters {
            if !matches!(waiter, Waiter::Redial(_)) {
                self.fail(waiter, CallError::Closed);
            }
        }
    }

    /// When to look whether `close` has taken long enough.
    pub(in crate::mesh) fn close_deadline(&self) -> Option<Time> {
        self.closing?;
        let dials = self
            .network
            .hosts
            .loose()
            .any(|(_, l)| l.state == State::Dialling);
        Some(if dials {
            self.close_by.dialled
        } else {
            self.close_by.all
        })
    }

    /// Whoever has not answered in time is not waited for. The hosts between hear our goodbye when the relayed links are over.
    pub(in crate::mesh) fn end_overdue_links(&mut self) {
        if self.closing.is_none() || self.now < self.close_by.dialled {
            return;
        }
        let over = |link: LinkId, l: &Link<Waiter>| {
            l.state == State::Dialling || (is_relayed(link) && self.now >= self.close_by.all)
        };
        let links = self
            .network
            .hosts
            .links()
            .filter(|(link, l)| over(*link, l));
        for link in links.map(|(link, _)| link).collect::<Vec<LinkId>>() {
            self.drop_link(link);
        }
    }

    /// Ends `close` when no link is left, or when its time is over.
    pub(in crate::mesh) fn finish_closing(&mut self) {
        if self.closing.is_none() {
            return;
        }
        if self.now >= self.close_by.all {
            let links: Vec<LinkId> = self.network.hosts.links().map(|(link, _)| link).collect();
            if !links.iter().any(|link| is_relayed(*link)) {
                for link in links {
                    self.drop_link(link);
                }
            }
        }
        if self.network.hosts.is_empty()
            && let Some(call) = self.closing.take()
        {
            self.done(call, Ok(Answer::Done));
        }
    }
}
