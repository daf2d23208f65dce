//! Performs what the mesh puts out.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;
use distribus_mesh::wire::routed::is_routed;
use distribus_mesh::{Event, Input, LinkId, Output, Reach, Time};
use tokio::sync::watch;

use crate::driver::backlog::Backlog;
use crate::driver::events::Events;
use crate::driver::links::{Closing, Links};
use crate::link::Link;

/// Dials a url for a link, as far as it may lead, until the receiver ends. Called with the host locked: it only begins.
pub type Dial<'a> = dyn Fn(LinkId, (ByteString, Reach), watch::Receiver<()>) + 'a;

/// What is performed on.
#[derive(Default)]
pub struct Parts {
    pub links: Links,
    pub backlog: Backlog,
    pub events: Events,
    /// What the mesh is to handle next.
    pub inputs: VecDeque<Input>,
    /// How many frames were handed to links.
    pub frames: u64,
}

/// One turn, and what it leaves to be done when the host is not locked any more.
pub struct Performing<'a> {
    pub now: Time,
    pub dial: &'a Dial<'a>,
    /// Links that have something to write.
    pub dirty: Vec<Arc<dyn Link>>,
    /// Bytes of new events.
    pub waiting: usize,
}

impl Performing<'_> {
    /// Performs one output. What that comes to, the mesh finds among its inputs.
    pub fn perform(&mut self, output: Output, parts: &mut Parts) {
        match output {
            Output::Transmit { link, text } => {
                if let Some(open) = parts.links.open(link) {
                    let waiting = open.push_text(&text);
                    self.pushed(open, &mut parts.frames);
                    parts.backlog.note(link, waiting);
                }
            }
            Output::TransmitBinary { link, bytes } => {
                if let Some(open) = parts.links.open(link) {
                    let waiting = open.push_binary(&bytes);
                    self.pushed(open, &mut parts.frames);
                    // Sessions bound everything else themselves.
                    if is_routed(&bytes) {
                        parts.backlog.note(link, waiting);
                    }
                }
            }
            Output::Beat { link, bytes } => self.beat(link, Some(&bytes), parts),
            Output::Ping { link } => self.beat(link, None, parts),
            Output::Probe { link } => self.probe(link, parts),
            Output::Event(event) => self.emit(event, parts),
            Output::Dial { link, url, reach } => {
                (self.dial)(link, (url, reach), parts.links.dial(link));
            }
            Output::Owed { link, bytes } => {
                if let Some(open) = parts.links.open(link) {
                    open.owes(bytes);
                }
            }
            Output::Greeted { link } => {
                if let Some(open) = parts.links.open(link) {
                    open.greeted();
                }
            }
            Output::Close { link, reason } => match parts.links.close(link, reason) {
                Closing::Open(open) => touch(&mut self.dirty, open),
                Closing::Dialled => parts.inputs.push_back(Input::Closed { link }),
                Closing::Unknown => {}
            },
        }
    }

    fn beat(&mut self, link: LinkId, frame: Option<&[u8]>, parts: &mut Parts) {
        if let Some(open) = parts.links.open(link) {
            open.push_beat(frame);
            self.pushed(open, &mut parts.frames);
        }
    }

    /// Counts a frame that was handed to a link.
    fn pushed(&mut self, open: &Arc<dyn Link>, frames: &mut u64) {
        *frames += 1;
        touch(&mut self.dirty, open);
    }

    /// Answers when something was last heard. What waits to be read counts as heard now.
    fn probe(&mut self, link: LinkId, parts: &mut Parts) {
        if let Some(open) = parts.links.open(link) {
            let at = if open.has_unread() {
                self.now
            } else {
                open.heard()
            };
            let silence = self.now.saturating_sub(at);
            tracing::debug!(link = link.0, ?silence, "link is looked at");
            parts.inputs.push_back(Input::Heard { link, at });
        }
    }

    fn emit(&mut self, event: Event, parts: &mut Parts) {
        self.waiting += parts.events.push(event);
    }
}

/// Notes a link that has something to write, once in a row.
fn touch(dirty: &mut Vec<Arc<dyn Link>>, link: &Arc<dyn Link>) {
    if !dirty.iter().rev().take(8).any(|d| Arc::ptr_eq(d, link)) {
        dirty.push(Arc::clone(link));
    }
}
