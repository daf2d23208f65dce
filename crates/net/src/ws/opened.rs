//! A connection that has shaken hands.

use std::sync::Arc;

use distribus_mesh::LinkId;

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
    /// `dialled`: this side is the client.
    pub fn new(host: &impl Host, stream: S, dialled: bool, leftover: Vec<u8>) -> Self {
        let max_outbox = host.limits().max_outbox;
        Opened {
            connection: Connection::new(stream, dialled, host.clock(), max_outbox),
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
