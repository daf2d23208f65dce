//! A connection that has shaken hands.

use std::sync::Arc;

use distribus_mesh::LinkId;

use crate::holdings::pool::Share;
use crate::host::Host;
use crate::link::Link;
use crate::opening::Opening;
use crate::ws::connection::Connection;
use crate::ws::serving;
use crate::ws::stream::Stream;

/// Both sides speak WebSocket from here on.
pub struct Opened<S> {
    connection: Arc<Connection<S>>,
    /// What came together with the handshake.
    leftover: Vec<u8>,
}

impl<S: Stream> Opened<S> {
    /// The host has dialled: it is the client.
    pub fn dialled(host: &impl Host, stream: S, leftover: Vec<u8>) -> Self {
        Self::new(host, stream, None, leftover)
    }

    /// A stranger has dialled.
    pub fn accepted(host: &impl Host, stream: S, stranger: Share, leftover: Vec<u8>) -> Self {
        Self::new(host, stream, Some(stranger), leftover)
    }

    fn new(host: &impl Host, stream: S, stranger: Option<Share>, leftover: Vec<u8>) -> Self {
        let (clock, max) = (host.clock(), host.limits().max_outbox);
        let dialled = stranger.is_none();
        let held = host.holdings().link(stranger);
        Opened {
            connection: Connection::new(stream, dialled, clock, max, held),
            leftover,
        }
    }
}

impl<S: Stream> Opening for Opened<S> {
    fn link(&self) -> Arc<dyn Link> {
        Arc::clone(&self.connection) as Arc<dyn Link>
    }

    async fn serve<H: Host>(self, host: &Arc<H>, link: LinkId) {
        serving::run(host, link, &self.connection, self.leftover).await;
    }
}
