//! How frames are written.

use bytes::Bytes;
use bytestring::ByteString;

use super::*;
use crate::payload::BinaryKind;

/// A frame as it is being made.
#[derive(Debug, Default)]
pub struct Frame {
    bytes: Vec<u8>,
    messages: u32,
    /// How many bytes of it others have caused, beside what sessions bound.
    owed: usize,
}

impl Frame {
    /// How many of its bytes answer what others ask, or say to us that there are no such peers.
    pub fn owed(&self) -> usize {
        self.owed
    }

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
        (self.messages, self.owed) = (0, 0);
        std::mem::take(&mut self.bytes).into()
    }

    /// Writes any record.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Send {
                first,
                to,
                from,
                payload,
            } => self.send(*first, to, from, payload),
            Record::Note {
                first,
                head,
                payload,
            } => self.note(*first, head, payload),
            Record::Publish {
                first,
                channel,
                payload,
            } => self.publish(*first, channel, payload),
            Record::Request {
                first,
                to,
                from,
                number,
                payload,
            } => self.request(*first, to, from, *number, payload),
            Record::Reply {
                first,
                number,
                outcome,
                payload,
            } => self.reply(*first, *number, *outcome, payload),
            Record::Gap { first, count } => self.gap(*first, *count),
            Record::Beat { interval, stalled } => self.beat(*interval, *stalled),
            Record::Ack(ack) => self.ack(ack),
            Record::Seen(upto) => self.seen(*upto),
            Record::Interest(interest) => self.interest(interest),
            Record::Sync(number) => self.sync(*number),
            Record::Synced(number) => self.synced(*number),
            Record::Place(place) => self.place(place),
            Record::Look { number, id } => self.look(*number, id),
            Record::Ask { number, asker, id } => self.ask(*number, asker, id),
            Record::Found { number, url } => self.found(*number, url.as_ref()),
        }
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

    pub fn request(
        &mut self,
        first: u64,
        to: &Option<Raw>,
        from: &Option<Raw>,
        number: u64,
        payload: &Payload,
    ) {
        let (to, from) = (bytes_of(to), bytes_of(from));
        let length = number_length(first)
            + blob_length(to)
            + blob_length(from)
            + number_length(number)
            + payload_length(payload);
        self.begin(REQUEST, length);
        self.number(first);
        self.blob(to);
        self.blob(from);
        self.number(number);
        self.payload(payload);
    }

    pub fn reply(&mut self, first: u64, number: u64, outcome: Outcome, payload: &Payload) {
        let length = number_length(first) + number_length(number) + 1;
        self.begin(REPLY, length + payload_length(payload));
        self.number(first);
        self.number(number);
        self.bytes.push(match outcome {
            Outcome::Answered => 0,
            Outcome::Threw => 1,
            Outcome::NoHandler => 2,
        });
        self.payload(payload);
    }

    pub fn gap(&mut self, first: u64, count: u64) {
        self.begin(GAP, number_length(first) + number_length(count));
        self.number(first);
        self.number(count);
        self.messages += 1;
    }

    pub fn beat(&mut self, interval: u64, stalled: u64) {
        self.begin(BEAT, number_length(interval) + number_length(stalled));
        self.number(interval);
        self.number(stalled);
    }

    pub fn ack(&mut self, ack: &Ack) {
        let before = self.len();
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
                Code::Overloaded => 4,
            });
        }
        self.begin(ACK, body.bytes.len());
        self.bytes.extend_from_slice(&body.bytes);
        if !ack.exceptions.is_empty() {
            self.owed += self.len() - before;
        }
    }

    pub fn seen(&mut self, upto: u64) {
        self.begin(SEEN, number_length(upto));
        self.number(upto);
    }

    pub fn interest(&mut self, interest: &Interest) {
        let changes = &interest.changes.0;
        self.begin(INTEREST, 1 + changes.len());
        self.bytes
            .push(flag(interest.whole, WHOLE) | flag(interest.more, MORE));
        self.bytes.extend_from_slice(changes);
    }

    pub fn sync(&mut self, number: u64) {
        self.begin(SYNC, number_length(number));
        self.number(number);
    }

    pub fn synced(&mut self, number: u64) {
        let before = self.len();
        self.begin(SYNCED, number_length(number));
        self.number(number);
        self.owed += self.len() - before;
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
        let before = self.len();
        let (id, asker) = (bytes_of(id), asker.as_bytes());
        self.begin(
            ASK,
            number_length(number) + blob_length(asker) + blob_length(id),
        );
        self.number(number);
        self.blob(asker);
        self.blob(id);
        self.owed += self.len() - before;
    }

    pub fn found(&mut self, number: u64, url: Option<&ByteString>) {
        let before = self.len();
        let text = url.map_or(&[][..], |url| url.as_bytes());
        self.begin(FOUND, number_length(number) + 1 + blob_length(text));
        self.number(number);
        self.bytes.push(u8::from(url.is_some()));
        self.blob(text);
        self.owed += self.len() - before;
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

impl FromIterator<(bool, Topic)> for Changes {
    fn from_iter<I: IntoIterator<Item = (bool, Topic)>>(changes: I) -> Changes {
        let mut written = Frame::default();
        for (add, topic) in changes {
            let kind = flag(topic.pattern, PATTERN) | flag(!add, REMOVED);
            written.bytes.push(kind);
            written.blob(topic.name.as_bytes());
        }
        Changes(written.bytes.into())
    }
}

fn flag(is: bool, flag: u8) -> u8 {
    if is { flag } else { 0 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_length_that_is_announced() {
        for n in [0, 1, 127, 128, 16383, 16384, 1 << 32, MAX_NUMBER] {
            let mut frame = Frame::default();
            frame.number(n);
            assert_eq!(frame.bytes.len(), number_length(n), "{n}");
            let bytes = frame.take();
            let mut reader = super::super::reader::Reader::new(&bytes);
            assert_eq!(reader.number(), Ok(n));
        }
    }
}
