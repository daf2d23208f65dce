//! Goodbyes: theirs and ours.

use bytestring::ByteString;

use super::{Asked, Due, GOODBYE_TIMEOUT, Mesh, Waiter};
use crate::error::{CallError, SendError};
use crate::event::{Answer, Call, Event, LinkId, Raw};
use crate::hosts::{Link, State};
use crate::peers::{Home, Parcel};
use crate::relays::is_relayed;

impl Mesh {
    /// A host says goodbye: forget it, say goodbye as well, and close when that is answered.
    pub(super) fn goodbye(&mut self, link: LinkId, id: Option<Raw>) {
        let key = self.hosts.unregister(link, State::Leaving);
        if let Some(key) = &key {
            self.forget_host(key, link);
            self.event(Event::Disconnected { key: key.clone() });
            self.member_is_gone(link, key);
            self.members.change(self.now);
        } else if let Some(twin) = self.twin(link) {
            if let Some(key) = self.hosts.unregister(twin, State::Leaving) {
                self.forget_host(&key, twin);
                self.event(Event::Disconnected { key: key.clone() });
                self.member_is_gone(twin, &key);
                self.members.change(self.now);
            }
            self.say_goodbye(twin);
        } else if let Some(l) = self.hosts.get_mut(link) {
            // A stranger's goodbye is answered, and it may stay.
            l.state = if l.dialled.is_some() {
                State::Leaving
            } else {
                State::Stranger
            };
        }
        let back = key.is_some();
        if id.is_some() {
            self.owe(link, id, Due::Goodbye { back });
        } else if back {
            self.say_goodbye(link);
        }
    }

    /// The registered link of the original host that has another link here, which it may think is the one: both have dialled each other.
    fn twin(&self, link: LinkId) -> Option<LinkId> {
        let original = |link: LinkId| self.hosts.get(link).filter(|l| l.host.is_none());
        let url = original(link)?.url.as_ref()?;
        let twin = self.hosts.route(url).filter(|twin| *twin != link)?;
        original(twin).map(|_| twin)
    }

    pub(super) fn say_goodbye(&mut self, link: LinkId) {
        let within = GOODBYE_TIMEOUT.min(self.config.request_timeout);
        self.ask(link, "goodbye", None, Asked::Goodbye, within);
    }

    /// Forgets all peers of the host behind that link, and its other names.
    pub(super) fn forget_host(&mut self, key: &ByteString, link: LinkId) {
        let host = self.hosts.get(link).and_then(|l| l.host.clone());
        self.forget_peers(host.as_ref(), Some(key));
        self.hosts.forget_aliases(key);
    }

    /// Forgets all peers of that host, and those of one without id that had its key.
    pub(super) fn forget_peers(&mut self, host: Option<&ByteString>, key: Option<&ByteString>) {
        let mut homes: Vec<Home> = host.cloned().map(Home::Host).into_iter().collect();
        if let Some(key) = key {
            homes.push(Home::Key(key.clone()));
            if host.is_none() {
                let hosts = &self.hosts;
                let shown = self.peers.shown_as(|url| hosts.is_name_of(url, key));
                homes.extend(shown);
            }
        }
        let mut ids = self.peers.forget_all(&homes);
        ids.sort_unstable();
        for id in ids.into_iter().flatten() {
            self.event(Event::Forgotten { id });
        }
    }

    /// The goodbye is over: close the link, but not before everything that is owed to the other host has been said. It may
    /// have said goodbye as well, and would wait for the answer.
    pub(super) fn end_link(&mut self, link: LinkId) {
        self.owe(link, Some(Raw::new()), Due::End);
    }

    /// Leaves the network: says goodbye to everyone, gives up everything that is under way, and is done when the last link has
    /// ended.
    pub(super) fn close(&mut self, call: Call) {
        if let Some(earlier) = self.closing.replace(call) {
            self.done(earlier, Ok(Answer::Done));
        }
        let lost = self.hosts.all_lost().map(|(key, _)| key.clone());
        for key in lost.collect::<Vec<ByteString>>() {
            self.hosts.found(&key);
            self.event(Event::TimerStopped { key });
        }
        for expected in std::mem::take(&mut self.expected) {
            self.fail_all(expected.waiters);
        }
        let (sends, finds) = self.peers.clear();
        for seq in sends.iter().flat_map(Parcel::numbers) {
            self.failed(seq, SendError::Closed);
        }
        self.fail_barriers();
        for call in finds {
            self.done(call, Err(CallError::Closed));
        }
        // Whoever has said goodbye before the greeting was answered will hardly answer it.
        let state = |l: &Link<Waiter>| match l.state {
            State::Leaving if !l.waiters.is_empty() => State::Greeting,
            state => state,
        };
        let links: Vec<(LinkId, State)> =
            self.hosts.links().map(|(id, l)| (id, state(l))).collect();
        let twins: Vec<LinkId> = links
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| self.twin(*id).is_some())
            .collect();
        for (link, state) in links {
            match state {
                State::Joined => {
                    // What was published before must not be lost behind the other host's window.
                    if let Some(host) = self.session_of(link) {
                        self.pump(&host, true);
                    }
                    if let Some(key) = self.hosts.unregister(link, State::Leaving) {
                        self.hosts.forget_aliases(&key);
                        self.event(Event::Disconnected { key });
                    }
                    self.say_goodbye_last(link);
                }
                State::Dialling | State::Greeting => {
                    self.requests.take_all(link);
                    self.close_link(link);
                    if let Some(l) = self.hosts.remove(link) {
                        self.fail_all(l.waiters);
                    }
                }
                State::Stranger if twins.contains(&link) => {
                    self.hosts.unregister(link, State::Leaving);
                    self.say_goodbye(link);
                }
                State::Stranger => self.close_link(link),
                State::Leaving if is_relayed(link) => self.close_link(link),
                State::Leaving => {}
            }
        }
        self.all_members_are_gone();
        for host in self.sessions.hosts() {
            if self.sessions.get(&host).is_some_and(|s| s.link().is_none()) {
                self.end_session(&host);
            }
        }
    }

    pub(super) fn fail_all(&mut self, waiters: Vec<Waiter>) {
        for waiter in waiters {
            if !matches!(waiter, Waiter::Redial { .. }) {
                self.fail(waiter, CallError::Closed);
            }
        }
    }

    /// Ends `close` when no link is left.
    pub(super) fn finish_closing(&mut self) {
        if self.hosts.is_empty()
            && let Some(call) = self.closing.take()
        {
            self.done(call, Ok(Answer::Done));
        }
    }
}
