//! What was found for the names that were published to lately, as far as it took long: the patterns of each of hundreds of hosts are
//! asked, and some are made to be slow. Most programs publish to the same channels again and again.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::names::{Hash, Same};

/// How many names, and how long ones, in bytes.
const MOST: usize = 1024;
const LONGEST: usize = 256;

/// The hosts, which are numbers here, whose patterns a name matches. To be forgotten when a pattern comes or goes.
#[derive(Debug, Default)]
pub struct Found {
    hosts: HashMap<Hash, (Box<str>, Vec<u32>), BuildHasherDefault<Same>>,
}

impl Found {
    pub fn get(&self, hash: Hash, name: &str) -> Option<&[u32]> {
        let (found, hosts) = self.hosts.get(&hash)?;
        (**found == *name).then_some(hosts)
    }

    pub fn set(&mut self, hash: Hash, name: &str, hosts: Vec<u32>) {
        if name.len() > LONGEST {
            return;
        }
        if self.hosts.len() >= MOST {
            self.forget();
        }
        self.hosts.insert(hash, (name.into(), hosts));
    }

    pub fn forget(&mut self) {
        if !self.hosts.is_empty() {
            self.hosts = HashMap::default();
        }
    }
}
