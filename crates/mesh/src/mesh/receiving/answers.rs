//! The answers to what this host has asked in version 1.

use super::checks;
use crate::error::CallError;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::pending::Asked;
use crate::wire::greeting::Welcome;
use crate::wire::v1;
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
        let urls = || checks::all_urls(v1::urls(message.as_ref()));
        match (asked, error) {
            (Asked::Greeting, None) => {
                let welcome = Welcome::read(message.as_ref()).map(checks::welcome);
                self.greeted(link, welcome);
            }
            (Asked::Greeting, Some(error)) => {
                let text = json::display(&Some(error));
                self.not_joined(link, CallError::Refused { text });
            }
            (Asked::Join { round }, _) => self.round_answer(round, None),
            (Asked::Hosts { link, round }, None) => self.hosts_answer(link, round, urls()),
            (Asked::Hosts { round, .. }, Some(_)) => self.round_answer(round, None),
            (Asked::Missed, _) => self.join_missed(link, urls()),
            (Asked::List { round }, None) => {
                let ids = self.checks().peers(message);
                self.round_answer(round, ids);
            }
            (Asked::List { round }, Some(_)) => self.round_answer(round, None),
            (Asked::Find { key, search }, _) => {
                let text = |raw: Option<Raw>| json::string(&raw?);
                let url = text(message).filter(|url| !url.is_empty());
                let is_there = url.is_some() || text(host).is_some();
                self.find_answer(link, key, search, is_there, checks::url(url));
            }
            (Asked::Send(parcel), error) => {
                self.landed_at_v1(link, &parcel);
                self.send_answer(parcel, error);
            }
            (Asked::Goodbye, _) => self.end_link(link),
            (Asked::Proof, _) => self.end_doubts(link, self.now),
        }
    }
}
