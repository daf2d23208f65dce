//! Questions to several hosts at once.

use crate::mesh::Mesh;
use crate::mesh::network::waiters::{Round, RoundEnd};
use crate::mesh::pending::{Asked, Due};
use crate::wire::greeting::Hello;
use crate::words::{Answer, Call, LinkId, Raw};

impl Mesh {
    /// Asks our own hosts for their peers. A 0.4.0 host knows no such question.
    pub(in crate::mesh) fn list(&mut self, call: Call) {
        let ours = |link: &LinkId| {
            self.network
                .hosts
                .get(*link)
                .is_some_and(|l| l.host.is_some())
        };
        let links = self
            .network
            .joined_links(None)
            .into_iter()
            .filter(ours)
            .collect();
        self.start_round(
            links,
            "list",
            None,
            RoundEnd::Listed {
                call,
                ids: Vec::new(),
            },
        );
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
        self.network.rounds.insert(
            self.next_round,
            Round {
                left,
                until: None,
                end,
            },
        );
        self.next_round
    }

    pub(in crate::mesh) fn round_answer(&mut self, number: u64, message: Option<Raw>) {
        let Some(round) = self.network.rounds.get_mut(&number) else {
            return;
        };
        if let RoundEnd::Listed { ids, .. } = &mut round.end {
            ids.extend(message);
        }
        round.left -= 1;
        if round.left == 0
            && let Some(round) = self.network.rounds.remove(&number)
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
