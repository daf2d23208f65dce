//! What this host looks for and sends for 0.4.0 hosts, and who waits for it.

use std::collections::HashMap;

use crate::words::{LinkId, Raw};

/// The numbers of what is looked for and sent for others begin here: the program's own are smaller.
const FIRST: u64 = 1 << 62;

/// What 0.4.0 hosts wait for, by its number: over which link, and their own number for it.
#[derive(Debug, Default)]
pub struct Proxied {
    begun: u64,
    waiting: HashMap<u64, (LinkId, Raw)>,
}

impl Proxied {
    pub fn begin(&mut self, link: LinkId, id: Raw) -> u64 {
        let number = FIRST + self.begun;
        self.begun += 1;
        self.waiting.insert(number, (link, id));
        number
    }

    /// Who waits for what has that number, and does not any more.
    pub fn end(&mut self, number: u64) -> Option<(LinkId, Raw)> {
        self.waiting.remove(&number)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// Whether what has that number is not the program's own.
pub fn is_for_others(number: u64) -> bool {
    number >= FIRST
}
