//! Telling the program who comes to the network and who goes.

use bytestring::ByteString;

use crate::event::Event;
use crate::mesh::Mesh;
use crate::parts::roster::Name;
use crate::words::{Change, LinkId};

impl Mesh {
    fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.event(event);
        }
    }

    /// The host behind that link is connected, under that key.
    pub(super) fn member_is_here(
        &mut self,
        host: Option<&ByteString>,
        key: &ByteString,
        url: Option<ByteString>,
    ) {
        let events = self
            .network
            .roster
            .connected(Name::new(host, key), key.clone(), url);
        self.tell_and_end(events);
    }

    /// Tells who comes and goes. Who is told to have left is not waited for.
    fn tell_and_end(&mut self, events: Vec<Event>) {
        for event in &events {
            if let Event::Member {
                change: Change::Leave,
                host: Some(host),
                ..
            } = event
            {
                self.end_lost_session(host);
            }
        }
        self.tell(events);
    }

    /// It has lost its connection.
    pub(super) fn member_is_lost(&mut self, host: Option<&ByteString>, key: &ByteString) {
        let event = self.network.roster.lost(&Name::new(host, key));
        self.tell(event);
    }

    /// The host behind that link has said goodbye, or another one has taken its place.
    pub(super) fn member_is_gone(&mut self, link: LinkId, key: &ByteString) {
        let host = self.network.hosts.get(link).and_then(|l| l.host.as_ref());
        let event = self.network.roster.gone(&Name::new(host, key));
        self.tell(event);
    }

    /// It was lost, and is not waited for any more.
    pub(super) fn member_is_given_up(&mut self, host: Option<&ByteString>, key: &ByteString) {
        let events = self
            .network
            .roster
            .given_up(&Name::new(host, key), Some(key));
        self.tell_and_end(events);
    }

    /// Another incarnation is where that lost one was.
    pub(super) fn incarnation_has_ended(&mut self, host: &ByteString) {
        let events = self
            .network
            .roster
            .given_up(&Name::Host(host.clone()), None);
        self.tell(events);
    }

    pub(super) fn all_members_are_gone(&mut self) {
        let events = self.network.roster.clear();
        self.tell(events);
    }
}
