//! The search for a peer, and who waits for it.

use std::ops::Range;

use super::addresses::{Home, Place};
use super::flights::Flights;
use super::parcel::Parcel;
use crate::sabotage::{self, Sabotage};
use crate::words::{Call, Raw, Time};

/// Where a peer was found that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub home: Home,
    pub place: Place,
}

/// A search that goes on, and who waits for it.
#[derive(Debug, Default)]
pub struct Lookup {
    /// Tells this search from an earlier one for the same peer.
    pub number: u64,
    pub id: Option<Raw>,
    /// How many hosts have still to answer.
    pub asked: usize,
    /// Not everybody has been asked, but only who should know.
    pub narrow: bool,
    /// How many messages to that peer are still in flight to where it lived before. What is found is used only after they have
    /// come back, so that they keep their place.
    pub(super) hold: Flights,
    pub found: Option<Found>,
    /// Until then it is not over although nobody is lost: the host for which its messages have waited is gone, and its successor may not
    /// have the peer yet.
    pub grace: Time,
    pub(super) sends: Vec<Parcel>,
    pub finds: Vec<Call>,
    /// Nobody who is connected has the peer: it goes on when a lost host is back, or gone, and now and then. At that time at the latest.
    pub(super) asleep: Option<Time>,
}

impl Lookup {
    /// Adds a message, in its place by call order.
    pub(super) fn add(&mut self, parcel: Parcel) {
        let mut at = self.sends.partition_point(|p| p.seq < parcel.seq);
        if sabotage::is(Sabotage::Disorder) {
            at = 0;
        }
        self.sends.insert(at, parcel);
    }

    /// Takes out the messages with those numbers.
    pub(super) fn take(&mut self, numbers: &Range<u64>) -> Vec<Parcel> {
        let at = |number| self.sends.partition_point(|p| p.seq < number);
        let wanted = at(numbers.start)..at(numbers.end);
        self.sends.drain(wanted).collect()
    }

    pub fn is_over(&self) -> bool {
        let answered = self.asked == 0 || self.found.is_some();
        answered && self.hold.is_empty() && self.asleep.is_none()
    }

    /// Whether messages that can wait for lost hosts wait for this search, and were not sent before that time.
    pub fn can_wait(&self, least: Option<Time>) -> bool {
        let waits = |p: &Parcel| p.patient && least.is_none_or(|least| p.since > least);
        self.sends.iter().any(waits)
    }

    pub fn into_waiting(self) -> (Vec<Parcel>, Vec<Call>) {
        (self.sends, self.finds)
    }
}
