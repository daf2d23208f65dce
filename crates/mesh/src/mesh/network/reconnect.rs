//! Hosts that were lost without a goodbye: the side that joined dials again, the other side waits; both forget in the end.

use std::time::Duration;

use bytestring::ByteString;

use crate::error::CallError;
use crate::event::Event;
use crate::mesh::Mesh;
use crate::mesh::network::Network;
use crate::mesh::network::waiters::{self, Seeking, Waiter};
use crate::parts::hearsay::Entry;
use crate::parts::hosts::{Link, Lost, Redial};
use crate::parts::roster::Name;
use crate::sabotage::{self, Sabotage};
use crate::words::{Nearness, Teller};

/// Attempts after the first one are never closer together than this (or than the first delay, if that is shorter).
const SHORTEST_DELAY: f64 = 0.25;

/// So many hosts of which others have told are tried again.
const MOST_TOLD: usize = 1024;

/// Attempts over a host between become rarer, up to this.
const LONGEST_RELAYED_DELAY: f64 = 30.0;

impl Mesh {
    /// A registered host's link ended.
    pub(super) fn lose(
        &mut self,
        key: ByteString,
        dialled: Option<ByteString>,
        host: Option<ByteString>,
        by: Option<Teller>,
        reach: Nearness,
    ) {
        if self.closing.is_some() {
            return;
        }
        let delay = self.config.reconnect_delay;
        let (at, redial) = match dialled {
            Some(url) => (
                delay,
                Some(Redial {
                    url,
                    since: self.now,
                    delay: delay.as_secs_f64(),
                }),
            ),
            None => (self.config.reconnect_timeout, None),
        };
        self.network.hosts.lose(
            key.clone(),
            Lost {
                at: self.now.saturating_add(at),
                host,
                redial,
                by,
                reach,
            },
        );
        self.event(Event::TimerStarted { key });
        if let Some(oldest) = self.network.hosts.lost_surplus() {
            self.give_up(oldest);
        }
    }

    /// An attempt failed: the next one comes after the delay divided by the decay, give or take a quarter, so that many hosts
    /// that lost the same one do not all return at once.
    pub(super) fn redial_later(&mut self, seeking: Seeking) {
        let Seeking {
            key,
            host,
            since,
            delay,
            by,
            reach,
        } = seeking;
        if self.closing.is_some()
            || self.network.hosts.route(&key).is_some()
            || self.network.hosts.lost(&key).is_some()
        {
            return; // It has come back by itself meanwhile, and perhaps was lost again.
        }
        let first = self.config.reconnect_delay.as_secs_f64();
        let delay = if host.as_ref() == Some(&key) {
            // Nobody can dial it. When it comes back to its relays, it is told of us: this is only in case that goes wrong.
            (2.0 * delay).clamp(first, LONGEST_RELAYED_DELAY.max(first))
        } else {
            (delay / self.config.reconnect_decay).clamp(0.0, 86_400.0)
        };
        let wait = (delay * (0.75 + 0.5 * self.random.f64())).max(first.min(SHORTEST_DELAY));
        let at = self
            .now
            .saturating_add(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
            .min(
                since
                    .saturating_add(self.config.reconnect_timeout)
                    .max(self.now),
            );
        let redial = Some(Redial {
            url: key.clone(),
            since,
            delay,
        });
        let lost = Lost {
            at,
            host,
            redial,
            by,
            reach,
        };
        self.network.hosts.lose(key.clone(), lost);
        self.event(Event::TimerStarted { key });
    }

    /// We have dialled a lost host that was to dial us, and it has perhaps taken that connection before it was lost as well: then
    /// it waits for us now.
    pub(super) fn take_over(&mut self, url: ByteString, host: &ByteString, reach: Nearness) {
        if self.closing.is_some() {
            return;
        }
        let (since, wait) = (self.now, self.config.reconnect_delay);
        for key in self.network.hosts.lost_host(host) {
            let delay = wait.as_secs_f64();
            let (at, url) = (since.saturating_add(wait), url.clone());
            let redial = Redial { url, since, delay };
            self.network.hosts.redial(&key, at, redial, reach);
        }
    }

    /// A dial did not come to a good end. If others told us of that member, it is tried again, as one that was lost.
    pub(super) fn retry_member(&mut self, link: &Link<Waiter>, error: &CallError) {
        let of = |wanted: fn(&Waiter) -> bool| link.waiters.iter().any(wanted);
        let told = of(|w| matches!(w, Waiter::Member { .. }));
        let other = of(|w| matches!(w, Waiter::Call(_) | Waiter::Redial(_)));
        let (true, false, Some(url), None) = (told, other, &link.dialled, self.closing) else {
            return;
        };
        let connected = link
            .hint
            .as_ref()
            .is_some_and(|h| self.network.hosts.route_to_host(h).is_some());
        let relayed = link.hint.as_ref() == Some(url);
        if connected || (relayed && *error != CallError::Timeout) {
            return; // By another way; or it is not there, and will be told of us when it has come back.
        }
        let by = waiters::teller(&link.waiters);
        let error = error.clone();
        if !relayed {
            self.event(Event::Unreachable {
                url: url.clone(),
                error: error.clone(),
            });
        }
        let known =
            self.network.hosts.route(url).is_some() || self.network.hosts.lost(url).is_some();
        if let (true, Some(by)) = (known, by) {
            self.network.hosts.tell_again(url, by);
        }
        let room = by.is_none() || self.network.hosts.lost_told() < MOST_TOLD;
        let may_be = match &error {
            CallError::Refused { .. } => false,
            CallError::Dial(error) => !error.is_not_allowed(),
            _ => true,
        };
        if !known && room && may_be {
            let (url, hint) = (url.clone(), link.hint.clone());
            let reach = waiters::reach(&link.waiters);
            self.lose(url.clone(), Some(url), hint, by.cloned(), reach);
        }
    }

    /// The program wants that url tried again until somebody is there, or until the reconnect timeout.
    pub(in crate::mesh) fn try_again(&mut self, url: ByteString) {
        let known =
            self.network.hosts.route(&url).is_some() || self.network.hosts.lost(&url).is_some();
        if !known && !url.is_empty() && self.url.as_ref() != Some(&url) && self.closing.is_none() {
            let host = self.network.hosts.lost_behind(&url);
            self.lose(url.clone(), Some(url), host, None, Nearness::Program);
        }
    }

    /// Does what is due about lost hosts.
    pub(in crate::mesh) fn redial_due(&mut self) {
        for (key, lost) in self.network.hosts.due(self.now) {
            self.event(Event::TimerStopped { key: key.clone() });
            match lost.redial {
                Some(redial)
                    if self.now < redial.since.saturating_add(self.config.reconnect_timeout)
                        && self.network.is_sought(lost.host.as_ref(), lost.by.as_ref()) =>
                {
                    let Redial { url, since, delay } = redial;
                    let Lost {
                        host, by, reach, ..
                    } = lost;
                    self.join(
                        url,
                        Waiter::Redial(Seeking {
                            key,
                            host,
                            since,
                            delay,
                            by,
                            reach,
                        }),
                    );
                }
                _ => self.end_of_wait(&key, lost.host),
            }
        }
    }

    /// Nobody waits for a lost host under that name any more.
    pub(super) fn end_of_wait(&mut self, key: &ByteString, host: Option<ByteString>) {
        let under_another = |host: &ByteString| self.network.hosts.is_lost(host);
        if host.as_ref().is_some_and(under_another) {
            self.network.hosts.forget_aliases(key);
        } else {
            self.forget_lost(key, host);
        }
    }

    /// A lost host is not looked for under that name any more: somebody is there, or the name is ours by now. If that was not the lost
    /// one, and others have us dial it under another name, it is waited for under that one: whoever else waits for that dial does not end
    /// the wait when it fails.
    pub(super) fn end_of_search(&mut self, seeking: Seeking) {
        let Seeking { key, host, .. } = &seeking;
        let hosts = &self.network.hosts;
        if hosts.lost(key).is_some() || host.as_ref().is_some_and(|h| hosts.is_lost(h)) {
            return;
        }
        let is_free = |name: &ByteString| {
            let other = hosts.route(name).is_some() || hosts.lost(name).is_some();
            !other && self.url.as_ref() != Some(name)
        };
        let member = Name::new(host.as_ref(), key);
        match self.network.sought_as(key, host.as_ref()) {
            Some((name, teller, nearest)) if is_free(&name) => {
                if self.network.roster.is_lost(&member) {
                    self.redial_later(Seeking {
                        key: name,
                        reach: seeking.reach.min(nearest),
                        by: seeking.by.or(teller),
                        ..seeking
                    });
                }
            }
            _ => self.member_is_given_up(host.as_ref(), key),
        }
    }

    /// Whether a lost host is just being dialled. Its timer has stopped, and the program has been told nothing else yet.
    pub fn is_seeking(&self) -> bool {
        let redial = |w: &Waiter| matches!(w, Waiter::Redial(_));
        let seeks = |l: &Link<Waiter>| l.is_connecting() && l.waiters.iter().any(redial);
        self.network.hosts.loose().any(|(_, l)| seeks(l))
            || self
                .network
                .expected
                .iter()
                .any(|e| e.waiters.iter().any(redial))
            || self
                .network
                .hearsay
                .iter()
                .any(|(_, e)| e.waiters.iter().any(redial))
    }

    /// The program does not want to wait for that host any more.
    pub(in crate::mesh) fn give_up(&mut self, key: ByteString) {
        if let Some(lost) = self.network.hosts.found(&key) {
            self.event(Event::TimerStopped { key: key.clone() });
            self.forget_lost(&key, lost.host);
        } else if let Some(link) = self.network.hosts.dialling(&key)
            && let Some(l) = self.network.hosts.get_mut(link)
        {
            // An attempt goes on.
            let count = l.waiters.len();
            l.waiters.retain(|w| !matches!(w, Waiter::Redial(_)));
            let (cancelled, unwanted) = (l.waiters.len() < count, l.waiters.is_empty());
            let host = l.hint.clone();
            if cancelled {
                self.forget_lost(&key, host);
                self.event(Event::Pulse);
            }
            if cancelled && unwanted {
                self.questions.take_all(link);
                self.leave_quietly(link);
            }
        } else {
            self.give_up_told(&key);
        }
    }

    pub(super) fn forget_lost(&mut self, key: &ByteString, host: Option<ByteString>) {
        if let Some(host) = &host {
            self.give_up_waiting(host);
        }
        self.forget_peers(host.as_ref(), Some(key));
        self.network.hosts.forget_aliases(key);
        if let Some(host) = &host {
            self.end_lost_session(host);
        }
        self.member_is_given_up(host.as_ref(), key);
    }

    /// Ends the session with a host that is not connected.
    pub(super) fn end_lost_session(&mut self, host: &ByteString) {
        if self.network.hosts.route_to_host(host).is_none() {
            self.forget_peers(Some(host), None);
        }
        let waits = self
            .traffic
            .sessions
            .get(host)
            .is_some_and(|s| s.link().is_none());
        if waits && !sabotage::is(Sabotage::NoEnd) {
            self.break_session(host);
            self.network.forget_number(host);
        }
        self.incarnation_has_ended(host);
    }
}

impl Network {
    /// The name under which that host is being dialled, or is to be; with who has told of it, and how near that leads.
    fn sought_as(
        &self,
        key: &ByteString,
        host: Option<&ByteString>,
    ) -> Option<(ByteString, Option<Teller>, Nearness)> {
        let teller = |waiters: &[Waiter]| waiters::teller(waiters).cloned();
        let link = self.hosts.connecting(key, host.map(|h| &**h));
        if let Some(l) = link.and_then(|link| self.hosts.get(link)) {
            return Some((l.dialled.clone()?, teller(&l.waiters), l.told_from));
        }
        if !self.hearsay.contains(key) && !host.is_some_and(|h| self.hearsay.names(h)) {
            return None;
        }
        let mut entries = self.hearsay.iter();
        let there = |(url, entry): &(&ByteString, &Entry<Waiter>)| {
            *url == key || (host.is_some() && entry.host.as_ref() == host)
        };
        let (url, entry) = entries.find(there)?;
        let waiters = &entry.waiters;
        Some((url.clone(), teller(waiters), waiters::reach(waiters)))
    }
}
