//! Our own protocol: binary frames, each with any number of records of any kinds. `docs/PROTOCOL.md` has the layout.
//!
//! Users' messages are carried as they came from `JSON.stringify`, a whole run in one piece: writing and reading a record costs a copy
//! and one look at each byte, not a parse.

use bytes::Bytes;
use bytestring::ByteString;

use crate::event::{Raw, Topic};
use crate::payload::{BinaryKind, Payload};

/// The highest version that is spoken here.
pub const VERSION: u64 = 2;

/// Frame flags: the frame is relayed, and begins with the ids of the hosts that it comes from and goes to.
const ROUTED: u8 = 1;

const SEND: u8 = 1;
const PUBLISH: u8 = 2;
const ACK: u8 = 3;
const SEEN: u8 = 4;
const INTEREST: u8 = 5;
const SYNC: u8 = 6;
const SYNCED: u8 = 7;
const PLACE: u8 = 8;
const LOOK: u8 = 9;
const ASK: u8 = 10;
const FOUND: u8 = 11;
const NOTE: u8 = 12;

/// Flags of interests: what was said before counts no more; the next record belongs to this one.
const WHOLE: u8 = 1;
const MORE: u8 = 2;

/// Flags of a change in interests: it is a pattern; it is not listened to any more.
const PATTERN: u8 = 1;
const REMOVED: u8 = 2;

const JSON: u8 = 0;
const UNDEFINED: u8 = 1;
const TEXT: u8 = 2;
const BUFFER: u8 = 3;
const UINT8_ARRAY: u8 = 4;

/// The largest number that JavaScript can count to.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The longest list that a record may announce: a run has no more messages than it has bytes, but `undefined` has none.
const MAX_UNDEFINED: u64 = 1 << 20;

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    Send {
        first: u64,
        to: Option<Raw>,
        from: Option<Raw>,
        payload: Payload,
    },
    Publish {
        first: u64,
        channel: Option<Raw>,
        payload: Payload,
    },
    /// From the program of one host to that of another.
    Note {
        first: u64,
        head: Option<Raw>,
        payload: Payload,
    },
    Ack(Ack),
    /// Acknowledgements up to this number have been seen.
    Seen(u64),
    Interest(Interest),
    /// Wants a `Synced` with the same number when all records before this one have taken effect.
    Sync(u64),
    Synced(u64),
    /// About peers of the sender that are registered at the receiver.
    Place(Place),
    /// Who has that peer? To be answered by whoever knows.
    Look {
        number: u64,
        id: Option<Raw>,
    },
    /// That host asks: does that peer live here?
    Ask {
        number: u64,
        asker: ByteString,
        id: Option<Raw>,
    },
    /// The answer: yes, and the sender's url (empty if it has none); or no.
    Found {
        number: u64,
        url: Option<ByteString>,
    },
}

/// Hashes of the ids of peers of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// They live there. `whole`: nothing that was said before counts any more.
    Add { whole: bool, hashes: Vec<u64> },
    /// They do not any more.
    Remove(Vec<u64>),
    /// The receiver is not responsible any more for the hashes with these highest bits.
    Drop(u16),
}

/// What is listened to at the sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// These are all, not changes.
    pub whole: bool,
    /// Only together with the next one is it complete.
    pub more: bool,
    /// What is listened to from now on (true), or not any more.
    pub changes: Vec<(bool, Topic)>,
}

/// How messages ended that did not end as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    pub first: u64,
    pub count: u32,
    pub code: Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoSuchPeer,
    Threw,
    /// A listener threw an error that begins with "Peer not found".
    ThrewNotFound,
}

/// What is to be told about messages that were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// All messages up to this one have been taken by the program.
    pub upto: u64,
    pub window: u64,
    pub exceptions: Vec<Exception>,
}

/// A frame that is not what it should be. The link that it came over is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the frame ends too early")]
    Short,
    #[error("a number is too large")]
    Number,
    #[error("a text is not UTF-8")]
    Utf8,
    #[error("a run does not hold as many messages as it says")]
    Run,
    #[error("an id is not a JSON value")]
    Id,
}

/// A frame as it is being made.
#[derive(Debug, Default)]
pub struct Frame {
    bytes: Vec<u8>,
    messages: u32,
}

impl Frame {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many messages are in it.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Takes what has been written.
    pub fn take(&mut self) -> Bytes {
        self.messages = 0;
        std::mem::take(&mut self.bytes).into()
    }

    fn begin(&mut self, kind: u8, length: usize) {
        if self.bytes.is_empty() {
            self.bytes.reserve(length + 16);
            self.bytes.push(0);
        }
        self.bytes.push(kind);
        self.number(length as u64);
    }

    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.bytes.push(n as u8);
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub fn send(&mut self, first: u64, to: &Option<Raw>, from: &Option<Raw>, payload: &Payload) {
        let (to, from) = (bytes_of(to), bytes_of(from));
        let length = number_length(first) + blob_length(to) + blob_length(from);
        self.begin(SEND, length + payload_length(payload));
        self.number(first);
        self.blob(to);
        self.blob(from);
        self.payload(payload);
    }

    pub fn publish(&mut self, first: u64, channel: &Option<Raw>, payload: &Payload) {
        self.headed(PUBLISH, first, channel, payload);
    }

    pub fn note(&mut self, first: u64, head: &Option<Raw>, payload: &Payload) {
        self.headed(NOTE, first, head, payload);
    }

    fn headed(&mut self, kind: u8, first: u64, head: &Option<Raw>, payload: &Payload) {
        let head = bytes_of(head);
        let length = number_length(first) + blob_length(head);
        self.begin(kind, length + payload_length(payload));
        self.number(first);
        self.blob(head);
        self.payload(payload);
    }

    pub fn ack(&mut self, ack: &Ack) {
        let mut body = Frame::default();
        body.number(ack.upto);
        body.number(ack.window);
        for Exception { first, count, code } in &ack.exceptions {
            body.number(*first);
            body.number(u64::from(*count));
            body.bytes.push(match code {
                Code::NoSuchPeer => 1,
                Code::Threw => 2,
                Code::ThrewNotFound => 3,
            });
        }
        self.begin(ACK, body.bytes.len());
        self.bytes.extend_from_slice(&body.bytes);
    }

    pub fn seen(&mut self, upto: u64) {
        self.begin(SEEN, number_length(upto));
        self.number(upto);
    }

    pub fn interest(&mut self, interest: &Interest) {
        let sizes = interest
            .changes
            .iter()
            .map(|(_, topic)| 1 + blob_length(topic.name.as_bytes()));
        self.begin(INTEREST, 1 + sizes.sum::<usize>());
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        self.bytes
            .push(flag(interest.whole, WHOLE) | flag(interest.more, MORE));
        for (add, topic) in &interest.changes {
            self.bytes
                .push(flag(topic.pattern, PATTERN) | flag(!add, REMOVED));
            self.blob(topic.name.as_bytes());
        }
    }

    pub fn sync(&mut self, number: u64) {
        self.begin(SYNC, number_length(number));
        self.number(number);
    }

    pub fn synced(&mut self, number: u64) {
        self.begin(SYNCED, number_length(number));
        self.number(number);
    }

    pub fn place(&mut self, place: &Place) {
        let (kind, hashes) = match place {
            Place::Add {
                whole: false,
                hashes,
            } => (0, hashes),
            Place::Add {
                whole: true,
                hashes,
            } => (1, hashes),
            Place::Remove(hashes) => (2, hashes),
            Place::Drop(shard) => {
                self.begin(PLACE, 1 + number_length(u64::from(*shard)));
                self.bytes.push(3);
                return self.number(u64::from(*shard));
            }
        };
        self.begin(PLACE, 1 + 8 * hashes.len());
        self.bytes.push(kind);
        for hash in hashes {
            self.bytes.extend_from_slice(&hash.to_le_bytes());
        }
    }

    pub fn look(&mut self, number: u64, id: &Option<Raw>) {
        let id = bytes_of(id);
        self.begin(LOOK, number_length(number) + blob_length(id));
        self.number(number);
        self.blob(id);
    }

    pub fn ask(&mut self, number: u64, asker: &str, id: &Option<Raw>) {
        let (id, asker) = (bytes_of(id), asker.as_bytes());
        self.begin(
            ASK,
            number_length(number) + blob_length(asker) + blob_length(id),
        );
        self.number(number);
        self.blob(asker);
        self.blob(id);
    }

    pub fn found(&mut self, number: u64, url: Option<&ByteString>) {
        let text = url.map_or(&[][..], |url| url.as_bytes());
        self.begin(FOUND, number_length(number) + 1 + blob_length(text));
        self.number(number);
        self.bytes.push(u8::from(url.is_some()));
        self.blob(text);
    }

    fn payload(&mut self, payload: &Payload) {
        self.messages += payload.count();
        let form = match payload {
            Payload::Json { .. } => JSON,
            Payload::Undefined { .. } => UNDEFINED,
            Payload::Text(_) => TEXT,
            Payload::Binary {
                kind: BinaryKind::Buffer,
                ..
            } => BUFFER,
            Payload::Binary {
                kind: BinaryKind::Uint8Array,
                ..
            } => UINT8_ARRAY,
        };
        self.bytes.push(form);
        self.number(u64::from(payload.count()));
        match payload {
            Payload::Json { texts, .. } => self.bytes.extend_from_slice(texts.as_bytes()),
            Payload::Undefined { .. } => {}
            Payload::Text(items) => items.iter().for_each(|t| self.blob(t.as_bytes())),
            Payload::Binary { items, .. } => items.iter().for_each(|b| self.blob(b)),
        }
    }
}

fn bytes_of(raw: &Option<Raw>) -> &[u8] {
    raw.as_ref().map_or(&[], |raw| raw.as_bytes())
}

fn number_length(n: u64) -> usize {
    (64 - (n | 1).leading_zeros() as usize).div_ceil(7)
}

fn blob_length(bytes: &[u8]) -> usize {
    number_length(bytes.len() as u64) + bytes.len()
}

fn payload_length(payload: &Payload) -> usize {
    let data = match payload {
        Payload::Json { texts, .. } => texts.len(),
        Payload::Undefined { .. } => 0,
        Payload::Text(items) => items.iter().map(|t| blob_length(t.as_bytes())).sum(),
        Payload::Binary { items, .. } => items.iter().map(|b| blob_length(b)).sum(),
    };
    1 + number_length(u64::from(payload.count())) + data
}

/// Reads a frame's records, leaving out those of unknown kinds. Relayed frames are for others, and empty here.
pub fn decode(frame: &Bytes) -> Result<Vec<Record>, Malformed> {
    let mut records = Vec::new();
    let mut rest = Reader {
        frame,
        at: 0,
        end: frame.len(),
    };
    if rest.byte()? & ROUTED != 0 {
        return Ok(records);
    }
    while rest.at < rest.end {
        let kind = rest.byte()?;
        let length = rest.length()?;
        let end = rest.at + length;
        let mut body = Reader {
            frame,
            at: rest.at,
            end,
        };
        match kind {
            SEND => records.push(Record::Send {
                first: body.number()?,
                to: body.id()?,
                from: body.id()?,
                payload: body.payload()?,
            }),
            PUBLISH => records.push(Record::Publish {
                first: body.number()?,
                channel: body.id()?,
                payload: body.payload()?,
            }),
            NOTE => records.push(Record::Note {
                first: body.number()?,
                head: body.id()?,
                payload: body.payload()?,
            }),
            ACK => records.push(Record::Ack(body.ack()?)),
            SEEN => records.push(Record::Seen(body.number()?)),
            INTEREST => records.push(Record::Interest(body.interest()?)),
            SYNC => records.push(Record::Sync(body.number()?)),
            SYNCED => records.push(Record::Synced(body.number()?)),
            PLACE => records.extend(body.place()?.map(Record::Place)),
            LOOK => records.push(Record::Look {
                number: body.number()?,
                id: body.id()?,
            }),
            ASK => records.push(Record::Ask {
                number: body.number()?,
                asker: body.text()?,
                id: body.id()?,
            }),
            FOUND => records.push(Record::Found {
                number: body.number()?,
                url: {
                    let here = body.byte()? != 0;
                    Some(body.text()?).filter(|_| here)
                },
            }),
            _ => {}
        }
        rest.at = end;
    }
    Ok(records)
}

struct Reader<'a> {
    frame: &'a Bytes,
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        if self.at >= self.end {
            return Err(Malformed::Short);
        }
        let byte = self.frame[self.at];
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut n = 0u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return if n <= MAX_NUMBER {
                    Ok(n)
                } else {
                    Err(Malformed::Number)
                };
            }
        }
        Err(Malformed::Number)
    }

    /// A length that what is left does hold.
    fn length(&mut self) -> Result<usize, Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed::Number)?;
        if length > self.end - self.at {
            return Err(Malformed::Short);
        }
        Ok(length)
    }

    fn blob(&mut self) -> Result<Bytes, Malformed> {
        let length = self.length()?;
        let blob = self.frame.slice(self.at..self.at + length);
        self.at += length;
        Ok(blob)
    }

    fn text(&mut self) -> Result<ByteString, Malformed> {
        ByteString::try_from(self.blob()?).map_err(|_| Malformed::Utf8)
    }

    fn id(&mut self) -> Result<Option<Raw>, Malformed> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        // Ids are short, and JavaScript is shown them without further looks.
        if !is_plain(&text) && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Err(Malformed::Id);
        }
        Ok(Some(text))
    }

    fn payload(&mut self) -> Result<Payload, Malformed> {
        let form = self.byte()?;
        let count = self.number()?;
        // Every other message takes a byte at least.
        let most = if form == UNDEFINED {
            MAX_UNDEFINED
        } else {
            (self.end - self.at) as u64 + 1
        };
        if count == 0 || count > most {
            return Err(Malformed::Run);
        }
        let count = count as u32;
        let blobs = |reader: &mut Self| {
            (0..count)
                .map(|_| reader.blob())
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match form {
            JSON => {
                let texts = self.frame.slice(self.at..self.end);
                self.at = self.end;
                let texts = ByteString::try_from(texts).map_err(|_| Malformed::Utf8)?;
                if list_length(texts.as_bytes()) != Some(count) {
                    return Err(Malformed::Run);
                }
                Payload::Json { texts, count }
            }
            UNDEFINED => Payload::Undefined { count },
            TEXT => Payload::Text((0..count).map(|_| self.text()).collect::<Result<_, _>>()?),
            BUFFER => Payload::Binary {
                items: blobs(self)?,
                kind: BinaryKind::Buffer,
            },
            UINT8_ARRAY => Payload::Binary {
                items: blobs(self)?,
                kind: BinaryKind::Uint8Array,
            },
            _ => return Err(Malformed::Run),
        })
    }

    fn place(&mut self) -> Result<Option<Place>, Malformed> {
        let kind = self.byte()?;
        if kind == 3 {
            let shard = u16::try_from(self.number()?).map_err(|_| Malformed::Number)?;
            return Ok(Some(Place::Drop(shard)));
        }
        let bytes = &self.frame[self.at..self.end];
        let (hashes, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Malformed::Short);
        }
        let hashes = hashes
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect();
        Ok(match kind {
            0 | 1 => Some(Place::Add {
                whole: kind == 1,
                hashes,
            }),
            2 => Some(Place::Remove(hashes)),
            _ => None,
        })
    }

    fn interest(&mut self) -> Result<Interest, Malformed> {
        let flags = self.byte()?;
        let mut changes = Vec::new();
        while self.at < self.end {
            let kind = self.byte()?;
            // Kept for long: not as a part of the frame.
            let name = ByteString::from(self.text()?.to_string());
            let pattern = kind & PATTERN != 0;
            changes.push((kind & REMOVED == 0, Topic { name, pattern }));
        }
        Ok(Interest {
            whole: flags & WHOLE != 0,
            more: flags & MORE != 0,
            changes,
        })
    }

    fn ack(&mut self) -> Result<Ack, Malformed> {
        let (upto, window) = (self.number()?, self.number()?);
        let mut exceptions = Vec::new();
        while self.at < self.end {
            let first = self.number()?;
            let count = u32::try_from(self.number()?).map_err(|_| Malformed::Number)?;
            let code = match self.byte()? {
                1 => Code::NoSuchPeer,
                3 => Code::ThrewNotFound,
                _ => Code::Threw,
            };
            exceptions.push(Exception { first, count, code });
        }
        Ok(Ack {
            upto,
            window,
            exceptions,
        })
    }
}

/// Whether that is a JSON string without escapes.
fn is_plain(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with('"')
        && text.ends_with('"')
        && text[1..text.len() - 1]
            .bytes()
            .all(|b| b >= 0x20 && b != b'"' && b != b'\\')
}

/// What to do about a byte of JSON text.
const OTHER: u8 = 0;
const QUOTE: u8 = 1;
const OPEN: u8 = 2;
const CLOSE: u8 = 3;
const COMMA: u8 = 4;
static CLASS: [u8; 256] = {
    let mut class = [OTHER; 256];
    class[b'"' as usize] = QUOTE;
    class[b'[' as usize] = OPEN;
    class[b'{' as usize] = OPEN;
    class[b']' as usize] = CLOSE;
    class[b'}' as usize] = CLOSE;
    class[b',' as usize] = COMMA;
    class
};

/// How many JSON texts these are, joined by commas; `None` when brackets or quotes do not match.
///
/// This is no check for being JSON: it makes sure that, pasted into a larger text, the list can neither end earlier nor hold
/// more than it says. Where that text is valid JSON as a whole, brackets and quotes have the meaning that they have here.
fn list_length(texts: &[u8]) -> Option<u32> {
    let (mut depth, mut commas, mut at) = (0u32, 0u32, 0);
    while at < texts.len() {
        match CLASS[texts[at] as usize] {
            QUOTE => at = string_end(texts, at + 1)?,
            OPEN => depth += 1,
            CLOSE => depth = depth.checked_sub(1)?,
            COMMA if depth == 0 => commas += 1,
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(commas + 1)
}

/// Where the string ends in which `at` is: the place of its closing quote.
fn string_end(texts: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', texts.get(at..)?)?;
        if texts[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted_and_cannot_be_left() {
        for (texts, length) in [
            ("1", Some(1)),
            ("1,\"a,]\",[2,3],{\"x\":\"\\\",\"}", Some(4)),
            ("1],[2", None),
            ("\"a", None),
            ("\"a\\\"", None),
            ("[", None),
            ("\"\\", None),
        ] {
            assert_eq!(list_length(texts.as_bytes()), length, "{texts}");
        }
    }

    #[test]
    fn numbers_have_the_length_that_is_announced() {
        for n in [0, 1, 127, 128, 16383, 16384, 1 << 32, MAX_NUMBER] {
            let mut frame = Frame::default();
            frame.number(n);
            assert_eq!(frame.bytes.len(), number_length(n), "{n}");
            let bytes = frame.take();
            let mut reader = Reader {
                frame: &bytes,
                at: 0,
                end: bytes.len(),
            };
            assert_eq!(reader.number(), Ok(n));
        }
    }
}
