//! Events on their way to JavaScript: one flat JSON array a batch, to be read by one `JSON.parse`.
//!
//! Messages of one sender to one receiver, and messages on one channel, are told as runs. Questions (events that the program may
//! reply to) are numbered from 0 within the batch.

use distribus_mesh::{Answer, Event, Raw, Reply};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error;

/// A batch as it is written, and what is needed to understand the replies to it.
#[derive(Default)]
pub struct Batch {
    text: String,
    /// The event numbers of the questions.
    questions: Vec<u64>,
    upto: u64,
}

impl Batch {
    /// Writes the events, the last of which is the one before number `upto`.
    pub fn write(&mut self, events: &[Event], upto: u64) -> &str {
        self.text.clear();
        self.questions.clear();
        self.upto = upto;
        let first = upto - events.len() as u64;
        let mut at = 0;
        while at < events.len() {
            let run = run_length(&events[at..]);
            self.text.push(if at == 0 { '[' } else { ',' });
            self.write_run(&events[at..at + run], first + at as u64);
            at += run;
        }
        self.text.push(']');
        &self.text
    }

    fn write_run(&mut self, run: &[Event], number: u64) {
        match &run[0] {
            Event::Deliver {
                to: Some(to),
                from: Some(from),
                message: Some(_),
            } => {
                self.push("0", &[to, from, &run.len().to_string()]);
                self.messages(run, number);
            }
            Event::Deliver { to, from, message } => {
                let flags = u8::from(to.is_some())
                    | u8::from(from.is_some()) << 1
                    | u8::from(message.is_some()) << 2;
                self.push(
                    "1",
                    &[
                        &flags.to_string(),
                        or_null(to),
                        or_null(from),
                        or_null(message),
                    ],
                );
                self.questions.push(number);
            }
            Event::Publish {
                channel: Some(channel),
                message: Some(_),
            } => {
                self.push("2", &[channel, &run.len().to_string()]);
                self.messages(run, number);
            }
            Event::Publish { channel, message } => {
                let flags = u8::from(channel.is_some()) | u8::from(message.is_some()) << 2;
                self.push(
                    "3",
                    &[&flags.to_string(), or_null(channel), or_null(message)],
                );
                self.questions.push(number);
            }
            Event::Lookup { id } => {
                self.push("4", &[if id.is_some() { "1" } else { "0" }, or_null(id)]);
                self.questions.push(number);
            }
            Event::Settled { seq, .. } => {
                let count: u64 = run
                    .iter()
                    .map(|e| {
                        if let Event::Settled { count, .. } = e {
                            *count
                        } else {
                            0
                        }
                    })
                    .sum();
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
            Event::Connected { key, url } => {
                let url = url.as_ref().map_or("null".to_owned(), |url| quote(url));
                self.push("8", &[&quote(key), &url]);
            }
            Event::Disconnected { key } => self.push("9", &[&quote(key)]),
            Event::Located { id, url } => self.push("10", &[id, &quote(url)]),
            Event::Forgotten { id } => self.push("11", &[id]),
            Event::TimerStarted { key } => self.push("12", &[&quote(key)]),
            Event::TimerStopped { key } => self.push("13", &[&quote(key)]),
            Event::NetworkId { id } => {
                self.push("14", &[if id.is_some() { "1" } else { "0" }, or_null(id)])
            }
            Event::List => {
                self.push("15", &[]);
                self.questions.push(number);
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

    fn messages(&mut self, run: &[Event], number: u64) {
        for (event, number) in run.iter().zip(number..) {
            if let Event::Deliver {
                message: Some(m), ..
            }
            | Event::Publish {
                message: Some(m), ..
            } = event
            {
                self.text.push(',');
                self.text.push_str(m);
                self.questions.push(number);
            }
        }
    }

    /// Up to which event number the program has applied what it was told, once it has applied this batch.
    pub fn upto(&self) -> u64 {
        self.upto
    }

    /// Reads the replies to this batch.
    pub fn replies(&self, text: &str) -> Vec<(u64, Reply)> {
        let values: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        let mut values = values.into_iter().map(RawValue::get);
        let mut replies = Vec::new();
        while let (Some(question), Some(kind)) = (values.next(), values.next()) {
            let reply = match kind {
                "0" => Reply::NoSuchPeer,
                "1" => Reply::Threw(raw(values.next())),
                "3" => Reply::Ids(raw(values.next())),
                _ => Reply::Here,
            };
            let event = question
                .parse::<usize>()
                .ok()
                .and_then(|q| self.questions.get(q));
            replies.extend(event.map(|event| (*event, reply)));
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

/// Whether `next` is another message of the same run as `first`.
fn continues(first: &Event, next: &Event) -> bool {
    match (first, next) {
        (
            Event::Deliver {
                to: Some(to),
                from: Some(from),
                message: Some(_),
            },
            Event::Deliver {
                to: Some(to2),
                from: Some(from2),
                message: Some(_),
            },
        ) => to == to2 && from == from2,
        (
            Event::Publish {
                channel: Some(channel),
                message: Some(_),
            },
            Event::Publish {
                channel: Some(channel2),
                message: Some(_),
            },
        ) => channel == channel2,
        _ => false,
    }
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
