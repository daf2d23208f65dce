//! How frames are read.

use bytes::Bytes;
use bytestring::ByteString;

use super::list::list_length;
use super::*;
use crate::payload::BinaryKind;

/// Reads a frame's records, leaving out those of unknown kinds. Relayed frames are for others, and empty here.
pub fn decode(frame: &Bytes) -> Result<Vec<Record>, Malformed> {
    let mut records = Vec::new();
    let mut rest = Reader::new(frame);
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
            NOTE => records.push(Record::Note {
                first: body.number()?,
                head: body.id()?,
                payload: body.payload()?,
            }),
            PUBLISH => records.push(Record::Publish {
                first: body.number()?,
                channel: body.id()?,
                payload: body.payload()?,
            }),
            REQUEST => records.push(Record::Request {
                first: body.number()?,
                to: body.id()?,
                from: body.id()?,
                number: body.number()?,
                payload: body.payload()?,
            }),
            REPLY => records.push(Record::Reply {
                first: body.number()?,
                number: body.number()?,
                outcome: body.outcome()?,
                payload: body.payload()?,
            }),
            GAP => records.push(Record::Gap {
                first: body.number()?,
                count: body.number()?,
            }),
            BEAT => records.push(Record::Beat {
                interval: body.number()?,
                stalled: body.number()?,
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
                url: body.found()?,
            }),
            _ => {}
        }
        rest.at = end;
    }
    Ok(records)
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
