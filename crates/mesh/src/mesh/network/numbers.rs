//! The numbers in greetings and their answers, by which late ones are recognised.

use bytestring::ByteString;

use crate::mesh::network::Network;
use crate::parts::hosts::State;
use crate::parts::numbers::Said;
use crate::parts::relays::is_relayed;
use crate::words::{LinkId, Time};

impl Network {
    /// Takes the number in the greeting, or the answer, of the host behind that link. Gives whether it was said before something that has
    /// arrived earlier, over another link.
    pub(super) fn is_stale(&mut self, link: LinkId, number: Option<u64>, now: Time) -> bool {
        let heard = self.hosts.number();
        let (Some(l), Some(number)) = (self.hosts.get(link), number) else {
            return false;
        };
        let Some(host) = &l.host else {
            return false;
        };
        // Nobody says hello over a direct link before it is there, or answers before we have said hello. Whoever opens a relayed link says
        // hello at once, and the host between may take its time.
        let since = match &l.dialled {
            Some(_) => Some(l.hello),
            None if is_relayed(link) => None,
            None => Some(link.0),
        };
        let said = Said {
            number,
            link,
            since,
            heard,
            at: now,
        };
        let is_there = |link| {
            let link = self.hosts.get(link);
            link.is_some_and(|l| l.state == State::Joined)
        };
        self.numbers.is_stale(host, said, is_there)
    }

    /// That host is gone: its numbers are of no use, as soon as nothing can come any more that it has said before.
    pub(super) fn forget_number(&mut self, host: &ByteString) {
        self.numbers.forget(host, !self.hosts.is_greeting());
    }

    pub(in crate::mesh) fn forget_numbers(&mut self) {
        if self.numbers.has_gone() && !self.hosts.is_greeting() {
            self.numbers.forget_gone();
        }
    }
}
