//! How long one name may be matched with the patterns of all hosts.

const SHARED: usize = 1024;
const SHARED_PER_BYTE: usize = 8;
const OWN: usize = 64;
const OWN_PER_BYTE: usize = 4;

/// Steps for matching one name. Each host has some for its own patterns, twice as many as patterns in use need. A host that needs
/// more takes them from what all share, as long as there are some.
#[derive(Debug)]
pub struct Steps {
    own: usize,
    shared: usize,
    taken: usize,
}

impl Steps {
    pub fn new(name: &str) -> Steps {
        Steps {
            own: OWN + OWN_PER_BYTE * name.len(),
            shared: SHARED + SHARED_PER_BYTE * name.len(),
            taken: 0,
        }
    }

    /// Whether that says so, which takes steps from what it is given, or gives up.
    pub fn found(&mut self, matches: impl FnOnce(&mut usize) -> Option<bool>) -> bool {
        let most = self.own + self.shared;
        let mut left = most;
        let found = matches(&mut left);
        if found.is_none() {
            left = 0;
        }
        self.taken += most - left;
        self.shared = self.shared.min(left);
        found.unwrap_or(true)
    }

    /// How many were taken in all.
    pub fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_hosts_together_take_grows_by_little_with_each() {
        let name = "a.name.like.many.others";
        let mut taken = 0;
        let mut steps = Steps::new(name);
        for host in 0..300 {
            let endless = |left: &mut usize| {
                taken += *left;
                None
            };
            assert!(steps.found(endless));
            // Those that need few are not the worse for it.
            let modest = |left: &mut usize| left.checked_sub(4 * name.len()).map(|_| false);
            assert!(!steps.found(modest), "host {host}");
        }
        assert!(steps.taken() >= taken);
        assert!(taken < 1300 + 300 * 160, "{taken}");
    }
}
