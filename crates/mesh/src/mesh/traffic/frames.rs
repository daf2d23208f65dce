//! The frames that are being made, one a link.

use std::collections::BTreeMap;

use crate::event::Output;
use crate::wire::v2::Frame;
use crate::words::LinkId;

/// Frames keep their places when they have left, because most links are used again.
#[derive(Debug, Default)]
pub(super) struct Frames {
    frames: BTreeMap<LinkId, Frame>,
    /// The links whose frames may hold something, so that a flush visits no others.
    begun: Vec<LinkId>,
}

impl Frames {
    /// The frame of a link, to be written to.
    pub(super) fn of(&mut self, link: LinkId) -> &mut Frame {
        let frame = self.frames.entry(link).or_default();
        if frame.is_empty() && self.begun.last() != Some(&link) {
            self.begun.push(link);
        }
        frame
    }

    /// What was written for a link leaves.
    pub(super) fn close(&mut self, link: LinkId, out: &mut Vec<Output>) {
        if let Some(frame) = self.frames.get_mut(&link) {
            put(out, link, frame);
        }
    }

    /// All that was written leaves, in the order of the links.
    pub(super) fn close_all(&mut self, out: &mut Vec<Output>) {
        self.begun.sort_unstable();
        for link in self.begun.drain(..) {
            if let Some(frame) = self.frames.get_mut(&link) {
                put(out, link, frame);
            }
        }
    }

    pub(super) fn forget(&mut self, link: LinkId) {
        self.frames.remove(&link);
    }
}

/// The frame leaves, if anything is in it.
pub(super) fn put(out: &mut Vec<Output>, link: LinkId, frame: &mut Frame) {
    if frame.is_empty() {
        return;
    }
    let (owed, bytes) = (frame.owed(), frame.take());
    out.push(Output::TransmitBinary { link, bytes });
    if owed > 0 {
        let bytes = owed;
        out.push(Output::Owed { link, bytes });
    }
}
