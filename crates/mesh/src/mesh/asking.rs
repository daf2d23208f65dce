//! Questions on the wire that are not answered. The answers to the others come [in](super::receiving).

use crate::error::{CallError, SendError};
use crate::mesh::Mesh;
use crate::mesh::pending::{Asked, Silence};
use crate::words::LinkId;

impl Mesh {
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
            Asked::Find { key, search } => self.find_answer(link, key, search, false, None),
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
