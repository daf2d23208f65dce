//! Sequences of bytes in a radix trie, made for many of them in little memory: a node has 32 bytes, a label of up to 16 of its own,
//! and no allocation. All nodes of a trie are in one block, which goes back to the system with the trie.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// The node that everything begins at. Its label is empty, and it is below no other one, so 0 also stands for none.
pub const ROOT: u32 = 0;

/// Any run of bytes within a segment.
pub const RUN: u8 = b'*';

/// Any number of segments: a byte that is in no text.
pub const SEGMENTS: u8 = 0xff;

const LABEL: usize = 16;

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// The node that this is below of, or the next one that is free.
    above: u32,
    /// The numbers of all nodes right below, by XOR: of a single one it is the number, and when one is taken away, the rest remains.
    below: u32,
    /// How many sequences end here.
    ends: u32,
    /// How many nodes are right below.
    count: u16,
    /// Whether one of them begins with a `RUN` (1), and with `SEGMENTS` (2).
    wild: u8,
    /// How much of the label is used. Only the root and free nodes have none.
    len: u8,
    label: [u8; LABEL],
}

/// The nodes right below one that begin with a wildcard, and whether there are others.
pub struct Below {
    pub run: Option<u32>,
    pub segments: Option<u32>,
    pub others: bool,
}

/// How often each sequence was inserted and not removed.
#[derive(Debug)]
pub struct Trie {
    nodes: Vec<Node>,
    /// The nodes that have siblings, by the node above and the first byte of their labels; 0 is an empty place.
    siblings: Vec<u32>,
    seated: usize,
    /// How to find a place there: odd, and unknown to those who choose what is inserted.
    key: u64,
    /// The first free node.
    free: u32,
    live: usize,
}

impl Default for Trie {
    fn default() -> Self {
        Trie {
            nodes: vec![Node::default()],
            siblings: Vec::new(),
            seated: 0,
            key: RandomState::new().hash_one(0) | 1,
            free: ROOT,
            live: 0,
        }
    }
}

impl Trie {
    /// How many nodes there are beside the root: what the memory is.
    pub fn nodes(&self) -> usize {
        self.live
    }

    pub fn label(&self, node: u32) -> &[u8] {
        let node = &self.nodes[node as usize];
        &node.label[..usize::from(node.len)]
    }

    /// Whether a sequence ends with that node.
    pub fn is_end(&self, node: u32) -> bool {
        self.nodes[node as usize].ends > 0
    }

    /// The node right below whose label begins with that byte.
    pub fn below(&self, node: u32, first: u8) -> Option<u32> {
        let Node { below, count, .. } = self.nodes[node as usize];
        match count {
            0 => None,
            1 => Some(below).filter(|below| self.nodes[*below as usize].label[0] == first),
            _ => Some(self.siblings[self.place(node, first)]).filter(|found| *found != 0),
        }
    }

    /// What is right below a node.
    pub fn wild_below(&self, node: u32) -> Below {
        let Node { count, wild, .. } = self.nodes[node as usize];
        let of = |byte| {
            (wild & bit(byte) != 0)
                .then(|| self.below(node, byte))
                .flatten()
        };
        Below {
            run: of(RUN),
            segments: of(SEGMENTS),
            others: u32::from(count) > wild.count_ones(),
        }
    }

    /// Inserts a sequence, once more if it is there. Whether it was not.
    pub fn insert(&mut self, mut path: &[u8]) -> bool {
        let mut at = ROOT;
        while let Some(first) = path.first() {
            let Some(below) = self.below(at, *first) else {
                at = self.grow(at, path);
                break;
            };
            let common = common(self.label(below), path);
            at = match common < self.label(below).len() {
                true => self.split(below, common),
                false => below,
            };
            path = &path[common..];
        }
        let ends = &mut self.nodes[at as usize].ends;
        *ends = ends.saturating_add(1);
        *ends == 1
    }

    /// Removes a sequence, once. Whether it was there, and is not any more.
    pub fn remove(&mut self, mut path: &[u8]) -> bool {
        let mut at = ROOT;
        while let Some(first) = path.first() {
            let below = self.below(at, *first);
            let Some(below) = below.filter(|below| path.starts_with(self.label(*below))) else {
                return false;
            };
            path = &path[self.label(below).len()..];
            at = below;
        }
        let ends = &mut self.nodes[at as usize].ends;
        match *ends {
            0 | u32::MAX => return false, // of that many nobody knows how many there are
            _ => *ends -= 1,
        }
        if *ends > 0 {
            return false;
        }
        self.prune(at);
        if self.nodes.len() > 64 + 4 * self.live {
            self.compact();
        }
        true
    }

    /// Takes away what nothing ends at any more.
    fn prune(&mut self, mut at: u32) {
        while at != ROOT && !self.is_end(at) {
            let Node {
                above,
                below,
                count,
                ..
            } = self.nodes[at as usize];
            match count {
                0 => self.unlink(at),
                1 if self.label(at).len() + self.label(below).len() <= LABEL => {
                    let label = [self.label(at), self.label(below)].concat();
                    self.unlink(at);
                    self.unlink(below);
                    self.set_label(below, &label);
                    self.link(above, below);
                }
                _ => return,
            }
            self.nodes[at as usize] = Node {
                above: self.free,
                ..Node::default()
            };
            self.free = at;
            self.live -= 1;
            at = above;
        }
    }

    /// Adds nodes for a path, and gives the last one.
    fn grow(&mut self, mut at: u32, path: &[u8]) -> u32 {
        for label in path.chunks(LABEL) {
            let node = self.create(label);
            self.link(at, node);
            at = node;
        }
        at
    }

    /// Puts a new node above one, for the first part of its label.
    fn split(&mut self, node: u32, first: usize) -> u32 {
        let above = self.nodes[node as usize].above;
        let label = self.label(node).to_vec();
        self.unlink(node);
        let head = self.create(&label[..first]);
        self.link(above, head);
        self.set_label(node, &label[first..]);
        self.link(head, node);
        head
    }

    fn create(&mut self, label: &[u8]) -> u32 {
        let number = match self.free {
            ROOT => {
                self.nodes.push(Node::default());
                self.nodes.len() as u32 - 1
            }
            number => {
                self.free = self.nodes[number as usize].above;
                self.nodes[number as usize].above = ROOT;
                number
            }
        };
        self.live += 1;
        self.set_label(number, label);
        number
    }

    fn set_label(&mut self, node: u32, label: &[u8]) {
        let node = &mut self.nodes[node as usize];
        node.label[..label.len()].copy_from_slice(label);
        node.len = label.len() as u8;
    }

    fn link(&mut self, above: u32, node: u32) {
        self.nodes[node as usize].above = above;
        let label = self.nodes[node as usize].label;
        let Node { below, count, .. } = self.nodes[above as usize];
        if count == 1 {
            self.seat(below);
        }
        if count > 0 {
            self.seat(node);
        }
        let above = &mut self.nodes[above as usize];
        above.below ^= node;
        above.count += 1;
        above.wild |= bit(label[0]);
    }

    fn unlink(&mut self, node: u32) {
        let Node { above, label, .. } = self.nodes[node as usize];
        let Node { below, count, .. } = self.nodes[above as usize];
        if count > 1 {
            self.unseat(node);
        }
        if count == 2 {
            self.unseat(below ^ node);
        }
        let above = &mut self.nodes[above as usize];
        above.below ^= node;
        above.count -= 1;
        above.wild &= !bit(label[0]);
    }

    /// Numbers the nodes anew, without gaps.
    fn compact(&mut self) {
        let old = std::mem::take(&mut self.nodes);
        let mut numbers = vec![ROOT; old.len()];
        self.nodes = Vec::with_capacity(self.live + self.live / 8 + 1);
        for (number, node) in old.iter().enumerate() {
            if number == 0 || node.len > 0 {
                numbers[number] = self.nodes.len() as u32;
                let (below, count, wild) = (0, 0, 0);
                self.nodes.push(Node {
                    below,
                    count,
                    wild,
                    ..*node
                });
            }
        }
        (self.siblings, self.seated, self.free) = (Vec::new(), 0, ROOT);
        for number in 1..self.nodes.len() as u32 {
            let above = self.nodes[number as usize].above;
            self.link(numbers[above as usize], number);
        }
    }

    /// Where that node is among the siblings, or where there is an empty place for it.
    fn place(&self, above: u32, first: u8) -> usize {
        let mask = self.siblings.len() - 1;
        let mut at = self.home(above, first);
        loop {
            let node = &self.nodes[self.siblings[at] as usize];
            // The root, which stands for an empty place, has no label.
            if node.len == 0 || (node.above == above && node.label[0] == first) {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    /// Where the search for a place begins; their number is a power of two.
    fn home(&self, above: u32, first: u8) -> usize {
        let hash = (u64::from(above) << 8 | u64::from(first)).wrapping_mul(self.key);
        (hash >> 32) as usize & (self.siblings.len() - 1)
    }

    fn seat(&mut self, node: u32) {
        if self.siblings.len() < 2 * (self.seated + 1) {
            let before = std::mem::take(&mut self.siblings);
            self.siblings = vec![0; (2 * before.len()).max(8)];
            for node in before.into_iter().filter(|node| *node != 0) {
                self.take_place(node);
            }
        }
        self.take_place(node);
        self.seated += 1;
    }

    fn take_place(&mut self, node: u32) {
        let Node { above, label, .. } = self.nodes[node as usize];
        let place = self.place(above, label[0]);
        self.siblings[place] = node;
    }

    fn unseat(&mut self, node: u32) {
        let Node { above, label, .. } = self.nodes[node as usize];
        let mask = self.siblings.len() - 1;
        let mut gap = self.place(above, label[0]);
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let next = self.siblings[at];
            if next == 0 {
                break;
            }
            let Node { above, label, .. } = self.nodes[next as usize];
            let home = self.home(above, label[0]);
            // Who would not be found any more because of the gap moves into it.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.siblings[gap] = next;
                gap = at;
            }
        }
        self.siblings[gap] = 0;
        self.seated -= 1;
    }
}

/// How many bytes two of them begin with in common.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// What a label that begins so is in `wild`.
fn bit(first: u8) -> u8 {
    match first {
        RUN => 1,
        SEGMENTS => 2,
        _ => 0,
    }
}
