//! Calls of the program that ask the whole network.

use crate::mesh::{Mesh, RoundEnd};
use crate::words::{Call, LinkId};

impl Mesh {
    /// Asks our own hosts for their peers. An original host knows no such question.
    pub(in crate::mesh) fn list(&mut self, call: Call) {
        let ours = |link: &LinkId| self.hosts.get(*link).is_some_and(|l| l.host.is_some());
        let links = self.joined_links(None).into_iter().filter(ours).collect();
        self.start_round(
            links,
            "list",
            None,
            RoundEnd::Listed {
                call,
                ids: Vec::new(),
            },
        );
    }
}
