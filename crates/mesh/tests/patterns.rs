//! Wildcards, against a matcher that follows their definition word by word.

#[path = "support/random.rs"]
mod random;

use std::collections::BTreeMap;

use distribus_mesh::{Matcher, Patterns};
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

/// Whether one of the patterns matches, and in how many steps.
fn find(patterns: &Patterns, name: &str) -> (bool, usize) {
    let mut left = usize::MAX;
    let found = Matcher::default().matches(patterns, name, &mut left);
    (found.unwrap(), usize::MAX - left)
}

fn found(patterns: &Patterns, name: &str) -> bool {
    find(patterns, name).0
}

fn of(all: impl IntoIterator<Item = impl AsRef<str>>) -> Patterns {
    let mut patterns = Patterns::default();
    for pattern in all {
        patterns.insert(pattern.as_ref());
    }
    patterns
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
        let patterns = of([&pattern]);
        for name in yes {
            assert!(found(&patterns, &name), "{pattern} and {name}");
            assert!(matches(&pattern, &name), "{pattern} and {name}");
        }
        for name in no {
            assert!(!found(&patterns, &name), "{pattern} and {name}");
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

/// Patterns of one seed, most of them there at any time, each with how often it is.
fn change_at_random(
    random: &mut Random,
    patterns: &mut Patterns,
    all: &mut BTreeMap<String, usize>,
) {
    for n in 0..400 {
        let pattern = random.text(b"aab..**", 20);
        let known = all.get(&pattern).copied().unwrap_or(0);
        if n % 3 < 2 {
            patterns.insert(&pattern);
            all.insert(pattern, known + 1);
            continue;
        }
        let Some(gone) = all.keys().nth(random.below(all.len())).cloned() else {
            continue;
        };
        let left = all[&gone] - 1;
        patterns.remove(&gone);
        match left {
            0 => all.remove(&gone),
            _ => all.insert(gone, left),
        };
    }
}

#[test]
fn random_patterns_match_what_their_definition_says() {
    for seed in 1..=60 {
        let mut random = Random(seed * 0x9abc_def1);
        let (mut patterns, mut all) = (Patterns::default(), BTreeMap::new());
        for _ in 0..4 {
            change_at_random(&mut random, &mut patterns, &mut all);
            for _ in 0..200 {
                let name = random.text(b"aaab..*", 12);
                let expected = all.keys().any(|p| matches(p, &name));
                assert_eq!(found(&patterns, &name), expected, "seed {seed}, {name}");
            }
            // One by one, so that none hides what another one does.
            for pattern in all.keys() {
                let (alone, name) = (of([pattern]), random.text(b"aaab..*", 12));
                assert_eq!(
                    found(&alone, &name),
                    matches(pattern, &name),
                    "{pattern}, {name}"
                );
            }
        }
        for (pattern, times) in &all {
            for _ in 0..*times {
                patterns.remove(pattern);
            }
        }
        assert!(patterns.is_empty());
        assert_eq!(patterns.nodes(), 0);
        assert!(!found(&patterns, "a.b"));
    }
}

#[test]
fn what_was_never_there_is_not_removed() {
    let mut patterns = of(["a.*"]);
    for pattern in ["a", "a.*.b", "**", "b*", "a.", "a.**", ""] {
        assert!(!patterns.remove(pattern), "{pattern}");
    }
    assert!(found(&patterns, "a.b"));
}

#[test]
fn a_pattern_is_there_as_often_as_it_was_inserted() {
    let mut patterns = Patterns::default();
    assert!(patterns.insert("a.*.**"));
    // Written in another way it is the same one.
    assert!(!patterns.insert("a.***.**.**"));
    assert!(!patterns.remove("a.*.**"));
    assert!(found(&patterns, "a.b"));
    assert!(patterns.remove("a.*.**"));
    assert!(!found(&patterns, "a.b") && patterns.is_empty());
}

#[test]
fn many_wildcards_take_no_exponential_time() {
    for (unit, name) in [
        ("**.a.", "a."),
        ("*a", "a"),
        ("*a*.**.", "aaaa."),
        ("**.*.", "b."),
    ] {
        let unit = unit.repeat(60);
        let patterns = of([format!("{unit}**.z"), format!("{unit}*z")]);
        let name = format!("{}y", name.repeat(300));
        let (found, steps) = find(&patterns, &name);
        assert!(!found);
        // Each byte of the name with each one of the patterns, in the worst case.
        assert!(steps < name.len() * 4 * unit.len(), "{steps}");
    }
}

#[test]
fn a_match_takes_no_more_steps_than_it_is_given() {
    for name in ["a.a.a.a.a.a.b", "aaaaaaaaaaaaab"] {
        let patterns = of((0..1000).map(|n| format!("{}**.{n}", "**.a*.*a.*.".repeat(1 + n % 7))));
        let needed = find(&patterns, name).1;
        let mut matcher = Matcher::default();
        for given in [0, 1, needed / 2, needed - 1] {
            let mut left = given;
            assert_eq!(matcher.matches(&patterns, name, &mut left), None);
        }
        let mut left = needed;
        assert!(matcher.matches(&patterns, name, &mut left).is_some());
        assert_eq!(left, 0);
    }
}

#[test]
fn patterns_as_they_are_in_use_take_few_steps() {
    for (pattern, name) in [
        ("room.{}.*", "room.{}.message"),
        ("room.{}.**", "room.{}.message.new"),
        ("user-{}*.events", "user-{}.events"),
        ("*-{}.events.**", "user-{}.events.login"),
        ("**.device.{}.*", "home.floor.2.device.{}.state"),
        ("*.{}.a*z", "room.{}.abcxyz"),
    ] {
        let with = |text: &str, n: usize| text.replace("{}", &n.to_string());
        let patterns = of((0..100_000).map(|n| with(pattern, n)));
        for n in [7, 4_321, 99_999] {
            let name = with(name, n);
            let (found, steps) = find(&patterns, &name);
            assert!(found && steps <= 64 + 4 * name.len(), "{name}: {steps}");
        }
    }
}

#[test]
fn nodes_are_few_and_used_again() {
    let mut patterns = of((0..100_000).map(|n| format!("user.{n}.*.changed")));
    assert!(patterns.nodes() < 112_000, "{}", patterns.nodes());
    for n in 0..100_000 {
        patterns.remove(&format!("user.{n}.*.changed"));
    }
    assert_eq!(patterns.nodes(), 0);
    // A pattern does not fall to pieces while others come and go.
    let long = "a-channel-with-a-name-of-three-nodes.*";
    patterns.insert(long);
    for n in 0..long.len() {
        let other = format!("{}#", &long[..n]);
        patterns.insert(&other);
        assert!(patterns.nodes() <= 5, "{n}");
        patterns.remove(&other);
    }
    assert!(patterns.nodes() <= 5);
    assert!(found(&patterns, "a-channel-with-a-name-of-three-nodes.x"));
}
