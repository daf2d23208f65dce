//! The kept corpus, and inputs that are made of it by simple means, without a fuzzer.

use std::path::Path;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).expect("a file"))
        .collect()
}

/// Simple and always the same: what matters is that thousands of inputs near the corpus are seen in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

#[test]
fn the_corpus_and_what_is_near_it() {
    for (name, target) in distribus_fuzz::TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 5, "{name}: {} inputs", inputs.len());
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for input in &inputs {
            target(input);
            for length in 0..input.len().min(64) {
                target(&input[..length]);
            }
            for _ in 0..20 {
                let mut changed = input.clone();
                for _ in 0..=random.below(3) {
                    if !changed.is_empty() {
                        let at = random.below(changed.len());
                        changed[at] = random.below(256) as u8;
                    }
                }
                let other = &inputs[random.below(inputs.len())];
                let cut = random.below(other.len() + 1);
                if random.below(2) == 0 {
                    changed.extend_from_slice(&other[cut..]);
                }
                target(&changed);
            }
        }
    }
}
