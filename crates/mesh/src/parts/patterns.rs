//! Wildcards: `.` separates segments, `*` is any run of characters within a segment (alone: any one segment), and a segment `**` is any
//! number of segments, none included.
//!
//! Patterns are kept in a trie of segments. A segment with a `*` and something beside it is in turn found in a trie of characters; in
//! both, one kind of node repeats (`**` there, `*` here). A name is matched by following all paths at once: a node is either
//! reached or not, however many ways lead to it, so the work is bounded by the name's length times the nodes that it reaches, and by
//! nothing exponential.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Values under patterns. A value may stand under several, and is then found once for each that matches.
#[derive(Debug)]
pub struct Patterns<T> {
    segments: Trie<T>,
    /// Segments as they occur in patterns, except `**`, by text.
    symbols: HashMap<Box<str>, Symbol>,
    /// Segments with a `*`, by their characters.
    globs: Trie<u32>,
    next: u32,
    free: Vec<u32>,
    matched: Vec<u32>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Symbol {
    number: u32,
    /// How many patterns it occurs in, and how often.
    uses: u32,
}

/// The symbol of the segment `*`.
const ANY: u32 = 0;

/// Whether that is more than a name.
pub fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

impl<T: PartialEq> Default for Patterns<T> {
    fn default() -> Self {
        Patterns {
            segments: Trie::new(),
            symbols: HashMap::new(),
            globs: Trie::new(),
            next: ANY + 1,
            free: Vec::new(),
            matched: Vec::new(),
            count: 0,
        }
    }
}

impl<T: PartialEq> Patterns<T> {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many nodes there are or have been at a time: what the memory is.
    pub fn nodes(&self) -> usize {
        self.segments.nodes.len() + self.globs.nodes.len()
    }

    /// Adds a value under a pattern, once more if it is there already.
    pub fn insert(&mut self, pattern: &str, value: T) {
        let path: Vec<Token> = segments(pattern)
            .map(|segment| segment.map_or(Token::Many, |text| Token::One(self.symbol(text))))
            .collect();
        self.segments.insert(&path, value);
        self.count += 1;
    }

    /// Removes a value from under a pattern, once. Whether it was there.
    pub fn remove(&mut self, pattern: &str, value: &T) -> bool {
        let path = segments(pattern).map(|segment| match segment {
            None => Some(Token::Many),
            Some(text) if *text == *"*" => Some(Token::One(ANY)),
            Some(text) => self.symbols.get(&*text).map(|s| Token::One(s.number)),
        });
        let Some(path) = path.collect::<Option<Vec<Token>>>() else {
            return false;
        };
        if !self.segments.remove(&path, value) {
            return false;
        }
        for text in segments(pattern).flatten() {
            self.release(&text);
        }
        self.count -= 1;
        true
    }

    /// Calls `found` with each value under each pattern that matches that name.
    pub fn find(&mut self, name: &str, mut found: impl FnMut(&T)) {
        if self.is_empty() {
            return;
        }
        self.segments.start();
        for segment in name.split('.') {
            let text = self.symbols.get(segment).map(|s| s.number);
            self.matched.clear();
            self.matched.push(ANY);
            self.matched.extend(text);
            if !self.globs.is_empty() {
                self.globs.start();
                for byte in segment.bytes() {
                    self.globs.step(&[u32::from(byte)]);
                }
                let matched = &mut self.matched;
                self.globs.reached(|number| {
                    // A name may contain a `*` itself.
                    if text != Some(*number) {
                        matched.push(*number);
                    }
                });
            }
            self.segments.step(&self.matched);
        }
        self.segments.reached(&mut found);
    }

    fn symbol(&mut self, text: Box<str>) -> u32 {
        if &*text == "*" {
            return ANY;
        }
        if let Some(symbol) = self.symbols.get_mut(&text) {
            symbol.uses += 1;
            return symbol.number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        if is_pattern(&text) {
            self.globs.insert(&characters(&text), number);
        }
        self.symbols.insert(text, Symbol { number, uses: 1 });
        number
    }

    fn release(&mut self, text: &str) {
        let Some(symbol) = self.symbols.get_mut(text) else {
            return;
        };
        symbol.uses -= 1;
        if symbol.uses > 0 {
            return;
        }
        let number = symbol.number;
        self.symbols.remove(text);
        self.free.push(number);
        if is_pattern(text) {
            self.globs.remove(&characters(text), &number);
        }
    }
}

/// The segments of a pattern, `None` for `**`; repetitions that mean nothing are left out.
fn segments(pattern: &str) -> impl Iterator<Item = Option<Box<str>>> {
    let mut after_many = false;
    pattern.split('.').filter_map(move |segment| {
        let many = segment == "**";
        if many && std::mem::replace(&mut after_many, many) {
            return None;
        }
        after_many = many;
        if many {
            return Some(None);
        }
        let mut text = String::with_capacity(segment.len());
        for c in segment.chars() {
            if c != '*' || !text.ends_with('*') {
                text.push(c);
            }
        }
        Some(Some(text.into_boxed_str()))
    })
}

fn characters(segment: &str) -> Vec<Token> {
    let token = |byte| match byte {
        b'*' => Token::Many,
        _ => Token::One(u32::from(byte)),
    };
    segment.bytes().map(token).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// One that equals this.
    One(u32),
    /// Any number of any.
    Many,
}

/// Values under sequences of tokens, and the nodes that a sequence of numbers has reached so far.
#[derive(Debug)]
struct Trie<T> {
    nodes: Vec<Node<T>>,
    edges: HashMap<u64, u32, BuildHasherDefault<Mix>>,
    free: Vec<u32>,
    active: Vec<u32>,
    before: Vec<u32>,
    step: u64,
}

#[derive(Debug)]
struct Node<T> {
    values: Vec<T>,
    /// How many nodes are right below this one.
    below: u32,
    /// The node below that stands for any number of any; none is 0, the root.
    many: u32,
    is_many: bool,
    /// The step in which it was last reached.
    reached: u64,
}

impl<T> Node<T> {
    fn new(is_many: bool) -> Self {
        Node {
            values: Vec::new(),
            below: 0,
            many: 0,
            is_many,
            reached: 0,
        }
    }
}

fn edge(node: u32, symbol: u32) -> u64 {
    u64::from(node) << 32 | u64::from(symbol)
}

impl<T: PartialEq> Trie<T> {
    fn new() -> Self {
        Trie {
            nodes: vec![Node::new(false)],
            edges: HashMap::default(),
            free: Vec::new(),
            active: Vec::new(),
            before: Vec::new(),
            step: 0,
        }
    }

    fn is_empty(&self) -> bool {
        let root = &self.nodes[0];
        root.below == 0 && root.values.is_empty()
    }

    fn below(&self, node: u32, token: Token) -> Option<u32> {
        match token {
            Token::One(symbol) => self.edges.get(&edge(node, symbol)).copied(),
            Token::Many => Some(self.nodes[node as usize].many).filter(|many| *many != 0),
        }
    }

    fn insert(&mut self, path: &[Token], value: T) {
        let mut at = 0;
        for token in path {
            at = match self.below(at, *token) {
                Some(below) => below,
                None => self.grow(at, *token),
            };
        }
        self.nodes[at as usize].values.push(value);
    }

    fn grow(&mut self, node: u32, token: Token) -> u32 {
        let new = Node::new(token == Token::Many);
        let number = match self.free.pop() {
            Some(number) => {
                self.nodes[number as usize] = new;
                number
            }
            None => {
                self.nodes.push(new);
                self.nodes.len() as u32 - 1
            }
        };
        self.nodes[node as usize].below += 1;
        match token {
            Token::One(symbol) => drop(self.edges.insert(edge(node, symbol), number)),
            Token::Many => self.nodes[node as usize].many = number,
        }
        number
    }

    fn remove(&mut self, path: &[Token], value: &T) -> bool {
        let mut way = Vec::with_capacity(path.len());
        let mut at = 0;
        for token in path {
            way.push((at, *token));
            match self.below(at, *token) {
                Some(below) => at = below,
                None => return false,
            }
        }
        let values = &mut self.nodes[at as usize].values;
        let Some(found) = values.iter().position(|v| v == value) else {
            return false;
        };
        values.swap_remove(found);
        while let Some((above, token)) = way.pop() {
            let node = &mut self.nodes[at as usize];
            if node.below > 0 || !node.values.is_empty() {
                break;
            }
            node.values = Vec::new();
            self.free.push(at);
            match token {
                Token::One(symbol) => drop(self.edges.remove(&edge(above, symbol))),
                Token::Many => self.nodes[above as usize].many = 0,
            }
            self.nodes[above as usize].below -= 1;
            at = above;
        }
        true
    }

    /// Begins to match.
    fn start(&mut self) {
        self.active.clear();
        self.step += 1;
        self.reach(0);
    }

    /// Goes on with one element, which counts as each of these symbols.
    fn step(&mut self, symbols: &[u32]) {
        std::mem::swap(&mut self.active, &mut self.before);
        self.active.clear();
        self.step += 1;
        for at in 0..self.before.len() {
            let node = self.before[at];
            if self.nodes[node as usize].is_many {
                self.reach(node);
            }
            if self.nodes[node as usize].below == 0 {
                continue; // as with every pattern that ends with a wildcard
            }
            for symbol in symbols {
                if let Some(below) = self.edges.get(&edge(node, *symbol)) {
                    self.reach(*below);
                }
            }
        }
    }

    fn reach(&mut self, mut node: u32) {
        loop {
            let n = &mut self.nodes[node as usize];
            if n.reached == self.step {
                return;
            }
            n.reached = self.step;
            self.active.push(node);
            node = n.many;
            if node == 0 {
                return;
            }
        }
    }

    /// What stands where the whole sequence has led.
    fn reached(&self, mut found: impl FnMut(&T)) {
        let nodes = self.active.iter().map(|n| &self.nodes[*n as usize]);
        nodes.flat_map(|n| &n.values).for_each(&mut found);
    }
}

/// Hashes pairs of small numbers of our own making.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        let h = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = h ^ (h >> 32);
    }
}
