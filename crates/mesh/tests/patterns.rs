//! Wildcards, against a matcher that follows their definition word by word.

#[path = "support/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use distribus_mesh::Patterns;
use random::Random;

fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let name: Vec<&str> = name.split('.').collect();
    matches_segments(&pattern, &name)
}

fn matches_segments(pattern: &[&str], name: &[&str]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((&"**", rest)) => (0..=name.len()).any(|n| matches_segments(rest, &name[n..])),
        Some((segment, rest)) => name.split_first().is_some_and(|(first, others)| {
            matches_run(segment.as_bytes(), first.as_bytes()) && matches_segments(rest, others)
        }),
    }
}

fn matches_run(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|n| matches_run(rest, &text[n..])),
        Some((c, rest)) => text
            .split_first()
            .is_some_and(|(t, others)| c == t && matches_run(rest, others)),
    }
}

fn find(patterns: &mut Patterns<usize>, name: &str) -> Vec<usize> {
    let mut found = Vec::new();
    patterns.find(name, |value| found.push(*value));
    found.sort_unstable();
    found
}

/// What a pattern matches and what not, for Rust and JavaScript alike.
#[derive(serde::Deserialize)]
struct Vector {
    pattern: String,
    matches: Vec<String>,
    others: Vec<String>,
}

#[test]
fn wildcards_match_what_the_vectors_say() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/patterns.json")).unwrap();
    assert!(vectors.len() > 20);
    for Vector {
        pattern,
        matches: yes,
        others: no,
    } in vectors
    {
        let mut patterns = Patterns::default();
        patterns.insert(&pattern, 1);
        for name in yes {
            assert_eq!(find(&mut patterns, &name), [1], "{pattern} and {name}");
            assert!(matches(&pattern, &name), "{pattern} and {name}");
        }
        for name in no {
            assert_eq!(find(&mut patterns, &name), [0; 0], "{pattern} and {name}");
            assert!(!matches(&pattern, &name), "{pattern} and {name}");
        }
    }
}

impl Random {
    fn text(&mut self, alphabet: &[u8], longest: usize) -> String {
        let length = self.below(longest + 1);
        let letters = (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())]));
        letters.collect()
    }
}

#[test]
fn random_patterns_match_what_their_definition_says() {
    for seed in 1..=40 {
        let mut random = Random(seed * 0x9abc_def1);
        let mut patterns = Patterns::default();
        let mut all: BTreeMap<usize, String> = BTreeMap::new();
        for value in 0..400 {
            // Now and then one goes.
            if value % 3 == 2 {
                let gone = random.below(value);
                if let Some(pattern) = all.remove(&gone) {
                    assert!(patterns.remove(&pattern, &gone));
                }
            }
            let pattern = random.text(b"aab..**", 9);
            patterns.insert(&pattern, value);
            all.insert(value, pattern);
        }
        for _ in 0..200 {
            let name = random.text(b"aaab..*", 9);
            let expected = all.iter().filter(|(_, p)| matches(p, &name));
            let expected: Vec<usize> = expected.map(|(v, _)| *v).collect();
            assert_eq!(find(&mut patterns, &name), expected, "{name}");
        }
        for (value, pattern) in &all {
            assert!(patterns.remove(pattern, value));
            assert!(!patterns.remove(pattern, value));
        }
        assert!(patterns.is_empty());
        assert_eq!(find(&mut patterns, "a.b"), [0; 0]);
    }
}

#[test]
fn what_was_never_there_is_not_removed() {
    let mut patterns = Patterns::default();
    patterns.insert("a.*", 1);
    for (pattern, value) in [("a.*", 2), ("a", 1), ("a.*.b", 1), ("**", 1), ("b*", 1)] {
        assert!(!patterns.remove(pattern, &value), "{pattern}");
    }
    assert_eq!(find(&mut patterns, "a.b"), [1]);
}

#[test]
fn a_value_is_found_as_often_as_it_was_inserted() {
    let mut patterns = Patterns::default();
    patterns.insert("a.*", 1);
    patterns.insert("a.*", 1);
    assert_eq!(find(&mut patterns, "a.b"), [1, 1]);
    patterns.remove("a.*", &1);
    assert_eq!(find(&mut patterns, "a.b"), [1]);
}

#[test]
fn many_wildcards_take_no_exponential_time() {
    let began = Instant::now();
    for (unit, name) in [
        ("**.a.", "a."),
        ("*a", "a"),
        ("*a*.**.", "aaaa."),
        ("**.*.", "b."),
    ] {
        let mut patterns = Patterns::default();
        let pattern = format!("{}**.z", unit.repeat(60));
        patterns.insert(&pattern, 1);
        patterns.insert(&format!("{}*z", unit.repeat(60)), 2);
        assert_eq!(
            find(&mut patterns, &format!("{}y", name.repeat(300))),
            [0; 0]
        );
    }
    // Any other way of matching would still be at it.
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn nodes_are_used_again() {
    let mut patterns = Patterns::default();
    for round in 0..1000 {
        for n in 0..10 {
            patterns.insert(&format!("room.{round}.{n}*.**"), n);
        }
        for n in 0..10 {
            assert!(patterns.remove(&format!("room.{round}.{n}*.**"), &n));
        }
    }
    assert!(patterns.nodes() < 100, "{}", patterns.nodes());
}
