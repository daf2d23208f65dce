//! Taking back what was never said, and giving up what has waited for too long.

use super::{Part, Run, Session};
use crate::words::Time;

impl<T: Run> Session<T> {
    /// Takes out the runs of which `wanted` says yes, as far as they were never said.
    pub fn recall(&mut self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let mut recalled = Vec::new();
        for unsent in &mut self.unsent {
            if let Some(run) = unsent.run.take_if(|run| wanted(run)) {
                self.queued = self.queued.saturating_sub(Self::cost(&run));
                self.messages = self.messages.saturating_sub(run.count() as usize);
                recalled.push(run);
            }
        }
        recalled
    }

    /// Takes out, in order, what was never said and is `wanted`.
    pub fn take_unsaid(&mut self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let before = self.passed;
        let mut taken = Vec::new();
        self.passed = 0;
        for (n, mut unsent) in std::mem::take(&mut self.unsent).into_iter().enumerate() {
            if let Some(run) = unsent.run.take_if(|run| wanted(run)) {
                self.queued = self.queued.saturating_sub(Self::cost(&run));
                self.messages = self.messages.saturating_sub(run.count() as usize);
                taken.push(run);
            } else {
                self.passed += usize::from(n < before);
                self.unsent.push_back(unsent);
            }
        }
        taken
    }

    /// Gives what has been waited for too long, and forgets of it what was not even said.
    pub(in super::super) fn expire(&mut self, before: Time) -> Vec<Part<T>> {
        let mut parts = Vec::new();
        while let Some(sent) = self.unacked.get(self.expired)
            && sent.at <= before
        {
            self.expired += 1;
            let (run, first, expired) = (sent.run.clone(), sent.first, false);
            let range = sent.done..run.count();
            parts.push(Part {
                run,
                first,
                range,
                expired,
            });
        }
        while let Some(unsent) = self.unsent.get_mut(self.passed)
            && unsent.at <= before
        {
            self.passed += 1;
            let Some(run) = unsent.run.take_if(|run| run.expires()) else {
                continue;
            };
            self.queued = self.queued.saturating_sub(Self::cost(&run));
            self.messages = self.messages.saturating_sub(run.count() as usize);
            let range = 0..run.count();
            parts.push(Part {
                run,
                first: 0,
                range,
                expired: false,
            });
        }
        parts
    }

    /// Since when the oldest one waits that nobody has been told about.
    pub(in super::super) fn oldest(&self) -> Option<Time> {
        let sent = self.unacked.get(self.expired).map(|s| s.at);
        sent.or_else(|| self.unsent.get(self.passed).map(|u| u.at))
    }
}
