//! Messages of one sender to one peer, before it is known where that peer lives and while they are in flight.

use bytestring::ByteString;

use crate::json::id_key;
use crate::payload::Payload;
use crate::words::{Raw, Time};

/// Messages on their way to a peer.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The number of the first one.
    pub seq: u64,
    pub key: ByteString,
    pub from: Option<Raw>,
    pub to: Option<Raw>,
    pub payload: Payload,
    /// Replies are wanted.
    pub asks: bool,
    /// It has been sent to a host once where the peer was not any more.
    pub returned: bool,
    /// It waits for its host if that is lost.
    pub patient: bool,
    /// When it was sent.
    pub since: Time,
    /// The number of the address by which it has left.
    pub flight: u64,
}

/// What messages take beside their texts.
pub(super) const ENTRY: usize = 256;

impl Parcel {
    pub fn new(seq: u64, from: Option<Raw>, to: Option<Raw>, payload: Payload) -> Parcel {
        Parcel {
            seq,
            key: id_key(&to),
            from,
            to,
            payload,
            asks: false,
            returned: false,
            patient: false,
            since: Time::ZERO,
            flight: 0,
        }
    }

    /// How many bytes of memory it takes, about.
    pub(super) fn weight(&self) -> usize {
        ENTRY + self.payload.size()
    }

    /// Keeps the first `at` messages, in memory of their own, and gives the others, if there are any.
    pub fn split_off(&mut self, at: u32) -> Option<Parcel> {
        if at == 0 || at >= self.payload.count() {
            return None;
        }
        let payload = self.payload.split_off(at);
        self.payload = self.payload.clone().detached();
        let seq = self.seq + u64::from(at);
        Some(Parcel {
            seq,
            payload,
            ..self.clone()
        })
    }

    /// The numbers of its messages.
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.seq..self.seq + u64::from(self.payload.count())
    }
}
