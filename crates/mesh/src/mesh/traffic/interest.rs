//! Telling the other hosts what is listened to here, so that they send nothing else; and publishing to those who listen.

use std::collections::{BTreeSet, HashSet};

use bytestring::ByteString;

use super::cargo::Cargo;
use crate::error::CallError;
use crate::event::Output;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::traffic::{Barrier, Traffic};
use crate::parts::channels::{Matcher, Patterns};
use crate::payload::Payload;
use crate::topic::Topic;
use crate::wire::v2::Interest;
use crate::words::{Answer, Call, LinkId, Raw};

/// A record about interests is not longer than about this, in bytes of names.
const RECORD_BYTES: usize = 32 * 1024;

/// The name of a channel as JavaScript writes it; `None` for values that are not names there.
fn channel_name(channel: &Option<Raw>) -> Option<ByteString> {
    match channel.as_ref().and_then(|c| c.bytes().next()) {
        Some(b'{' | b'[') => None,
        _ => Some(json::id_key(channel)),
    }
}

impl Mesh {
    /// A session with that host begins, or goes on. `complete`: it has said that nothing is listened to there, and will say what is.
    pub(in crate::mesh) fn open_channels(&mut self, host: &ByteString, complete: bool) {
        self.traffic.channels.open(host);
        if complete {
            self.traffic.channels.complete(host);
        }
    }

    /// The session with that host has ended.
    pub(super) fn forget_channels(&mut self, host: &ByteString) {
        self.traffic.channels.forget(host);
        self.synced_all(host);
    }

    /// The link of a host that wants to be told what is listened to here, and can be told now.
    fn told(&self, host: &ByteString) -> Option<LinkId> {
        let session = self.traffic.sessions.get(host)?;
        let link = session.link().filter(|_| session.is_ready())?;
        let interest = &self.network.link(link)?.interest;
        (interest.lists && interest.theirs).then_some(link)
    }

    /// A session can be used: tell what is listened to here, before anything else is said.
    pub(super) fn tell_channels(&mut self, host: &ByteString) {
        let Some(link) = self.told(host) else {
            return;
        };
        let said_quiet = self
            .network
            .link(link)
            .is_some_and(|l| l.interest.said_quiet);
        let all: Vec<(bool, Topic)> = self
            .traffic
            .channels
            .here()
            .map(|t| (true, t.clone()))
            .collect();
        if !all.is_empty() || !said_quiet {
            let mut rest = &all[..];
            let mut whole = true;
            loop {
                let mut size = 0;
                let mut fits = |(_, topic): &(bool, Topic)| {
                    size += topic.name.len();
                    size < RECORD_BYTES
                };
                let count = rest
                    .iter()
                    .take_while(|e| fits(e))
                    .count()
                    .max(1)
                    .min(rest.len());
                let (now, later) = rest.split_at(count);
                let more = !later.is_empty();
                let changes = now.iter().cloned().collect();
                self.say_interest(
                    link,
                    &Interest {
                        whole,
                        more,
                        changes,
                    },
                );
                (rest, whole) = (later, false);
                if !more {
                    break;
                }
            }
        }
        let waiting = self
            .traffic
            .barriers
            .iter()
            .filter(|(_, b)| b.left.contains(host));
        for number in waiting.map(|(n, _)| *n).collect::<Vec<u64>>() {
            self.traffic.frames.of(link).sync(number);
        }
    }

    fn say_interest(&mut self, link: LinkId, interest: &Interest) {
        let frame = self.traffic.frames.of(link);
        frame.interest(interest);
        if frame.len() >= 2 * RECORD_BYTES {
            let bytes = frame.take();
            self.out.push(Output::TransmitBinary { link, bytes });
        }
    }

    /// The program listens to something from now on, or does not any more.
    pub(in crate::mesh) fn change_interest(&mut self, topic: Topic, add: bool) {
        let changed = if add {
            self.traffic.channels.subscribe(topic.clone())
        } else {
            self.traffic.channels.unsubscribe(&topic)
        };
        if !changed {
            return;
        }
        let interest = Interest {
            whole: false,
            more: false,
            changes: [(add, topic)].into_iter().collect(),
        };
        for host in self.traffic.sessions.linked() {
            if let Some(link) = self.told(&host) {
                self.say_interest(link, &interest);
            }
        }
    }

    /// Ends that call when all connected hosts know what is listened to here now.
    pub(in crate::mesh) fn ready(&mut self, call: Call) {
        let connected = |host: &ByteString| {
            let link = self.traffic.sessions.get(host)?.link()?;
            let interest = &self.network.link(link)?.interest;
            (interest.lists && interest.theirs).then_some(link)
        };
        let hosts = self.traffic.sessions.linked().into_iter();
        let left: BTreeSet<ByteString> = hosts.filter(|h| connected(h).is_some()).collect();
        if left.is_empty() {
            return self.done(call, Ok(Answer::Done));
        }
        self.next_round += 1;
        let number = self.next_round;
        for host in &left {
            if let Some(link) = self.told(host) {
                self.traffic.frames.of(link).sync(number);
            }
        }
        let until = self.now.saturating_add(self.config.request_timeout);
        self.traffic
            .barriers
            .insert(number, Barrier { call, left, until });
    }

    /// That host knows.
    pub(in crate::mesh) fn synced(&mut self, host: &ByteString, number: u64) {
        let Some(barrier) = self.traffic.barriers.get_mut(&number) else {
            return;
        };
        barrier.left.remove(host);
        if barrier.left.is_empty()
            && let Some(barrier) = self.traffic.barriers.remove(&number)
        {
            self.done(barrier.call, Ok(Answer::Done));
        }
    }

    /// That host is not connected any more: nobody waits for it.
    pub(in crate::mesh) fn synced_all(&mut self, host: &ByteString) {
        for number in self.traffic.barriers.keys().copied().collect::<Vec<u64>>() {
            self.synced(host, number);
        }
    }

    pub(in crate::mesh) fn expire_barriers(&mut self) {
        let overdue = self
            .traffic
            .barriers
            .iter()
            .filter(|(_, b)| b.until <= self.now);
        for number in overdue.map(|(n, _)| *n).collect::<Vec<u64>>() {
            if let Some(barrier) = self.traffic.barriers.remove(&number) {
                self.done(barrier.call, Err(CallError::Timeout));
            }
        }
    }

    pub(in crate::mesh) fn fail_barriers(&mut self) {
        for barrier in std::mem::take(&mut self.traffic.barriers).into_values() {
            self.done(barrier.call, Err(CallError::Closed));
        }
    }

    /// Another host tells what is listened to there.
    pub(in crate::mesh) fn interest(&mut self, host: &ByteString, interest: Interest) {
        let told = |link| self.network.link(link).is_some_and(|l| l.interest.lists);
        let link = self.traffic.sessions.get(host).and_then(|s| s.link());
        if !link.is_some_and(told) {
            return;
        }
        if interest.whole {
            self.traffic.channels.open(host);
        }
        let open = self.traffic.channels.is_open(host);
        let catches_up = !open && !self.traffic.recent.is_empty();
        let mut news = Vec::new();
        for (add, topic) in interest.changes.iter() {
            if !add {
                self.traffic.channels.remove(host, &topic);
                continue;
            }
            let most = self.config.max_subscriptions;
            let new = self.traffic.channels.add(host, &topic, most);
            if new && catches_up {
                news.push(topic);
            }
        }
        if !interest.more {
            self.traffic.channels.complete(host);
        }
        if catches_up {
            self.catch_up(host, news);
        }
    }

    /// Gives a host what was published just before it was known to listen, as far as it was connected then.
    fn catch_up(&mut self, host: &ByteString, news: Vec<Topic>) {
        let link = self.traffic.sessions.get(host).and_then(|s| s.link());
        let Some(since) = link.and_then(|l| self.network.link(l)).map(|l| l.since) else {
            return;
        };
        // It may have told more than is remembered just now.
        let all = self.traffic.channels.is_open(host);
        if news.is_empty() && !all {
            return;
        }
        let bytes = news.iter().map(|topic| topic.name.len() + 1).sum();
        let (mut matcher, mut patterns) = (Matcher::default(), Patterns::default());
        let mut names = HashSet::new();
        for Topic { name, pattern } in news {
            if pattern {
                patterns.insert(&name);
            } else {
                names.insert(name);
            }
        }
        let recent = &mut self.traffic.recent;
        let missed = recent.missed(self.now, host, (since, bytes), |name, steps| {
            if all || names.contains(name) {
                return Some(true);
            }
            matcher.matches(&patterns, name, steps)
        });
        for (channel, payload) in missed {
            self.load(host, Cargo::Publish { channel, payload });
        }
    }

    /// Publishes to the hosts with sessions that listen, also those that are lost at the moment.
    pub(super) fn load_publish(&mut self, channel: &Option<Raw>, payload: &Payload) {
        let name = channel_name(channel);
        let hosts = match &name {
            Some(name) => self.traffic.channels.listeners(name),
            None => self.traffic.channels.hosts(),
        };
        // Counted once for each publish, and only when somebody is lost.
        let mut room = None;
        for host in &hosts {
            let Some(session) = self.traffic.sessions.get(host) else {
                continue;
            };
            let registered = session
                .link()
                .is_some_and(|l| self.network.link(l).is_some_and(|l| l.key.is_some()));
            let lost = session.link().is_none();
            let most = self.config.max_queue_bytes;
            if lost && !*room.get_or_insert_with(|| self.traffic.sessions.waiting() < most) {
                self.drop_publish(host, channel.clone(), payload);
            } else if registered || lost {
                let (channel, payload) = (channel.clone(), payload.clone());
                self.load(host, Cargo::Publish { channel, payload });
            }
        }
        if let Some(name) = name
            && self.traffic.channels.any_told()
        {
            let (channel, payload) = (channel.clone(), payload.clone());
            self.traffic
                .recent
                .add(self.now, name, channel, payload, hosts);
        }
    }
}

impl Traffic {
    /// That host wants to know when what it has said before has taken effect: that is so already.
    pub(in crate::mesh) fn sync(&mut self, host: &ByteString, number: u64) -> Option<()> {
        let link = self.sessions.get(host)?.link()?;
        self.frames.of(link).synced(number);
        Some(())
    }
}
