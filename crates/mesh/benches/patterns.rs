//! What it costs to find the subscriptions to a channel among 100,000 patterns: `cargo bench -p distribus-mesh`.

use distribus_mesh::Patterns;
use divan::{Bencher, black_box};

const PATTERNS: usize = 100_000;

fn main() {
    divan::main();
}

/// Different kinds of 100,000 patterns, and names that one of them matches each.
const KINDS: [(&str, &str); 6] = [
    ("room.{}.*", "room.{}.message"),
    ("room.{}.**", "room.{}.message.new"),
    ("user-{}*.events", "user-{}.events"),
    ("*-{}.events.**", "user-{}.events.login"),
    ("**.device.{}.*", "home.floor.2.device.{}.state"),
    ("*.{}.a*z", "room.{}.abcxyz"),
];

/// Names all over the patterns, so that no cache holds what one of them needs.
fn names(kind: &str) -> Vec<String> {
    let name = KINDS
        .iter()
        .find(|(k, _)| *k == kind)
        .map_or("", |(_, name)| name);
    let numbers = (0..PATTERNS).map(|n| n * 7919 % PATTERNS);
    numbers
        .map(|n| name.replace("{}", &n.to_string()))
        .collect()
}

fn patterns(kind: &str) -> Patterns<usize> {
    let mut patterns = Patterns::default();
    for n in 0..PATTERNS {
        patterns.insert(&kind.replace("{}", &n.to_string()), n);
    }
    patterns
}

#[divan::bench(args = KINDS.iter().map(|(kind, _)| kind), sample_count = 1000)]
fn find(bencher: Bencher, kind: &str) {
    let names = names(kind);
    let mut names = names.iter().cycle();
    let mut patterns = patterns(kind);
    bencher.bench_local(|| {
        let mut found = 0;
        let name = names.next().map_or("", |name| name);
        patterns.find(black_box(name), |_| found += 1);
        assert!(found > 0);
        found
    });
}

#[divan::bench]
fn insert_and_remove(bencher: Bencher) {
    let mut patterns = patterns("room.{}.*");
    bencher.bench_local(|| {
        patterns.insert(black_box("room.new.*.**"), 1);
        patterns.remove(black_box("room.new.*.**"), &1);
    });
}
