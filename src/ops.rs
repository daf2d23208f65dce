//! What the program collected in a turn: one text, one line a run.
//!
//! JSON text holds no raw control characters, so line feeds and tabs separate without any escaping, and finding them is all the
//! parsing there is. The letters are in `contract.rs`, and `docs/internals/crossing.md` says what stands in each line.

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::{BinaryKind, Input, NoteKind, Outcome, Payload, Raw, Topic};
use napi::{Result, sys};

use crate::contract::{changes, forms, lines, outcomes};
use crate::text::{self, Value};

/// The values that are handed over beside the text, in order.
pub struct Beside {
    env: sys::napi_env,
    array: Option<Value>,
    next: u32,
}

impl Beside {
    pub fn new(env: sys::napi_env, array: Option<Value>) -> Beside {
        let next = 0;
        Beside { env, array, next }
    }

    fn next<T>(&mut self, read: fn(sys::napi_env, Value) -> Result<T>) -> Option<T> {
        let value = text::element(self.env, self.array?, self.next).ok()?;
        self.next += 1;
        read(self.env, value).ok()
    }

    /// All texts of a run, out of one buffer.
    fn texts(&mut self, count: u32) -> Option<Vec<ByteString>> {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let value = text::element(self.env, self.array?, self.next).ok()?;
            self.next += 1;
            text::append(self.env, value, &mut bytes).ok()?;
            ends.push(bytes.len());
        }
        let all = ByteString::try_from(Bytes::from(bytes)).ok()?;
        let mut start = 0;
        let mut cut = |end| {
            let text = all.slice_ref(all.get(start..end)?);
            start = end;
            Some(text)
        };
        ends.into_iter().map(&mut cut).collect()
    }

    fn bytes(&mut self, count: u32) -> Option<Vec<Bytes>> {
        (0..count).map(|_| self.next(text::read_bytes)).collect()
    }
}

/// Reads the operations; sends and requests are numbered from `seq` on, which is left at the number after the last one.
pub fn read(text: &ByteString, beside: &mut Beside, seq: &mut u64) -> Vec<Input> {
    let mut inputs = Vec::new();
    for line in text.split('\n') {
        // What waits for one host must not keep in memory what was said to others in the same turn.
        let own = (line.len() < text.len() / 2).then(|| ByteString::from(line));
        let (text, line) = own.as_ref().map_or((text, line), |own| (own, &**own));
        // `lib/` writes no other lines; one that is no good would be a mistake of ours.
        let _ = read_line(text, line, beside, seq, &mut inputs);
    }
    inputs
}

fn read_line(
    text: &ByteString,
    line: &str,
    beside: &mut Beside,
    seq: &mut u64,
    inputs: &mut Vec<Input>,
) -> Option<()> {
    let field = |s: &str| -> Option<Raw> { (!s.is_empty()).then(|| text.slice_ref(s)) };
    let (what, form) = (*line.as_bytes().first()?, *line.as_bytes().get(1)?);
    if form == changes::MORE || form == changes::LESS {
        let fields = line.get(2..)?.strip_suffix('\t')?.split('\t').map(field);
        return read_changes(what, form == changes::MORE, fields, inputs);
    }
    let (name, mut rest) = line.get(2..)?.split_once('\t')?;
    let (mut from, mut number) = ("", "");
    if what != lines::PUBLISH {
        (from, rest) = rest.split_once('\t')?;
    }
    if what == lines::REPLY {
        (number, rest) = rest.split_once('\t')?;
    }
    let payload = read_payload(text, form, rest, beside)?;
    let (to, from_id) = (field(name), field(from));
    inputs.push(match what {
        lines::PUBLISH => Input::Publish {
            channel: to,
            payload,
        },
        lines::REPLY => Input::Reply {
            host: to?,
            number: number.parse().ok()?,
            outcome: match from {
                outcomes::ANSWERED => Outcome::Answered,
                outcomes::NO_HANDLER => Outcome::NoHandler,
                _ => Outcome::Threw,
            },
            payload,
        },
        _ => {
            let (first, from) = (*seq, from_id);
            *seq += u64::from(payload.count());
            let seq = first;
            match what {
                lines::SEND_PATIENTLY => Input::SendPatiently {
                    seq,
                    from,
                    to,
                    payload,
                },
                lines::REQUEST => Input::Request {
                    seq,
                    from,
                    to,
                    payload,
                },
                lines::QUESTION | lines::STATE | lines::JOB => Input::Note {
                    seq,
                    host: serde_json::from_str::<String>(&from?).ok()?.into(),
                    head: to,
                    kind: match what {
                        lines::QUESTION => NoteKind::Question,
                        lines::STATE => NoteKind::State,
                        _ => NoteKind::Job,
                    },
                    payload,
                },
                lines::SEND => Input::Send {
                    seq,
                    from,
                    to,
                    payload,
                },
                _ => return None,
            }
        }
    });
    Some(())
}

/// The messages of a line.
fn read_payload(text: &ByteString, form: u8, rest: &str, beside: &mut Beside) -> Option<Payload> {
    Some(if form == forms::JSON_TEXT {
        let (texts, count) = rest.rsplit_once('\t')?;
        Payload::Json {
            texts: text.slice_ref(texts),
            count: count.parse().ok()?,
        }
    } else {
        let count = rest.parse().ok()?;
        match form {
            forms::UNDEFINED => Payload::Undefined { count },
            forms::STRING => Payload::Text(beside.texts(count)?),
            forms::BUFFER => Payload::Binary {
                items: beside.bytes(count)?,
                kind: BinaryKind::Buffer,
            },
            forms::UINT8_ARRAY => Payload::Binary {
                items: beside.bytes(count)?,
                kind: BinaryKind::Uint8Array,
            },
            _ => return None,
        }
    })
}

/// Who lives here, and what is listened to here.
fn read_changes(
    what: u8,
    more: bool,
    fields: impl Iterator<Item = Option<Raw>>,
    inputs: &mut Vec<Input>,
) -> Option<()> {
    if what == lines::PEERS {
        let ids = fields.collect();
        inputs.push(match more {
            true => Input::Created { ids },
            false => Input::Removed { ids },
        });
        return Some(());
    }
    if what != lines::CHANNELS && what != lines::PATTERNS {
        return None;
    }
    for name in fields {
        let topic = Topic::read(name?, what == lines::PATTERNS);
        inputs.push(match more {
            true => Input::Subscribe { topic },
            false => Input::Unsubscribe { topic },
        });
    }
    Some(())
}
