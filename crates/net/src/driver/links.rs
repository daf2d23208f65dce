//! The links of a host, from the moment in which they are dialled.

use std::collections::HashMap;
use std::sync::Arc;

use distribus_mesh::{CloseReason, LinkId};
use tokio::sync::watch;

use crate::link::{Link, Traffic};

/// All links by their numbers, and what has gone over them.
#[derive(Default)]
pub struct Links {
    entries: HashMap<LinkId, Entry>,
    /// What has gone over links that have ended.
    ended: Traffic,
}

enum Entry {
    /// Being dialled; the sender's end stops it.
    Dialling {
        _stop: watch::Sender<()>,
    },
    Open(Arc<dyn Link>),
}

/// What closing a link comes to.
pub enum Closing<'a> {
    /// It ends when what was put in before has been written.
    Open(&'a Arc<dyn Link>),
    /// It was being dialled, and is not any more.
    Dialled,
    Unknown,
}

impl Links {
    pub fn contains(&self, link: LinkId) -> bool {
        self.entries.contains_key(&link)
    }

    /// The link, if it is open.
    pub fn open(&self, link: LinkId) -> Option<&Arc<dyn Link>> {
        match self.entries.get(&link) {
            Some(Entry::Open(open)) => Some(open),
            _ => None,
        }
    }

    pub fn all_open(&self) -> impl Iterator<Item = &Arc<dyn Link>> {
        self.entries.values().filter_map(|entry| match entry {
            Entry::Open(open) => Some(open),
            Entry::Dialling { .. } => None,
        })
    }

    /// Enters a link that is being dialled. What it returns ends when nobody wants the link any more.
    pub fn dial(&mut self, link: LinkId) -> watch::Receiver<()> {
        let (stop, stopped) = watch::channel(());
        self.entries.insert(link, Entry::Dialling { _stop: stop });
        stopped
    }

    /// A link that was dialled is open. False when nobody wants it any more.
    pub fn opened(&mut self, link: LinkId, open: Arc<dyn Link>) -> bool {
        match self.entries.get_mut(&link) {
            Some(entry @ Entry::Dialling { .. }) => {
                *entry = Entry::Open(open);
                true
            }
            _ => false,
        }
    }

    /// Enters a link that the other side has opened.
    pub fn accepted(&mut self, link: LinkId, open: Arc<dyn Link>) {
        self.entries.insert(link, Entry::Open(open));
    }

    /// Closes a link, or stops dialling it.
    pub fn close(&mut self, link: LinkId, reason: CloseReason) -> Closing<'_> {
        if matches!(self.entries.get(&link), Some(Entry::Dialling { .. })) {
            self.entries.remove(&link);
            return Closing::Dialled;
        }
        match self.open(link) {
            Some(open) => {
                open.close(reason);
                Closing::Open(open)
            }
            None => Closing::Unknown,
        }
    }

    /// Forgets a link. False when it is not known any more.
    pub fn remove(&mut self, link: LinkId) -> bool {
        match self.entries.remove(&link) {
            Some(Entry::Open(open)) => {
                self.ended += open.traffic();
                true
            }
            Some(Entry::Dialling { .. }) => true,
            None => false,
        }
    }

    /// Moves all links out. What has gone over those that have ended stays known.
    pub fn take(&mut self) -> Links {
        Links {
            entries: std::mem::take(&mut self.entries),
            ended: Traffic::default(),
        }
    }

    /// What has gone over all links, those included that have ended.
    pub fn traffic(&self) -> Traffic {
        let mut traffic = self.ended;
        for open in self.all_open() {
            traffic += open.traffic();
        }
        traffic
    }
}
