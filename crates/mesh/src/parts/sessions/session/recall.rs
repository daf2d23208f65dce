//! Taking back what was never said.

use super::{Run, Session};

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
}
