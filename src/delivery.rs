//! Events on their way to JavaScript: one flat JSON array a batch, to be read by one `JSON.parse`.
//!
//! Messages of one sender to one receiver, and messages on one channel, are told as runs. Questions (events that the program may
//! reply to; each message is one) are numbered from 0 within the batch. Strings and bytes that do not go through JSON are
//! handed over beside the text, in order.

use distribus_mesh::{Answer, BinaryKind, Event, Input, Outcome, Payload, Raw, Reply};
use serde_json::value::RawValue;

use crate::contract::{flags, kinds, outcomes, replies};
use crate::error;
use crate::json::{joined, or_null, quote, quote_or_null};
use crate::membership;
use crate::runs;

/// A batch as it is written, and what is needed to understand the replies to it.
#[derive(Default)]
pub struct Batch {
    text: String,
    beside: Vec<Payload>,
    /// The first question of each event that asks, and the event's number.
    questions: Vec<(u32, u64)>,
    asked: u32,
    upto: u64,
}

impl Batch {
    /// Writes the events, the last of which is the one before number `upto`.
    pub fn write(&mut self, events: &[Event], upto: u64) -> &str {
        self.text.clear();
        self.beside.clear();
        self.questions.clear();
        self.asked = 0;
        self.upto = upto;
        let first = upto - events.len() as u64;
        let mut at = 0;
        self.text.push('[');
        while at < events.len() {
            if at > 0 {
                self.text.push(',');
            }
            let run = runs::length(&events[at..]);
            self.write_run(&events[at..at + run], first + at as u64);
            at += run;
        }
        self.text.push(']');
        &self.text
    }

    fn write_run(&mut self, run: &[Event], number: u64) {
        if !self.write_messages(run, number)
            && !self.write_question(&run[0], number)
            && !self.write_outcome(run)
        {
            self.write_news(&run[0]);
        }
    }

    /// Whether these are messages: those are written.
    fn write_messages(&mut self, run: &[Event], number: u64) -> bool {
        match &run[0] {
            Event::Deliver { to, from, payload } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = unnamed(to, from);
                let (to, from) = (or_null(to), or_null(from));
                self.push(kind, &[&flags.to_string(), to, from]);
                self.messages(run, &value);
            }
            Event::Publish {
                channel,
                payload,
                from_v1,
            } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = flag(channel.is_none(), flags::NO_NAME)
                    | flags::PUBLISHED
                    | flag(*from_v1, flags::V1);
                self.push(kind, &[&flags.to_string(), or_null(channel), "null"]);
                self.messages(run, &value);
            }
            Event::Note {
                host,
                head,
                payload,
            } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = (flag(head.is_none(), flags::NO_NAME) | flags::NOTE).to_string();
                self.push(kind, &[&flags, or_null(head), &quote(host)]);
                self.messages(run, &value);
            }
            Event::Request {
                host,
                number: first,
                to,
                from,
                payload,
            } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = unnamed(to, from) | flags::REQUESTED;
                let (to, from) = (or_null(to), or_null(from));
                self.push(kind, &[&flags.to_string(), to, from]);
                self.messages(run, &value);
                self.text.push_str(&format!(",{first},{}", quote(host)));
            }
            Event::Reply {
                number: first,
                outcome,
                payload,
            } => {
                let (kind, value) = self.payload(payload, run, number);
                let outcome = match outcome {
                    Outcome::Answered => outcomes::ANSWERED,
                    Outcome::Threw => outcomes::THREW,
                    Outcome::NoHandler => outcomes::NO_HANDLER,
                };
                let flags = flags::REPLIED.to_string();
                self.push(kind, &[&flags, &first.to_string(), outcome]);
                self.messages(run, &value);
            }
            _ => return false,
        }
        true
    }

    /// Whether the network asks something: that is written.
    fn write_question(&mut self, event: &Event, number: u64) -> bool {
        match event {
            Event::Lookup { id } => {
                self.push(
                    kinds::LOOKUP,
                    &[if id.is_some() { "1" } else { "0" }, or_null(id)],
                );
            }
            Event::List => {
                self.push(kinds::LIST, &[]);
            }
            Event::MayDial { url } => self.push(kinds::MAY_DIAL, &[&quote(url)]),
            _ => return false,
        }
        self.ask(number, 1);
        true
    }

    /// Whether that is what became of something that the program wanted: that is written.
    fn write_outcome(&mut self, run: &[Event]) -> bool {
        match &run[0] {
            Event::Accepted { seq, count, host } => {
                self.push(
                    kinds::ACCEPTED,
                    &[&seq.to_string(), &count.to_string(), &quote(host)],
                );
            }
            Event::Gone { host } => self.push(kinds::GONE, &[&quote(host)]),
            Event::Settled { seq, .. } => {
                let count = |e: &Event| match e {
                    Event::Settled { count, .. } => *count,
                    _ => 0,
                };
                let count: u64 = run.iter().map(count).sum();
                self.push(kinds::SETTLED, &[&seq.to_string(), &count.to_string()]);
            }
            Event::Failed { seq, error } => {
                self.push(kinds::FAILED, &[&seq.to_string(), &error::send(error)])
            }
            Event::Done { call, result } => {
                let (ok, value) = match result {
                    Ok(Answer::Done | Answer::Url(None)) => ("1", "null".to_owned()),
                    Ok(Answer::Url(Some(url))) => ("1", quote(url)),
                    Ok(Answer::Ids(ids)) => ("1", joined(ids)),
                    Err(e) => ("0", error::call(e)),
                };
                self.push(kinds::DONE, &[&call.to_string(), ok, &value]);
            }
            _ => return false,
        }
        true
    }

    /// Writes what the network reports.
    fn write_news(&mut self, event: &Event) {
        match event {
            Event::Connected { key, url, host } => {
                self.push(
                    kinds::CONNECTED,
                    &[&quote(key), &quote_or_null(url), &quote_or_null(host)],
                );
            }
            Event::Unreachable { url, error } => {
                self.push(kinds::UNREACHABLE, &[&quote(url), &error::call(error)]);
            }
            Event::Disconnected { key } => self.push(kinds::DISCONNECTED, &[&quote(key)]),
            Event::Member { change, url, host } => {
                self.push(
                    kinds::MEMBER,
                    &[
                        membership::written(change),
                        &quote_or_null(url),
                        &quote_or_null(host),
                    ],
                );
            }
            Event::Located { id, url } => self.push(kinds::LOCATED, &[id, &quote(url)]),
            Event::Forgotten { id } => self.push(kinds::FORGOTTEN, &[id]),
            Event::TimerStarted { key } => self.push(kinds::TIMER_STARTED, &[&quote(key)]),
            Event::TimerStopped { key } => self.push(kinds::TIMER_STOPPED, &[&quote(key)]),
            Event::Dropped {
                key,
                channel,
                count,
            } => {
                let present = if channel.is_some() { "1" } else { "0" };
                let count = count.to_string();
                self.push(
                    kinds::DROPPED,
                    &[&quote(key), present, or_null(channel), &count],
                );
            }
            Event::Gap { key, count } => {
                let count = count.map_or("null".to_owned(), |count| count.to_string());
                self.push(kinds::GAP, &[&quote(key), &count]);
            }
            Event::Relieved => self.push(kinds::RELIEVED, &[]),
            Event::Slow { key } => self.push(kinds::SLOW, &[&quote(key)]),
            Event::Stalled { url, host, time } => {
                let millis = time.as_millis().to_string();
                self.push(
                    kinds::STALLED,
                    &[&quote_or_null(url), &quote_or_null(host), &millis],
                );
            }
            Event::UrlTaken { url, ours } => {
                self.push(
                    kinds::URL_TAKEN,
                    &[&quote(url), if *ours { "1" } else { "0" }],
                );
            }
            Event::Pulse => self.push(kinds::PULSE, &[]),
            Event::NetworkId { id } => self.push(
                kinds::NETWORK_ID,
                &[if id.is_some() { "1" } else { "0" }, or_null(id)],
            ),
            Event::Lookup { .. }
            | Event::List
            | Event::MayDial { .. }
            | Event::Deliver { .. }
            | Event::Publish { .. }
            | Event::Note { .. }
            | Event::Request { .. }
            | Event::Reply { .. }
            | Event::Accepted { .. }
            | Event::Gone { .. }
            | Event::Settled { .. }
            | Event::Failed { .. }
            | Event::Done { .. } => {}
        }
    }

    fn push(&mut self, kind: &str, fields: &[&str]) {
        self.text.push_str(kind);
        for field in fields {
            self.text.push(',');
            self.text.push_str(field);
        }
    }

    /// What kind of event tells these messages, and what comes last in it (for runs of JSON texts: their texts instead).
    fn payload(&mut self, payload: &Payload, run: &[Event], number: u64) -> (&'static str, String) {
        for (event, number) in run.iter().zip(number..) {
            if let Some(payload) = event.payload() {
                self.ask(number, payload.count());
            }
        }
        let count = payload.count().to_string();
        match payload {
            Payload::Json { .. } => (kinds::MESSAGES, String::new()),
            Payload::Undefined { .. } => (kinds::UNDEFINED_MESSAGES, count),
            Payload::Text(_) => {
                self.beside.push(payload.clone());
                (kinds::MESSAGES_BESIDE, count)
            }
            Payload::Binary { kind, .. } => {
                self.beside.push(payload.clone());
                let kind = match kind {
                    BinaryKind::Buffer => kinds::MESSAGES_BESIDE,
                    BinaryKind::Uint8Array => kinds::UINT8_ARRAYS_BESIDE,
                };
                (kind, count)
            }
        }
    }

    fn messages(&mut self, run: &[Event], value: &str) {
        self.text.push(',');
        if !value.is_empty() {
            return self.text.push_str(value);
        }
        self.text.push('[');
        for (n, event) in run.iter().enumerate() {
            if let Some(Payload::Json { texts, .. }) = event.payload() {
                if n > 0 {
                    self.text.push(',');
                }
                self.text.push_str(texts);
            }
        }
        self.text.push(']');
    }

    fn ask(&mut self, number: u64, count: u32) {
        self.questions.push((self.asked, number));
        self.asked += count;
    }

    /// What is handed over beside the text.
    pub fn beside(&mut self) -> Vec<Payload> {
        std::mem::take(&mut self.beside)
    }

    /// The number of the event after the batch's last one.
    pub fn upto(&self) -> u64 {
        self.upto
    }

    /// The program has applied the whole batch; these are its replies.
    pub fn applied(&self, replies: Option<&str>) -> Input {
        Input::Applied {
            upto: self.upto,
            part: 0,
            replies: self.replies(replies),
        }
    }

    /// The program has replied to that many of the batch's questions, or passed them.
    pub fn applied_part(&self, questions: u32, replies: Option<&str>) -> Option<Input> {
        let (first, event) = self.question(questions.checked_sub(1)?)?;
        let whole = match self.question(questions) {
            Some((_, next)) => next != event,
            None => true,
        };
        Some(Input::Applied {
            upto: if whole { event + 1 } else { event },
            part: if whole { 0 } else { questions - first },
            replies: self.replies(replies),
        })
    }

    /// The event that asks a question, and the event's first question.
    fn question(&self, question: u32) -> Option<(u32, u64)> {
        if question >= self.asked {
            return None;
        }
        let at = self
            .questions
            .partition_point(|(first, _)| *first <= question);
        self.questions.get(at.checked_sub(1)?).copied()
    }

    fn replies(&self, text: Option<&str>) -> Vec<(u64, u32, Reply)> {
        let values: Vec<&RawValue> = text
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let mut values = values.into_iter().map(RawValue::get);
        let mut replies = Vec::new();
        while let (Some(question), Some(kind)) = (values.next(), values.next()) {
            let reply = match kind {
                replies::NO_SUCH_PEER => Reply::NoSuchPeer,
                replies::OVERLOADED => Reply::Overloaded,
                replies::THREW => Reply::Threw(raw(values.next())),
                replies::IDS => Reply::Ids(raw(values.next())),
                replies::HERE => Reply::Here,
                replies::DIAL => Reply::Dial,
                _ => continue,
            };
            let question = question.parse().unwrap_or(0);
            if let Some((first, event)) = self.question(question) {
                replies.push((event, question - first, reply));
            }
        }
        replies
    }
}

fn raw(value: Option<&str>) -> Raw {
    Raw::from(value.unwrap_or("null"))
}

fn flag(set: bool, flag: u8) -> u8 {
    if set { flag } else { 0 }
}

/// The flags for a receiver and a sender that are undefined.
fn unnamed(to: &Option<Raw>, from: &Option<Raw>) -> u8 {
    flag(to.is_none(), flags::NO_NAME) | flag(from.is_none(), flags::NO_SENDER)
}
