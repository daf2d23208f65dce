//! How links come into being: whoever dials or accepts makes an [`Opening`], and a host enters and serves it.

use std::sync::Arc;

use bytestring::ByteString;
use distribus_mesh::{DialError, Input, LinkId, Reach};
use tokio::sync::watch;

use crate::host::Host;
use crate::link::Link;
use crate::sockets::TcpStream;

/// A link that is made and that no host has entered yet.
pub trait Opening: Send {
    fn link(&self) -> Arc<dyn Link>;
    /// Does what the link needs while it is open: reads it, writes what had to wait. Ends when the link ends.
    fn serve<H: Host>(self, host: &Arc<H>, link: LinkId) -> impl Future<Output = ()> + Send;
}

/// Reaches hosts by the urls of one scheme.
pub trait Dialer: Send + Sync + 'static {
    type Opened: Opening;

    /// Makes a link to whoever is at that url, within the host's `handshake_timeout`. May be dropped before it ends. Others may have told of
    /// the url: whoever connects to an address must not go beyond `reach`.
    fn dial<H: Host>(
        &self,
        host: &H,
        url: &str,
        reach: Reach,
    ) -> impl Future<Output = Result<Self::Opened, DialError>> + Send;
}

/// Makes links of the sockets that a server accepts.
pub trait Acceptor: Send + Sync + 'static {
    type Opened: Opening;

    /// Shakes hands within the host's `handshake_timeout`. `None` when that fails: whoever connected has had the answer. May be dropped
    /// before it ends.
    fn accept<H: Host>(
        &self,
        host: &H,
        socket: TcpStream,
    ) -> impl Future<Output = Option<Self::Opened>> + Send;
}

/// Dials, and serves the link until it ends. Stops when the sender of `stopped` is gone before the link is open.
pub async fn dial<H: Host>(
    dialer: &impl Dialer,
    host: Arc<H>,
    link: LinkId,
    (url, reach): (ByteString, Reach),
    mut stopped: watch::Receiver<()>,
) {
    // Given back when the link is open: it would be most of what an idle link takes.
    let dial = Box::pin(dialer.dial(host.as_ref(), &url, reach));
    let dialled = tokio::select! {
        dialled = dial => dialled,
        _ = stopped.changed() => return,
    };
    match dialled {
        Ok(opened) => {
            if host.opened(link, opened.link()) {
                opened.serve(&host, link).await;
                host.ended(link, Input::Closed { link });
            }
        }
        Err(error) => host.ended(link, Input::DialFailed { link, error }),
    }
}

/// Enters a link that the other side opened, and serves it until it ends. Reports its end to the host even when this is dropped.
pub async fn accept<H: Host>(host: &Arc<H>, opened: impl Opening) {
    let Some(link) = host.accepted(opened.link()) else {
        return;
    };
    let _ended = Ended {
        host: host.as_ref(),
        link,
    };
    opened.serve(host, link).await;
}

struct Ended<'a, H: Host> {
    host: &'a H,
    link: LinkId,
}

impl<H: Host> Drop for Ended<'_, H> {
    fn drop(&mut self) {
        let link = self.link;
        self.host.ended(link, Input::Closed { link });
    }
}
