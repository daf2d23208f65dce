//! How frames are read.

use bytes::Bytes;
use bytestring::ByteString;

use super::*;
use crate::payload::BinaryKind;
use crate::payload::list::list_length;

/// Reads a frame's records, leaving out those of unknown kinds. Relayed frames are for others, and empty here.
pub fn decode(frame: &Bytes) -> Result<Vec<Record>, Malformed> {
    records(frame).collect()
}

/// The same, one by one: what a record announces takes no memory before the record's turn.
pub fn records(frame: &Bytes) -> impl Iterator<Item = Result<Record, Malformed>> {
    let mut rest = Reader::new(frame);
    let mut flags = Some(rest.byte());
    std::iter::from_fn(move || {
        let read = match flags.take() {
            Some(Err(malformed)) => Err(malformed),
            Some(Ok(flags)) if flags & ROUTED != 0 => Ok(None),
            _ => rest.record(),
        };
        if !matches!(read, Ok(Some(_))) {
            rest.at = rest.end;
        }
        read.transpose()
    })
}

pub(super) struct Reader<'a> {
    frame: &'a Bytes,
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(frame: &'a Bytes) -> Self {
        let (at, end) = (0, frame.len());
        Reader { frame, at, end }
    }

    /// The next record of a kind that is known, or none.
    fn record(&mut self) -> Result<Option<Record>, Malformed> {
        while self.at < self.end {
            let kind = self.byte()?;
            let end = self.length()? + self.at;
            let at = std::mem::replace(&mut self.at, end);
            let frame = self.frame;
            let mut body = Reader { frame, at, end };
            if let Some(record) = body.body(kind)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// What such a record says; nothing, if nobody here knows.
    fn body(&mut self, kind: u8) -> Result<Option<Record>, Malformed> {
        Ok(Some(match kind {
            SEND => Record::Send {
                first: self.number()?,
                to: self.id()?,
                from: self.id()?,
                payload: self.payload()?,
            },
            NOTE => Record::Note {
                first: self.number()?,
                head: self.id()?,
                payload: self.payload()?,
            },
            PUBLISH => Record::Publish {
                first: self.number()?,
                channel: self.id()?,
                payload: self.payload()?,
            },
            REQUEST => Record::Request {
                first: self.number()?,
                to: self.id()?,
                from: self.id()?,
                number: self.number()?,
                payload: self.payload()?,
            },
            REPLY => Record::Reply {
                first: self.number()?,
                number: self.number()?,
                outcome: self.outcome()?,
                payload: self.payload()?,
            },
            GAP => Record::Gap {
                first: self.number()?,
                count: self.number()?,
            },
            BEAT => Record::Beat {
                interval: self.number()?,
                stalled: self.number()?,
            },
            ACK => Record::Ack(self.ack()?),
            SEEN => Record::Seen(self.number()?),
            INTEREST => Record::Interest(self.interest()?),
            SYNC => Record::Sync(self.number()?),
            SYNCED => Record::Synced(self.number()?),
            PLACE => return Ok(self.place()?.map(Record::Place)),
            LOOK => Record::Look {
                number: self.number()?,
                id: self.id()?,
            },
            ASK => Record::Ask {
                number: self.number()?,
                asker: self.text()?,
                id: self.id()?,
            },
            FOUND => Record::Found {
                number: self.number()?,
                url: self.found()?,
            },
            _ => return Ok(None),
        }))
    }

    fn outcome(&mut self) -> Result<Outcome, Malformed> {
        Ok(match self.byte()? {
            0 => Outcome::Answered,
            2 => Outcome::NoHandler,
            _ => Outcome::Threw,
        })
    }

    /// The url of the host where a peer was found, if it was.
    fn found(&mut self) -> Result<Option<ByteString>, Malformed> {
        let here = self.byte()? != 0;
        Ok(Some(self.text()?).filter(|_| here))
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        if self.at >= self.end {
            return Err(Malformed::Short);
        }
        let byte = self.frame[self.at];
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
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
        let most = match form {
            UNDEFINED => MAX_UNDEFINED,
            _ => MAX_RUN.min((self.end - self.at) as u64 + 1),
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
        let changes = Changes(self.frame.slice(self.at..self.end));
        while self.at < self.end {
            self.change()?;
        }
        Ok(Interest {
            whole: flags & WHOLE != 0,
            more: flags & MORE != 0,
            changes,
        })
    }

    fn change(&mut self) -> Result<(bool, Topic), Malformed> {
        let kind = self.byte()?;
        let name = self.text()?;
        let pattern = kind & PATTERN != 0;
        Ok((kind & REMOVED == 0, Topic { name, pattern }))
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
                4 => Code::Overloaded,
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

impl Changes {
    /// The names are parts of the frame that they have come with: not to be kept for long.
    pub fn iter(&self) -> impl Iterator<Item = (bool, Topic)> {
        let mut rest = Reader::new(&self.0);
        // It was all right when it was read.
        std::iter::from_fn(move || rest.change().ok())
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
