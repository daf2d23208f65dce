//! What it costs to find the subscriptions to a channel among 100,000 patterns: `cargo bench -p distribus-mesh`.

use distribus_mesh::{Matcher, Patterns};
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

fn patterns(kind: &str) -> Patterns {
    let mut patterns = Patterns::default();
    for n in 0..PATTERNS {
        patterns.insert(&kind.replace("{}", &n.to_string()));
    }
    patterns
}

#[divan::bench(args = KINDS.iter().map(|(kind, _)| kind), sample_count = 1000)]
fn find(bencher: Bencher, kind: &str) {
    let names = names(kind);
    let mut names = names.iter().cycle();
    let patterns = patterns(kind);
    let mut matcher = Matcher::default();
    bencher.bench_local(|| {
        let name = names.next().map_or("", |name| name);
        let mut steps = usize::MAX;
        let found = matcher.matches(&patterns, black_box(name), &mut steps);
        assert_eq!(found, Some(true));
    });
}

#[divan::bench]
fn insert_and_remove(bencher: Bencher) {
    let mut patterns = patterns("room.{}.*");
    bencher.bench_local(|| {
        patterns.insert(black_box("room.new.*.**"));
        patterns.remove(black_box("room.new.*.**"));
    });
}

/// One name and the patterns of 200 hosts, each of which has some.
#[divan::bench(args = ["user-{}.changed", "room.{}.*", "**.error.{}"])]
fn hosts(bencher: Bencher, kind: &str) {
    let of_host = |host: usize| {
        let mut patterns = Patterns::default();
        for n in 0..10 {
            patterns.insert(&kind.replace("{}", &format!("{}*", host * 10 + n)));
        }
        patterns
    };
    let all: Vec<Patterns> = (0..200).map(of_host).collect();
    let mut matcher = Matcher::default();
    bencher.bench_local(|| {
        let mut found = 0;
        for patterns in &all {
            let mut steps = usize::MAX;
            let name = black_box("order.12345.changed");
            found += usize::from(matcher.matches(patterns, name, &mut steps) == Some(true));
        }
        found
    });
}
