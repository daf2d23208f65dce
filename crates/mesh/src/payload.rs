//! What is said: runs of messages, raw from end to end.

pub(crate) mod list;

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::value::RawValue;

use self::list::list_part;
use crate::json::quote;

/// What a message costs the program that gets it, beside its bytes, about.
const MESSAGE: usize = 64;

/// Consecutive messages of one sender to one receiver, or on one channel. There is always at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// JSON texts, joined by commas: nobody has to find out where one ends.
    Json { texts: ByteString, count: u32 },
    /// `undefined`, which JSON cannot say, that many times.
    Undefined { count: u32 },
    /// Strings, past JSON: long ones need neither quotes nor escapes.
    Text(Vec<ByteString>),
    /// Bytes, which v1 cannot carry.
    Binary { items: Vec<Bytes>, kind: BinaryKind },
}

/// What a program gave, and what the other one gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryKind {
    Buffer,
    Uint8Array,
}

impl Payload {
    /// One message as v1 carries it: JSON text, or none for undefined.
    pub fn one(message: Option<ByteString>) -> Payload {
        match message {
            Some(texts) => Payload::Json { texts, count: 1 },
            None => Payload::Undefined { count: 1 },
        }
    }

    /// How many messages.
    pub fn count(&self) -> u32 {
        match self {
            Payload::Json { count, .. } | Payload::Undefined { count } => *count,
            Payload::Text(items) => items.len() as u32,
            Payload::Binary { items, .. } => items.len() as u32,
        }
    }

    /// How many bytes, about.
    pub fn size(&self) -> usize {
        match self {
            Payload::Json { texts, .. } => texts.len(),
            Payload::Undefined { .. } => 0,
            Payload::Text(items) => items.iter().map(|t| t.len()).sum(),
            Payload::Binary { items, .. } => items.iter().map(Bytes::len).sum(),
        }
    }

    /// How much it costs the program that gets it, in bytes, about: also of `undefined`, which takes none here.
    pub fn weight(&self) -> usize {
        self.size() + MESSAGE * self.count() as usize
    }

    /// Keeps the first messages, at most so many and no more than so many bytes, but one at least; gives the others, if there are any.
    pub fn cut(&mut self, messages: u32, bytes: usize) -> Option<Payload> {
        let count = self.count();
        if count <= messages.max(1) && self.size() <= bytes {
            return None;
        }
        let most = messages.max(1).min(count);
        let at = match self {
            Payload::Json { texts, .. } => list_part(texts.as_bytes(), most, bytes).0,
            Payload::Undefined { .. } => most,
            Payload::Text(items) => part(items.iter().map(|t| t.len()), most, bytes),
            Payload::Binary { items, .. } => part(items.iter().map(Bytes::len), most, bytes),
        };
        (at < count).then(|| self.split_off(at))
    }

    /// Keeps the first `at` messages and gives the others. `at` must be more than 0 and less than the count.
    pub fn split_off(&mut self, at: u32) -> Payload {
        match self {
            Payload::Json { texts, count } => {
                let (_, end) = list_part(texts.as_bytes(), at, usize::MAX);
                let rest = texts.slice_ref(texts.get(end + 1..).unwrap_or_default());
                *texts = texts.slice_ref(&texts[..end]);
                let left = *count - at;
                *count = at;
                Payload::Json {
                    texts: rest,
                    count: left,
                }
            }
            Payload::Undefined { count } => {
                let left = *count - at;
                *count = at;
                Payload::Undefined { count: left }
            }
            Payload::Text(items) => Payload::Text(items.split_off(at as usize)),
            Payload::Binary { items, kind } => Payload::Binary {
                items: items.split_off(at as usize),
                kind: *kind,
            },
        }
    }

    /// How many of the first messages may be taken where there is room for so many, and for so many bytes, of which each takes `more`
    /// beside its own. JSON texts are parsed for this, unless there is no room at all.
    pub fn fitting(&self, messages: usize, bytes: usize, more: usize) -> u32 {
        let most = messages.min(self.count() as usize);
        if most == 0 || bytes < more {
            return 0;
        }
        let mut left = bytes;
        let mut fits = |size: &usize| match left.checked_sub(size + more) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        let fitting = match self {
            Payload::Json { texts, .. } => {
                let ends = json_ends(texts);
                let starts = [0].into_iter().chain(ends.iter().copied());
                let sizes = ends.iter().zip(starts).map(|(end, start)| end - start);
                sizes.take(most).take_while(|s| fits(s)).count()
            }
            Payload::Undefined { .. } => {
                std::iter::repeat_n(0, most).take_while(|s| fits(s)).count()
            }
            Payload::Text(items) => {
                let sizes = items.iter().map(|t| t.len());
                sizes.take(most).take_while(|s| fits(s)).count()
            }
            Payload::Binary { items, .. } => {
                let sizes = items.iter().map(Bytes::len);
                sizes.take(most).take_while(|s| fits(s)).count()
            }
        };
        fitting as u32
    }

    /// The same, in memory of its own: what it was cut out of can be freed.
    pub fn detached(self) -> Payload {
        match self {
            Payload::Json { texts, count } => Payload::Json {
                texts: ByteString::from(&*texts),
                count,
            },
            Payload::Undefined { .. } => self,
            Payload::Text(items) => {
                Payload::Text(items.iter().map(|t| ByteString::from(&**t)).collect())
            }
            Payload::Binary { items, kind } => Payload::Binary {
                items: items.iter().map(|b| Bytes::copy_from_slice(b)).collect(),
                kind,
            },
        }
    }

    /// Each message as a run of its own.
    pub fn into_singles(self) -> Vec<Payload> {
        match self {
            Payload::Json { .. } => self.into_json().into_iter().map(Payload::one).collect(),
            Payload::Undefined { count } => vec![Payload::one(None); count as usize],
            Payload::Text(items) => items
                .into_iter()
                .map(|text| Payload::Text(vec![text]))
                .collect(),
            Payload::Binary { items, kind } => items
                .into_iter()
                .map(|bytes| Payload::Binary {
                    items: vec![bytes],
                    kind,
                })
                .collect(),
        }
    }

    /// Each message as v1 carries it.
    pub fn into_json(self) -> Vec<Option<ByteString>> {
        match self {
            Payload::Json { texts, count: 1 } => vec![Some(texts)],
            Payload::Json { texts, .. } => {
                let mut start = 0;
                let mut cut = |end: usize| {
                    let text = texts.slice_ref(&texts[start..end]);
                    start = end + 1;
                    Some(text)
                };
                json_ends(&texts).into_iter().map(&mut cut).collect()
            }
            Payload::Undefined { count } => vec![None; count as usize],
            Payload::Text(items) => items.iter().map(|t| Some(quote(t).into())).collect(),
            Payload::Binary { items, kind } => items
                .iter()
                .map(|bytes| Some(binary_json(bytes, kind)))
                .collect(),
        }
    }

    /// Whether this is what it says: only JSON texts can be something else, when a stranger made them.
    pub fn is_valid(&self) -> bool {
        match self {
            Payload::Json { texts, count } => {
                serde_json::from_str::<Vec<&RawValue>>(&format!("[{texts}]"))
                    .is_ok_and(|values| values.len() == *count as usize)
            }
            _ => true,
        }
    }
}

/// How many of the first messages there are, `most` at most, whose sizes come to no more than so many bytes; one at least.
fn part(sizes: impl Iterator<Item = usize>, most: u32, bytes: usize) -> u32 {
    let mut left = bytes;
    let mut fits = |size: &usize| left.checked_sub(*size).map(|rest| left = rest).is_some();
    (sizes.take(most as usize).take_while(|s| fits(s)).count() as u32).max(1)
}

/// Where each of several JSON texts, joined by commas, ends.
fn json_ends(texts: &ByteString) -> Vec<usize> {
    let array = format!("[{texts}]");
    let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(&array) else {
        return vec![texts.len()];
    };
    let base = array.as_ptr() as usize + 1;
    // JSON.stringify writes no spaces, but others may: a text reaches to its comma.
    let starts = values
        .iter()
        .skip(1)
        .map(|v| v.get().as_ptr() as usize - base)
        .map(|start| texts[..start].rfind(',').unwrap_or(start));
    starts.chain([texts.len()]).collect()
}

/// What `JSON.stringify` makes of a Buffer or a Uint8Array.
fn binary_json(bytes: &[u8], kind: BinaryKind) -> ByteString {
    use std::fmt::Write;
    let mut out = String::with_capacity(32 + 4 * bytes.len());
    let buffer = kind == BinaryKind::Buffer;
    out.push_str(if buffer {
        "{\"type\":\"Buffer\",\"data\":["
    } else {
        "{"
    });
    for (n, byte) in bytes.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        // Writing into a String does not fail.
        let _ = if buffer {
            write!(out, "{byte}")
        } else {
            write!(out, "\"{n}\":{byte}")
        };
    }
    out.push_str(if buffer { "]}" } else { "}" });
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(texts: &'static str, count: u32) -> Payload {
        Payload::Json {
            texts: ByteString::from_static(texts),
            count,
        }
    }

    #[test]
    fn runs_are_split_between_messages() {
        let mut run = json("1,\"a,b\",[2,3],{\"x\":\",\"}", 4);
        let rest = run.split_off(2);
        assert_eq!(run, json("1,\"a,b\"", 2));
        assert_eq!(rest, json("[2,3],{\"x\":\",\"}", 2));
        let each: Vec<_> = rest.into_json().into_iter().flatten().collect();
        assert_eq!(each, ["[2,3]", "{\"x\":\",\"}"]);
    }

    #[test]
    fn runs_are_cut_where_they_have_become_long_enough() {
        let text = |n: usize| Payload::Text(vec!["12345".into(); n]);
        let undefined = |count| Payload::Undefined { count };
        for (mut run, messages, bytes, rest) in [
            (undefined(5), 5, 0, None),
            (undefined(5), 2, 0, Some(undefined(3))),
            (text(3), 3, 15, None),
            (text(3), 3, 14, Some(text(1))),
            (text(3), 3, 0, Some(text(2))),
            (text(1), 1, 0, None),
            (json("1,[2,3],4", 3), 3, 9, None),
            (json("1,[2,3],4", 3), 3, 8, Some(json("4", 1))),
            (json("1,[2,3],4", 3), 1, 9, Some(json("[2,3],4", 2))),
            (json("[2,3]", 1), 1, 1, None),
        ] {
            let count = run.count();
            assert_eq!(run.cut(messages, bytes), rest, "{messages} {bytes}");
            assert_eq!(run.count() + rest.map_or(0, |r| r.count()), count);
        }
    }

    #[test]
    fn as_many_messages_fit_as_there_is_room_for() {
        let text =
            |sizes: &[usize]| Payload::Text(sizes.iter().map(|n| "x".repeat(*n).into()).collect());
        let bytes = |sizes: &[usize]| Payload::Binary {
            items: sizes.iter().map(|n| vec![0; *n].into()).collect(),
            kind: BinaryKind::Buffer,
        };
        // Of JSON texts the comma counts as well.
        let run = json("1,\"a,b\",[2,3],4", 4);
        for (messages, room, fitting) in [
            (4, 100, 4),
            (3, 100, 3),
            (4, 10, 0),
            (4, 11, 1),
            (4, 26, 1),
            (4, 27, 2),
            (0, 100, 0),
        ] {
            assert_eq!(
                run.fitting(messages, room, 10),
                fitting,
                "{messages} {room}"
            );
        }
        for run in [text(&[5, 5, 5]), bytes(&[5, 5, 5])] {
            for (room, fitting) in [(14, 0), (15, 1), (44, 2), (45, 3)] {
                assert_eq!(run.fitting(9, room, 10), fitting, "{room}");
            }
        }
        assert_eq!(Payload::Undefined { count: 5 }.fitting(4, 35, 10), 3);
    }

    #[test]
    fn bytes_become_what_json_makes_of_them() {
        let binary = |kind| Payload::Binary {
            items: vec![Bytes::from_static(&[1, 255])],
            kind,
        };
        let buffer = binary(BinaryKind::Buffer).into_json();
        assert_eq!(
            buffer[0].as_deref(),
            Some("{\"type\":\"Buffer\",\"data\":[1,255]}")
        );
        let array = binary(BinaryKind::Uint8Array).into_json();
        assert_eq!(array[0].as_deref(), Some("{\"0\":1,\"1\":255}"));
    }

    #[test]
    fn what_is_not_as_many_values_as_it_says_is_not_valid() {
        assert!(json("1,[2],3", 3).is_valid());
        assert!(!json("1,[2],3", 2).is_valid());
        assert!(!json("1],[2", 2).is_valid());
        assert!(!json("", 1).is_valid());
    }
}
