//! Questions on the wire, and what becomes of their answers.

use crate::error::{CallError, SendError};
use crate::mesh::Mesh;
use crate::mesh::pending::{Asked, Silence};
use crate::wire::greeting::Welcome;
use crate::words::{LinkId, Raw};

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
                self.landed_at_v1(link, &parcel);
                self.send_answer(parcel, error);
            }
            (Asked::Goodbye, _) => self.end_link(link),
            (Asked::Proof, _) => self.end_doubts(link, self.now),
        }
    }

    /// An answer will not come any more.
    pub(super) fn unanswered(&mut self, link: LinkId, asked: Asked, why: Silence) {
        match asked {
            Asked::Greeting => {
                let url = self
                    .network
                    .link(link)
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
            Asked::Missed | Asked::Proof => {}
            Asked::Find { key, search } => self.find_answer(link, key, search, None, None),
            Asked::Send(parcel) => {
                self.landed_at_v1(link, &parcel);
                let id = parcel.to.clone();
                let url = self.traffic.url_of(&parcel);
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
}
