//! What this host looks for and sends for 0.4.0 hosts, and who waits for it.

use std::collections::HashMap;
use std::ops::Range;

use bytestring::ByteString;

use crate::words::{LinkId, Raw};

/// The numbers of what is looked for and sent for others begin here: the program's own are smaller.
const FIRST: u64 = 1 << 62;

/// What 0.4.0 hosts wait for, by its number.
#[derive(Debug, Default)]
pub struct Proxied {
    begun: u64,
    waiting: HashMap<u64, Waiting>,
    /// The peers to which messages are on their way.
    receivers: HashMap<ByteString, Receiver>,
}

/// Who waits: over which link, and by which number of theirs; and for a message, to whom it goes.
#[derive(Debug)]
struct Waiting {
    link: LinkId,
    id: Raw,
    to: Option<ByteString>,
}

#[derive(Debug, Default)]
struct Receiver {
    on_their_way: usize,
    /// What was passed on before this number, a later message has overtaken: the peer lives here now, and has got that.
    overtaken: u64,
}

/// Who is to be answered.
#[derive(Debug)]
pub struct Asker {
    pub link: LinkId,
    pub id: Raw,
    /// Whether a later message to the same peer has been answered already.
    pub overtaken: bool,
}

impl Proxied {
    /// Begins something for whoever asks so: a search, or the passing on of a message to that peer.
    pub fn begin(&mut self, link: LinkId, id: Raw, to: Option<&ByteString>) -> u64 {
        let number = FIRST + self.begun;
        self.begun += 1;
        if let Some(key) = to {
            self.receivers.entry(key.clone()).or_default().on_their_way += 1;
        }
        let to = to.cloned();
        self.waiting.insert(number, Waiting { link, id, to });
        number
    }

    /// Who waits for what has that number, and does not any more.
    pub fn end(&mut self, number: u64) -> Option<Asker> {
        let Waiting { link, id, to } = self.waiting.remove(&number)?;
        let overtaken = to.is_some_and(|key| self.landed(&key, number));
        Some(Asker {
            link,
            id,
            overtaken,
        })
    }

    /// A message to that peer has ended. Gives whether a later one has been delivered here before.
    fn landed(&mut self, key: &ByteString, number: u64) -> bool {
        let Some(receiver) = self.receivers.get_mut(key) else {
            return false;
        };
        let overtaken = number < receiver.overtaken;
        receiver.on_their_way = receiver.on_their_way.saturating_sub(1);
        if receiver.on_their_way == 0 {
            self.receivers.remove(key);
        }
        overtaken
    }

    /// Whether messages to that peer are on their way.
    pub fn is_sending_to(&self, key: &ByteString) -> bool {
        self.receivers.contains_key(key)
    }

    /// That peer has got a message here: those that are still on their way come before it.
    pub fn overtake(&mut self, key: &ByteString) {
        if let Some(receiver) = self.receivers.get_mut(key) {
            receiver.overtaken = FIRST + self.begun;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The numbers of all that is passed on.
    pub fn numbers(&self) -> Range<u64> {
        FIRST..FIRST + self.begun
    }
}

/// Whether what has that number is not the program's own.
pub fn is_for_others(number: u64) -> bool {
    number >= FIRST
}

/// The numbers of what was sent before, by the same: the program, or others.
pub fn numbers_before(number: u64) -> Range<u64> {
    let first = if is_for_others(number) { FIRST } else { 0 };
    first..number
}
