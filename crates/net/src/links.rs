//! The links of a host, by their numbers.

use std::collections::HashMap;
use std::sync::Arc;

use distribus_mesh::LinkId;
use tokio::task::AbortHandle;

use crate::outbox::Link;

/// What became of a number that the mesh knows.
pub(crate) enum Entry {
    /// Being dialled by that task.
    Dialling(AbortHandle),
    /// Open. `round` is the last round of work in which it was written to.
    Open { link: Arc<Link>, accepted: bool, round: u64 },
}

/// The links, and which of them have something new to write.
#[derive(Default)]
pub(crate) struct Links {
    entries: HashMap<LinkId, Entry>,
    round: u64,
}

impl Links {
    /// Begins a round of work: every link is touched at most once in it.
    pub(crate) fn begin(&mut self) {
        self.round += 1;
    }

    /// The link, if it is open; the first time in a round it is also added to `touched`.
    pub(crate) fn touch(&mut self, id: LinkId, touched: &mut Vec<Arc<Link>>) -> Option<&Arc<Link>> {
        match self.entries.get_mut(&id) {
            Some(Entry::Open { link, round, .. }) => {
                if *round != self.round {
                    *round = self.round;
                    touched.push(link.clone());
                }
                Some(link)
            }
            _ => None,
        }
    }

    pub(crate) fn add_dialling(&mut self, id: LinkId, task: AbortHandle) {
        self.entries.insert(id, Entry::Dialling(task));
    }

    pub(crate) fn add_accepted(&mut self, id: LinkId, link: Arc<Link>) {
        self.entries.insert(id, Entry::Open { link, accepted: true, round: 0 });
    }

    /// A dialled link is open now. False: nobody wants it any more.
    pub(crate) fn open(&mut self, id: LinkId, link: Arc<Link>) -> bool {
        match self.entries.get_mut(&id) {
            Some(entry @ Entry::Dialling(_)) => {
                *entry = Entry::Open { link, accepted: false, round: 0 };
                true
            }
            _ => false,
        }
    }

    /// Ends a dial that is still running. False: there is none.
    pub(crate) fn abort(&mut self, id: LinkId) -> bool {
        if let Some(Entry::Dialling(task)) = self.entries.get(&id) {
            task.abort();
            self.entries.remove(&id);
            return true;
        }
        false
    }

    pub(crate) fn is_open(&self, id: LinkId) -> bool {
        matches!(self.entries.get(&id), Some(Entry::Open { .. }))
    }

    /// Forgets a link. False: it is forgotten already.
    pub(crate) fn remove(&mut self, id: LinkId) -> bool {
        self.entries.remove(&id).is_some()
    }

    /// Removes the accepted links.
    pub(crate) fn remove_accepted(&mut self) -> Vec<(LinkId, Arc<Link>)> {
        let taken = |_: &LinkId, entry: &mut Entry| matches!(entry, Entry::Open { accepted: true, .. });
        let mut removed: Vec<_> = self
            .entries
            .extract_if(taken)
            .filter_map(|(id, entry)| match entry {
                Entry::Open { link, .. } => Some((id, link)),
                Entry::Dialling(_) => None,
            })
            .collect();
        removed.sort_by_key(|(id, _)| *id);
        removed
    }

    /// All open links.
    pub(crate) fn all_open(&self) -> Vec<Arc<Link>> {
        let open = self.entries.values().filter_map(|entry| match entry {
            Entry::Open { link, .. } => Some(link.clone()),
            Entry::Dialling(_) => None,
        });
        open.collect()
    }
}

/// Links and dials end with the host.
impl Drop for Links {
    fn drop(&mut self) {
        for entry in self.entries.values() {
            match entry {
                Entry::Dialling(task) => task.abort(),
                Entry::Open { link, .. } => link.kill(),
            }
        }
    }
}
