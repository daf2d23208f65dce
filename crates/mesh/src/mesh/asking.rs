//! Questions on the wire, and what becomes of their answers; alone or in rounds.

use std::time::Duration;

use bytestring::ByteString;

use super::{Due, Mesh, Waiter};
use crate::error::{CallError, SendError};
use crate::parts::peers::Parcel;
use crate::wire::greeting::{Hello, Welcome};
use crate::wire::v1;
use crate::words::{Answer, Call, LinkId, Raw, Time};

/// What was asked on the wire.
#[derive(Debug)]
pub(super) enum Asked {
    Greeting,
    Join {
        round: u64,
    },
    Hosts {
        link: LinkId,
        round: u64,
    },
    /// Once more, when it has become quiet.
    Missed,
    Find {
        key: ByteString,
        search: u64,
    },
    Send(Parcel),
    List {
        round: u64,
    },
    Goodbye,
}

/// Why an answer does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    Timeout,
    LinkLost,
}

/// Questions to several hosts, and what happens when all have been answered, refused or given up.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) left: usize,
    /// When it ends anyway.
    pub(super) until: Option<Time>,
    pub(super) end: RoundEnd,
}

#[derive(Debug)]
pub(super) enum RoundEnd {
    /// We have joined all members that we were told of, and others have joined those that they were told of.
    Joined(Vec<Waiter>),
    /// An original host that joined us has been announced to the others: answer its greeting.
    Greeted { link: LinkId, id: Option<Raw> },
    /// We have joined the members that another host told us of: answer it.
    Introduced { link: LinkId, id: Option<Raw> },
    /// The hosts have listed their peers.
    Listed { call: Call, ids: Vec<Raw> },
}

impl Mesh {
    pub(super) fn answered(
        &mut self,
        link: LinkId,
        asked: Asked,
        message: Option<Raw>,
        error: Option<Raw>,
        host: Option<Raw>,
    ) {
        match (asked, error) {
            (Asked::Greeting, None) => self.greeted(link, Welcome::read(message.as_ref())),
            (Asked::Greeting, Some(error)) => {
                let text = crate::json::display(&Some(error));
                self.not_joined(link, CallError::Refused { text });
            }
            (Asked::Join { round }, _) => self.round_answer(round, None),
            (Asked::Hosts { link, round }, None) => self.hosts_answer(link, round, message),
            (Asked::Hosts { round, .. }, Some(_)) => self.round_answer(round, None),
            (Asked::Missed, _) => self.join_missed(message),
            (Asked::List { round }, None) => self.round_answer(round, message),
            (Asked::List { round }, Some(_)) => self.round_answer(round, None),
            (Asked::Find { key, search }, _) => self.find_answer(link, key, search, message, host),
            (Asked::Send(parcel), error) => {
                self.landed_plain(link, &parcel);
                self.send_answer(parcel, error);
            }
            (Asked::Goodbye, _) => self.end_link(link),
        }
    }

    /// An answer will not come any more.
    pub(super) fn unanswered(&mut self, link: LinkId, asked: Asked, why: Silence) {
        match asked {
            Asked::Greeting => {
                let url = self
                    .hosts
                    .get(link)
                    .and_then(|l| l.dialled.clone())
                    .unwrap_or_default();
                let error = if why == Silence::Timeout {
                    CallError::Timeout
                } else {
                    CallError::Lost { url }
                };
                self.not_joined(link, error);
            }
            Asked::Join { round } | Asked::Hosts { round, .. } | Asked::List { round } => {
                self.round_answer(round, None);
            }
            Asked::Missed => {}
            Asked::Find { key, search } => self.find_answer(link, key, search, None, None),
            Asked::Send(parcel) => {
                self.landed_plain(link, &parcel);
                let id = parcel.to.clone();
                let url = self.url_of(&parcel);
                let timeout = why == Silence::Timeout;
                let error = if timeout {
                    SendError::Timeout { id }
                } else {
                    SendError::Unknown { id, url }
                };
                self.failed(parcel.seq, error);
                self.arrived(&parcel, parcel.seq, 1);
            }
            Asked::Goodbye => {
                if why == Silence::LinkLost {
                    self.say_goodbye_elsewhere(link);
                }
                self.end_link(link);
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        link: LinkId,
        method: &str,
        params: Option<&str>,
        asked: Asked,
        within: Duration,
    ) {
        let number = self.questions.open(link, self.now + within, asked);
        self.transmit(link, v1::request(number, method, params));
    }

    /// Starts a round of questions. Ends at once when there is nobody to ask.
    pub(super) fn start_round(
        &mut self,
        asked: Vec<LinkId>,
        method: &str,
        params: Option<&str>,
        end: RoundEnd,
    ) {
        if asked.is_empty() {
            return self.end_round(end);
        }
        let round = self.open_round(asked.len(), end);
        let within = self.config.request_timeout;
        for link in asked {
            let asked = if method == "list" {
                Asked::List { round }
            } else {
                Asked::Join { round }
            };
            self.ask(link, method, params, asked, within);
        }
    }

    pub(super) fn open_round(&mut self, left: usize, end: RoundEnd) -> u64 {
        self.next_round += 1;
        self.rounds.insert(
            self.next_round,
            Round {
                left,
                until: None,
                end,
            },
        );
        self.next_round
    }

    pub(super) fn round_answer(&mut self, number: u64, message: Option<Raw>) {
        let Some(round) = self.rounds.get_mut(&number) else {
            return;
        };
        if let (RoundEnd::Listed { ids, .. }, Some(message)) = (&mut round.end, message)
            && message.starts_with('[')
        {
            ids.push(message);
        }
        round.left -= 1;
        if round.left == 0
            && let Some(round) = self.rounds.remove(&number)
        {
            self.end_round(round.end);
        }
    }

    pub(super) fn end_round(&mut self, end: RoundEnd) {
        match end {
            RoundEnd::Joined(waiters) if self.closing.is_some() => self.fail_all(waiters),
            RoundEnd::Joined(waiters) => self.joined(waiters),
            RoundEnd::Greeted { link, id } => {
                self.answer_greeting(link, id, false, &Hello::default())
            }
            RoundEnd::Introduced { link, id } => self.owe(link, id, Due::Message(None)),
            RoundEnd::Listed { call, ids } => self.done(call, Ok(Answer::Ids(ids))),
        }
    }
}
