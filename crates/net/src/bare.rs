//! Links without a mesh, for tests of the WebSocket protocol: handshakes, frames and endings are those of hosts.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use distribus_mesh::{DialError, Input, LinkId, Nearness, Reach};

use crate::clock::Clock;
use crate::holdings::Holdings;
use crate::host::Intake;
use crate::limits::Limits;
use crate::link::Link;
use crate::runtime;
use crate::sockets::{TcpStream, bind};
use crate::ws::connection::Connection;
use crate::ws::dialer::Attempt;
use crate::ws::reader::Reader;
use crate::ws::serving;
use crate::ws::tcp::Socket;
use crate::ws::upgrade;

/// What comes over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Text(ByteString),
    Binary(Bytes),
}

/// An open link.
pub struct Bare(Arc<Connection<Socket>>);

impl Bare {
    pub fn say(&self, said: &Said) {
        match said {
            Said::Text(text) => self.0.push_text(text),
            Said::Binary(bytes) => self.0.push_binary(bytes),
        };
        self.0.flush();
    }
}

/// Accepts connections, for as long as the process lives. Returns the address.
pub fn listen<H>(at: SocketAddr, hear: H) -> io::Result<SocketAddr>
where
    H: Fn(&Bare, Said) + Clone + Send + Sync + 'static,
{
    let runtime = runtime::handle();
    let _entered = runtime.enter();
    let listener = bind(at)?;
    let bound = listener.local_addr()?;
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = poll_fn(|cx| listener.poll_accept(cx)).await {
            let hear = hear.clone();
            runtime::handle().spawn(async move {
                let _ = stream.set_nodelay(true);
                let within = Limits::default().handshake_timeout;
                if let Some(leftover) = upgrade::upgrade(&mut stream, within, None).await {
                    run(stream, false, leftover, hear).await;
                }
            });
        }
    });
    Ok(bound)
}

/// Dials, and ends when the link has ended.
pub fn dial(url: &str, hear: impl Fn(&Bare, Said) + Send + Sync) -> Result<(), DialError> {
    runtime::handle().block_on(async {
        let attempt = Attempt::new(url, Limits::default().handshake_timeout, |_| None)?;
        let reach = Reach {
            told: Nearness::Program,
            namesake: false,
        };
        let mut stream = attempt.connect(reach).await?;
        let leftover = attempt.shake(&mut stream).await?;
        run(stream, true, leftover, hear).await;
        Ok(())
    })
}

async fn run(
    stream: TcpStream,
    dialled: bool,
    leftover: Vec<u8>,
    hear: impl Fn(&Bare, Said) + Send + Sync,
) {
    let (limits, holdings) = (Limits::default(), Holdings::default());
    holdings.set_limits(&limits);
    let connection = Connection::new(
        Socket::Whole(stream),
        dialled,
        Clock::begin(),
        limits.max_outbox,
        holdings.link(None),
    );
    let reader = Reader::new(Arc::clone(&connection), LinkId(0), limits.max_payload);
    let program = Program {
        bare: Bare(Arc::clone(&connection)),
        hear,
    };
    let read = serving::read(&program, reader, leftover);
    serving::serve(&connection, read, || {}).await;
}

struct Program<H> {
    bare: Bare,
    hear: H,
}

impl<H: Fn(&Bare, Said) + Send + Sync> Intake for Program<H> {
    fn received(&self, _: LinkId, batch: Vec<Input>) {
        for input in batch {
            match input {
                Input::Received { text, .. } => (self.hear)(&self.bare, Said::Text(text)),
                Input::ReceivedBinary { bytes, .. } => (self.hear)(&self.bare, Said::Binary(bytes)),
                _ => {}
            }
        }
    }

    fn has_room(&self, _: LinkId) -> bool {
        true
    }

    async fn room(&self, _: LinkId) {}
}
