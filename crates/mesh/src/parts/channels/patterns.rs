//! Wildcards: `.` separates segments, `*` is any run of characters within a segment (alone: any one segment), and a segment `**` is any
//! number of segments, none included.

use super::matching::Reached;
use super::trie::{RUN, SEGMENTS, Trie};

/// Patterns, each as often as it was inserted and not removed.
#[derive(Debug, Default)]
pub struct Patterns {
    trie: Trie,
}

/// Finds whether names match patterns, of whichever set.
#[derive(Debug, Default)]
pub struct Matcher {
    reached: Reached,
}

impl Patterns {
    pub fn is_empty(&self) -> bool {
        self.trie.nodes() == 0
    }

    /// How much memory they take: a node has 32 bytes, and up to 16 beside it. It holds up to 16 bytes of patterns that begin alike up
    /// to there.
    pub fn nodes(&self) -> usize {
        self.trie.nodes()
    }

    /// Inserts a pattern, once more if it is there. Whether it was not.
    pub fn insert(&mut self, pattern: &str) -> bool {
        self.trie.insert(&path(pattern))
    }

    /// Removes a pattern, once. Whether it was there, and is not any more.
    pub fn remove(&mut self, pattern: &str) -> bool {
        self.trie.remove(&path(pattern))
    }
}

impl Matcher {
    /// Whether a name matches one of the patterns; `None` when that would take more steps than there are. Takes the steps that it
    /// needs. Patterns as they are in use need about two for each character of the name.
    pub fn matches(&mut self, patterns: &Patterns, name: &str, steps: &mut usize) -> Option<bool> {
        if patterns.is_empty() {
            return Some(false);
        }
        self.reached.matches(&patterns.trie, name, steps)
    }
}

/// A pattern as it is in the trie: each segment has a dot before it, except for `SEGMENTS`. Repetitions that mean nothing are left out.
fn path(pattern: &str) -> Vec<u8> {
    let mut path = Vec::with_capacity(pattern.len() + 1);
    for segment in pattern.split('.') {
        if segment == "**" {
            if path.last() != Some(&SEGMENTS) {
                path.push(SEGMENTS);
            }
            continue;
        }
        path.push(b'.');
        for byte in segment.bytes() {
            if byte != RUN || path.last() != Some(&RUN) {
                path.push(byte);
            }
        }
    }
    path
}
