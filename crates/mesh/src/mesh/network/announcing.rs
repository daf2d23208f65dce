//! A host is joined: it and those that it knows are to meet the others, and who has waited for it is told.

use bytestring::ByteString;

use crate::error::CallError;
use crate::event::Event;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::network::waiters::{RoundEnd, Waiter};
use crate::mesh::pending::{Asked, Due};
use crate::parts::hosts::Link;
use crate::wire::member::Member;
use crate::wire::v1;
use crate::words::{Answer, LinkId};

impl Mesh {
    /// We are connected with a host that we dialled: join the members that it told us of, and tell the others of it as far as they
    /// do not know. Then the join is done. `asked`: these are all members that it knows.
    pub(super) fn announce(
        &mut self,
        link: LinkId,
        members: Vec<Member>,
        asked: bool,
        waiters: Vec<Waiter>,
    ) {
        let waiters = self.answer_requests(waiters);
        let Some(l) = self.network.hosts.get(link) else {
            return self.joined(waiters);
        };
        let (host, mark) = (l.host.clone(), l.mark);
        let by = self.network.teller(link);
        let url = l.url.clone().or_else(|| l.dialled.clone());
        let call = waiters.iter().any(|w| matches!(w, Waiter::Call(_)));
        let round = self.open_round(1, RoundEnd::Joined(waiters));
        let mut list = members;
        self.limit_round(round);
        if host.is_some() && !asked {
            let told = |m: &Member| m.host == host || list.iter().any(|l| l.host == m.host);
            let news = self.network.gossip.learnt_since(mark).filter(|m| !told(m));
            let news: Vec<Member> = news.cloned().collect();
            if !news.is_empty() {
                self.tell_members(link, &news, round);
            }
        } else if let (true, Some(url)) = (call || asked, url) {
            list.push(Member { url, host });
            self.introduce(link, &list, round);
            list.pop();
        }
        for member in list {
            self.join_member(member, Some(round), by.clone());
        }
        if call && !asked {
            if let Some(round) = self.network.rounds.get_mut(&round) {
                round.left += 1;
            }
            let within = self.config.request_timeout;
            self.ask(link, "hosts", None, Asked::Hosts { link, round }, within);
        }
        self.round_answer(round, None);
    }

    /// The host that we joined has told which hosts it knows: join those that we do not know yet, and have the others join them.
    pub(in crate::mesh) fn hosts_answer(
        &mut self,
        link: LinkId,
        round: u64,
        urls: Vec<ByteString>,
    ) {
        let member = |url| Member { url, host: None };
        let by = self.network.teller(link);
        let list: Vec<Member> = urls.into_iter().map(member).collect();
        // It may have taken longer than the join could wait.
        let waits = self.network.rounds.contains_key(&round).then_some(round);
        self.introduce(link, &list, round);
        for member in list {
            self.join_member(member, waits, by.clone());
        }
        self.round_answer(round, None);
    }

    /// We are connected: a 0.4.0 host that has told us to join waits for no more than that, and others wait for it. Gives who waits for
    /// more.
    fn answer_requests(&mut self, mut waiters: Vec<Waiter>) -> Vec<Waiter> {
        let is_request = |w: &mut Waiter| matches!(w, Waiter::Request { .. });
        let requests = waiters.extract_if(.., is_request).collect();
        self.joined(requests);
        waiters
    }

    /// What was waited for has come, by the other side's doing. The members that we are just joining are waited for as well.
    pub(super) fn joined_with_members(&mut self, waiters: Vec<Waiter>) {
        let member = |w: &Waiter| matches!(w, Waiter::Member { .. });
        let joining = |l: &Link<Waiter>| l.is_connecting() && l.waiters.iter().any(member);
        let waiters = self.answer_requests(waiters);
        if waiters.is_empty() {
            return;
        }
        let links = self.network.hosts.loose().filter(|(_, l)| joining(l));
        let links: Vec<LinkId> = links.map(|(link, _)| link).collect();
        let round = self.open_round(1, RoundEnd::Joined(waiters));
        self.limit_round(round);
        let mut more = 0;
        let mut wait = |waiters: &mut Vec<Waiter>| {
            let by = waiters.iter().find(|w| member(w)).and_then(Waiter::by);
            if let Some(by) = by.cloned() {
                let round = Some(round);
                waiters.push(Waiter::Member { round, by });
                more += 1;
            }
        };
        for link in links {
            if let Some(l) = self.network.hosts.get_mut(link) {
                wait(&mut l.waiters);
            }
        }
        for entry in self.network.hearsay.iter_mut() {
            wait(&mut entry.waiters);
        }
        if let Some(round) = self.network.rounds.get_mut(&round) {
            round.left += more;
        }
        self.round_answer(round, None);
    }

    pub(in crate::mesh) fn joined(&mut self, waiters: Vec<Waiter>) {
        for waiter in waiters {
            match waiter {
                Waiter::Call(call) => self.done(call, Ok(Answer::Done)),
                Waiter::Request { id, by } => self.owe(by.link, Some(id), Due::Message(None)),
                Waiter::Member {
                    round: Some(round), ..
                } => self.round_answer(round, None),
                Waiter::Redial(seeking) => {
                    self.end_of_search(seeking);
                    // The program may have waited for nothing else.
                    self.event(Event::Pulse);
                }
                Waiter::Member { round: None, .. } | Waiter::Hint { .. } => {}
            }
        }
    }

    pub(super) fn fail(&mut self, waiter: Waiter, error: CallError) {
        match waiter {
            Waiter::Call(call) => self.done(call, Err(error)),
            Waiter::Request { id, by } => {
                self.answer(by.link, v1::failure(&id, &json::quote(&error.to_string())));
            }
            Waiter::Member {
                round: Some(round), ..
            } => self.round_answer(round, None),
            Waiter::Member { round: None, .. } | Waiter::Hint { .. } => {}
            Waiter::Redial(seeking) => self.redial_later(seeking),
        }
    }
}
