//! Events on their way to JavaScript: one flat JSON array a batch, to be read by one `JSON.parse`.
//!
//! Messages of one sender to one receiver, and messages on one channel, are told as runs. Questions (events that the program may
//! reply to; each message is one) are numbered from 0 within the batch. Strings and bytes that do not go through JSON are
//! handed over beside the text, in order.

use distribus_mesh::{Answer, BinaryKind, Change, Event, Input, Outcome, Payload, Raw, Reply};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error;

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
            let run = run_length(&events[at..]);
            self.write_run(&events[at..at + run], first + at as u64);
            at += run;
        }
        self.text.push(']');
        &self.text
    }

    fn write_run(&mut self, run: &[Event], number: u64) {
        match &run[0] {
            Event::Deliver { to, from, payload } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = u8::from(to.is_none()) | u8::from(from.is_none()) << 1;
                let (to, from) = (or_null(to), or_null(from));
                self.push(kind, &[&flags.to_string(), to, from]);
                self.messages(run, &value);
            }
            Event::Publish {
                channel,
                payload,
                original,
            } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = u8::from(channel.is_none()) | 4 | u8::from(*original) << 6;
                self.push(kind, &[&flags.to_string(), or_null(channel), "null"]);
                self.messages(run, &value);
            }
            Event::Note {
                host,
                head,
                payload,
            } => {
                let (kind, value) = self.payload(payload, run, number);
                let flags = (u8::from(head.is_none()) | 32).to_string();
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
                let flags = u8::from(to.is_none()) | u8::from(from.is_none()) << 1 | 8;
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
                    Outcome::Answered => "0",
                    Outcome::Threw => "1",
                    Outcome::NoHandler => "2",
                };
                self.push(kind, &["16", &first.to_string(), outcome]);
                self.messages(run, &value);
            }
            Event::Accepted { seq, count, host } => {
                self.push("28", &[&seq.to_string(), &count.to_string(), &quote(host)]);
            }
            Event::Gone { host } => self.push("29", &[&quote(host)]),
            Event::Lookup { id } => {
                self.push("4", &[if id.is_some() { "1" } else { "0" }, or_null(id)]);
                self.ask(number, 1);
            }
            Event::Settled { seq, .. } => {
                let count = |e: &Event| match e {
                    Event::Settled { count, .. } => *count,
                    _ => 0,
                };
                let count: u64 = run.iter().map(count).sum();
                self.push("5", &[&seq.to_string(), &count.to_string()]);
            }
            Event::Failed { seq, error } => {
                self.push("6", &[&seq.to_string(), &error::send(error)])
            }
            Event::Done { call, result } => {
                let (ok, value) = match result {
                    Ok(Answer::Done | Answer::Url(None)) => ("1", "null".to_owned()),
                    Ok(Answer::Url(Some(url))) => ("1", quote(url)),
                    Ok(Answer::Ids(ids)) => ("1", joined(ids)),
                    Err(e) => ("0", error::call(e)),
                };
                self.push("7", &[&call.to_string(), ok, &value]);
            }
            Event::Connected { key, url, host } => {
                self.push(
                    "8",
                    &[&quote(key), &quote_or_null(url), &quote_or_null(host)],
                );
            }
            Event::Unreachable { url, error } => {
                self.push("16", &[&quote(url), &error::call(error)]);
            }
            Event::Disconnected { key } => self.push("9", &[&quote(key)]),
            Event::Member { change, url, host } => {
                let change = match change {
                    Change::Join => "0",
                    Change::Leave => "1",
                    Change::Disconnect => "2",
                    Change::Reconnect => "3",
                };
                self.push("18", &[change, &quote_or_null(url), &quote_or_null(host)]);
            }
            Event::Located { id, url } => self.push("10", &[id, &quote(url)]),
            Event::Forgotten { id } => self.push("11", &[id]),
            Event::TimerStarted { key } => self.push("12", &[&quote(key)]),
            Event::TimerStopped { key } => self.push("13", &[&quote(key)]),
            Event::Dropped {
                key,
                channel,
                count,
            } => {
                let present = if channel.is_some() { "1" } else { "0" };
                let count = count.to_string();
                self.push("21", &[&quote(key), present, or_null(channel), &count]);
            }
            Event::Gap { key, count } => {
                let count = count.map_or("null".to_owned(), |count| count.to_string());
                self.push("22", &[&quote(key), &count]);
            }
            Event::Relieved => self.push("23", &[]),
            Event::Slow { key } => self.push("24", &[&quote(key)]),
            Event::Stalled { url, host, time } => {
                let millis = time.as_millis().to_string();
                self.push("26", &[&quote_or_null(url), &quote_or_null(host), &millis]);
            }
            Event::UrlTaken { url, ours } => {
                self.push("30", &[&quote(url), if *ours { "1" } else { "0" }]);
            }
            Event::Pulse => self.push("25", &[]),
            Event::NetworkId { id } => {
                self.push("14", &[if id.is_some() { "1" } else { "0" }, or_null(id)])
            }
            Event::List => {
                self.push("15", &[]);
                self.ask(number, 1);
            }
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
            Payload::Json { .. } => ("0", String::new()),
            Payload::Undefined { .. } => ("1", count),
            Payload::Text(_) => {
                self.beside.push(payload.clone());
                ("2", count)
            }
            Payload::Binary { kind, .. } => {
                self.beside.push(payload.clone());
                (
                    if *kind == BinaryKind::Buffer {
                        "2"
                    } else {
                        "3"
                    },
                    count,
                )
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
                "0" => Reply::NoSuchPeer,
                "1" => Reply::Threw(raw(values.next())),
                "3" => Reply::Ids(raw(values.next())),
                _ => Reply::Here,
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

/// How many of the first events can be told as one run.
fn run_length(events: &[Event]) -> usize {
    let follows = |pair: &[Event]| match pair {
        [
            Event::Settled { seq, count },
            Event::Settled { seq: next, .. },
        ] => seq + count == *next,
        [first, next] => continues(first, next),
        _ => false,
    };
    1 + events.windows(2).take_while(|pair| follows(pair)).count()
}

/// Whether `next` is more JSON texts of the same run as `first`.
fn continues(first: &Event, next: &Event) -> bool {
    let json = |p: &Payload| matches!(p, Payload::Json { .. });
    match (first, next) {
        (
            Event::Deliver { to, from, payload },
            Event::Deliver {
                to: to2,
                from: from2,
                payload: payload2,
            },
        ) => json(payload) && json(payload2) && to == to2 && from == from2,
        (
            Event::Publish {
                channel,
                payload,
                original,
            },
            Event::Publish {
                channel: channel2,
                payload: payload2,
                original: original2,
            },
        ) => json(payload) && json(payload2) && channel == channel2 && original == original2,
        (
            Event::Note {
                host,
                head,
                payload,
            },
            Event::Note {
                host: host2,
                head: head2,
                payload: payload2,
            },
        ) => json(payload) && json(payload2) && host == host2 && head == head2,
        _ => false,
    }
}

fn quote_or_null(text: &Option<Raw>) -> String {
    text.as_ref().map_or("null".to_owned(), |t| quote(t))
}

fn or_null(raw: &Option<Raw>) -> &str {
    raw.as_deref().unwrap_or("null")
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// Several JSON arrays as one.
fn joined(arrays: &[Raw]) -> String {
    let inner = arrays
        .iter()
        .filter_map(|a| a.trim().strip_prefix('[')?.strip_suffix(']'));
    let inner: Vec<&str> = inner.map(str::trim).filter(|s| !s.is_empty()).collect();
    format!("[{}]", inner.join(","))
}
