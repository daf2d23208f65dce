//! Accounts what waits to be written to links that accept too little.

use std::collections::{HashMap, VecDeque};

use distribus_mesh::{Input, LinkId};

use crate::driver::links::Links;

/// From so many bytes on, the mesh is informed of what waits to be written to a link, and again when it is less; sooner where this is more
/// than a quarter of what may wait.
const MUCH: usize = 256 * 1024;
const PART: usize = 4;

/// Links to which much waits to be written, as far as the mesh knows.
#[derive(Default)]
pub struct Backlog {
    much: usize,
    bytes: HashMap<LinkId, usize>,
    /// There is something that was not reported yet.
    news: bool,
}

impl Backlog {
    /// `most`: how many bytes may wait for a host.
    pub fn new(most: usize) -> Backlog {
        Backlog {
            much: MUCH.min(most / PART),
            ..Backlog::default()
        }
    }

    /// So much waits for that link.
    pub fn note(&mut self, link: LinkId, bytes: usize) {
        if bytes > self.much {
            self.bytes.insert(link, bytes);
            self.news = true;
        }
    }

    pub fn contains(&self, link: LinkId) -> bool {
        self.bytes.contains_key(&link)
    }

    pub fn forget(&mut self, link: LinkId) {
        self.bytes.remove(&link);
    }

    /// Reports what is new to the mesh, before anything else.
    pub fn report(&mut self, inputs: &mut VecDeque<Input>) {
        if std::mem::take(&mut self.news) {
            for (link, bytes) in &self.bytes {
                let (link, bytes) = (*link, *bytes);
                inputs.push_front(Input::Backlog { link, bytes });
            }
        }
    }

    /// Looks what has been written meanwhile, and reports it to the mesh.
    pub fn look(&mut self, links: &Links, inputs: &mut VecDeque<Input>) {
        if self.bytes.is_empty() {
            return;
        }
        for (link, bytes) in &mut self.bytes {
            *bytes = links.open(*link).map_or(0, |open| open.waiting());
            if *bytes <= self.much {
                *bytes = 0;
            }
        }
        self.news = true;
        self.report(inputs);
        self.bytes.retain(|_, bytes| *bytes > 0);
    }
}
