//! What all parts have in common: saying things, to the program and to other hosts.

use std::time::Duration;

use bytestring::ByteString;

use crate::error::{CallError, SendError};
use crate::event::{Event, Output};
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::pending::{Asked, Due};
use crate::mesh::traffic::proxied::is_for_others;
use crate::parts::answers::Held;
use crate::wire::v1;
use crate::words::{Answer, Call, LinkId, Raw};

impl Mesh {
    pub(super) fn event(&mut self, event: Event) {
        self.stats.count(&event);
        self.answers.told();
        self.out.push(Output::Event(event));
    }

    pub(super) fn done(&mut self, call: Call, result: Result<Answer, CallError>) {
        if is_for_others(call) {
            return self.found_for(call, result);
        }
        self.event(Event::Done { call, result });
    }

    pub(super) fn failed(&mut self, seq: u64, error: SendError) {
        if is_for_others(seq) {
            return self.sent_for(seq, Some(&error));
        }
        self.event(Event::Failed { seq, error });
    }

    /// The messages numbered `seq..seq + count` have been delivered.
    pub(super) fn delivered(&mut self, seq: u64, count: u64) {
        if is_for_others(seq) {
            for number in seq..seq + count {
                self.sent_for(number, None);
            }
            return;
        }
        self.event(Event::Settled { seq, count });
    }

    pub(super) fn transmit(&mut self, link: LinkId, text: ByteString) {
        if self.network.link(link).is_some() {
            self.close_frame(link);
            self.out.push(Output::Transmit { link, text });
        }
    }

    /// Answers what was asked over that link.
    pub(super) fn answer(&mut self, link: LinkId, text: ByteString) {
        let bytes = text.len();
        self.transmit(link, text);
        self.out.push(Output::Owed { link, bytes });
    }

    /// Asks another host, which is to answer within that time.
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

    /// Answers that a question is refused. Notifications (no id) are not answered.
    pub(super) fn refuse(&mut self, link: LinkId, id: Option<Raw>, text: &str) {
        if let Some(id) = id {
            self.answer(link, v1::failure(&id, &json::quote(text)));
        }
    }

    /// Answers when the program has applied all events so far. Notifications (no id) are not answered.
    pub(super) fn owe(&mut self, link: LinkId, id: Option<Raw>, answer: Due) {
        if let Some(id) = id
            && let Some(held) = self.answers.hold(Held { link, id, answer })
        {
            self.give(held, None);
        }
    }
}
