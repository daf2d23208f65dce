//! Whether a name matches one of the patterns in a trie.
//!
//! All ways are followed at once, byte by byte. A place in the trie is reached or not, however many ways lead to it. So nothing is
//! exponential, but a name can reach a great part of a trie that was made for that. Therefore the steps are counted, and somebody
//! else says how many are too many.

use super::trie::{ROOT, RUN, SEGMENTS, Trie};

/// A node, and how much of its label has been passed.
type Place = (u32, u8);

/// The places that have been reached, of one match after the other.
#[derive(Debug, Default)]
pub struct Reached {
    /// What follows here is to be the next byte.
    exact: Vec<Place>,
    next: Vec<Place>,
    /// What follows here may come within the segment. They are behind a `RUN`.
    runs: Vec<Place>,
    /// What follows here may come with any further segment. They are behind a `SEGMENTS`.
    segments: Vec<Place>,
}

/// More than that is not kept for the next match.
const KEPT: usize = 1024;

impl Reached {
    /// Whether one of the patterns matches; `None` when that would take more steps than there are. Takes those that it needs.
    pub fn matches(&mut self, trie: &Trie, name: &str, steps: &mut usize) -> Option<bool> {
        for list in [
            &mut self.exact,
            &mut self.next,
            &mut self.runs,
            &mut self.segments,
        ] {
            list.clear();
            list.shrink_to(KEPT);
        }
        let mut walk = Walk {
            trie,
            reached: self,
            cost: 0,
            border: true,
            last: false,
            found: false,
            ended: 0,
        };
        walk.reach((ROOT, 0));
        std::mem::swap(&mut walk.reached.exact, &mut walk.reached.next);
        let name = name.as_bytes();
        let mut at = 0;
        // Each segment has a dot before it, the first one as well.
        let mut byte = b'.';
        loop {
            walk.last = at == name.len();
            walk.border = walk.last || name[at] == b'.';
            walk.step(byte);
            *steps = steps.checked_sub(walk.cost)?;
            walk.cost = 0;
            if walk.found || walk.last {
                return Some(walk.found);
            }
            if walk.reached.exact.is_empty() && walk.reached.runs.is_empty() {
                if walk.reached.segments.is_empty() {
                    return Some(false);
                }
                match memchr::memchr(b'.', &name[at..]) {
                    Some(dot) => at += dot,
                    None => return Some(false),
                }
            }
            byte = name[at];
            at += 1;
        }
    }
}

struct Walk<'a> {
    trie: &'a Trie,
    reached: &'a mut Reached,
    cost: usize,
    /// Whether a segment ends here.
    border: bool,
    /// Whether the name ends here.
    last: bool,
    found: bool,
    /// How many of the runs end with this byte.
    ended: usize,
}

impl Walk<'_> {
    /// Passes one byte of the name.
    fn step(&mut self, byte: u8) {
        let runs = self.reached.runs.len();
        let segments = self.reached.segments.len();
        self.ended = if byte == b'.' { runs } else { 0 };
        let before = std::mem::take(&mut self.reached.exact);
        self.cost += 1 + before.len() + runs;
        for place in &before {
            self.pass(*place, byte);
        }
        for n in 0..runs {
            self.pass(self.reached.runs[n], byte);
        }
        if byte == b'.' {
            self.cost += segments;
            for n in 0..segments {
                self.pass(self.reached.segments[n], byte);
            }
        }
        self.reached.runs.drain(..self.ended);
        self.ended = 0;
        self.reached.exact = std::mem::replace(&mut self.reached.next, before);
        self.reached.next.clear();
        if self.border {
            for n in 0..self.reached.runs.len() {
                self.end_run(self.reached.runs[n]);
            }
        }
    }

    /// Goes on from there if that byte is what follows.
    fn pass(&mut self, (node, passed): Place, byte: u8) {
        if byte == RUN {
            return; // A name may contain one, and it means nothing there.
        }
        match self.trie.label(node).get(usize::from(passed)) {
            Some(next) if *next == byte => self.reach((node, passed + 1)),
            Some(_) => {}
            None => {
                if let Some(below) = self.trie.below(node, byte) {
                    self.reach((below, 1));
                }
            }
        }
    }

    /// The bytes before that place have been passed.
    fn reach(&mut self, (node, passed): Place) {
        match self.trie.label(node).get(usize::from(passed)) {
            Some(&RUN) => self.begin_run((node, passed + 1)),
            Some(&SEGMENTS) => self.begin_segments((node, passed + 1)),
            Some(_) => self.reached.next.push((node, passed)),
            None => {
                self.found |= self.last && self.trie.is_end(node);
                let wild = self.trie.wild_below(node);
                if let Some(below) = wild.run {
                    self.begin_run((below, 1));
                }
                if let Some(below) = wild.segments {
                    self.begin_segments((below, 1));
                }
                if wild.others {
                    self.reached.next.push((node, passed));
                }
            }
        }
    }

    fn begin_run(&mut self, place: Place) {
        let known = &self.reached.runs[self.ended..];
        self.cost += known.len() / 8;
        if !known.contains(&place) {
            self.reached.runs.push(place);
        }
    }

    /// A run ends where the segment does.
    fn end_run(&mut self, (node, passed): Place) {
        match self.trie.label(node).get(usize::from(passed)) {
            Some(&SEGMENTS) => self.begin_segments((node, passed + 1)),
            Some(_) => {}
            None => {
                self.found |= self.last && self.trie.is_end(node);
                if let Some(below) = self.trie.wild_below(node).segments {
                    self.begin_segments((below, 1));
                }
            }
        }
    }

    fn begin_segments(&mut self, (node, passed): Place) {
        if !self.border {
            return;
        }
        // Whatever follows is a part of it.
        let ends = usize::from(passed) == self.trie.label(node).len();
        self.found |= ends && self.trie.is_end(node);
        let known = &self.reached.segments;
        self.cost += known.len() / 8;
        if !known.contains(&(node, passed)) {
            self.reached.segments.push((node, passed));
        }
    }
}
