//! Serves an open connection: its task waits for room to write, and reads, or lets a [`ReadLoop`] read.

use std::sync::Arc;
use std::time::Duration;

use distribus_mesh::{CloseReason, LinkId};

use crate::host::{Host, Intake};
use crate::link::Link;
use crate::read_loop::{ReadEnd, ReadLoop};
use crate::ws::connection::Connection;
use crate::ws::loop_reader::{LoopReader, Signals};
use crate::ws::reader::Reader;
use crate::ws::stream::Stream;

/// How long the other side may take to answer our close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves a host's connection until it ends. `leftover` came together with the handshake.
pub async fn run<S: Stream, H: Host>(
    host: &Arc<H>,
    link: LinkId,
    connection: &Arc<Connection<S>>,
    leftover: Vec<u8>,
) {
    let reader = Reader::new(Arc::clone(connection), link, host.limits().max_payload);
    // Kept once: who waits for one of several futures moves them first.
    let read = Box::pin(async {
        match (host.read_loop(), connection.stream.descriptor()) {
            (Some(read_loop), Some(_)) => {
                read_there(read_loop.as_ref(), host, connection, reader, leftover).await;
            }
            _ => read(host.as_ref(), reader, leftover).await,
        }
    });
    serve(connection, read, || host.written(link)).await;
}

/// Serves a connection, which `read` reads, until it ends. `written` is called whenever something that had to wait has been written.
pub async fn serve<S: Stream>(
    connection: &Connection<S>,
    read: impl Future<Output = ()>,
    written: impl Fn(),
) {
    let _hang_up = HangUp(connection);
    let closed_by_us = async {
        connection.closing().await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        () = read => {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.write_farewell()).await;
        }
        () = connection.write_rest(written) => {}
        () = closed_by_us => {}
        () = connection.killed() => {}
        () = connection.ousted() => {
            connection.close(CloseReason::Overloaded);
            connection.flush();
        }
    }
}

/// Ends the connection when its task ends, in whatever way.
struct HangUp<'a, S: Stream>(&'a Connection<S>);

impl<S: Stream> Drop for HangUp<'_, S> {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

/// Lets a loop read the connection.
async fn read_there<S: Stream, H: Host>(
    read_loop: &dyn ReadLoop,
    host: &Arc<H>,
    connection: &Connection<S>,
    mut reader: Reader<S>,
    leftover: Vec<u8>,
) {
    let mut batch = Vec::new();
    let end = reader.feed(&leftover, &mut batch);
    drop(leftover);
    let end = reader.hand_over(host.as_ref(), batch, end);
    if end == ReadEnd::Ended {
        return;
    }
    let signals = Arc::new(Signals::default());
    let link = reader.link();
    let reader = LoopReader::new(Arc::clone(host), reader, Arc::clone(&signals));
    let Some(attached) = reader.and_then(|reader| read_loop.attach(Box::new(reader))) else {
        return;
    };
    loop {
        tokio::select! {
            () = signals.ended.notified() => return,
            () = signals.paused.notified() => {
                host.room(link).await;
                connection.unfinished.wait(|| host.has_room(link)).await;
                attached.resume();
            }
        }
    }
}

/// Hands messages over, as many at a time as are there.
pub async fn read<S: Stream>(intake: &impl Intake, mut reader: Reader<S>, leftover: Vec<u8>) {
    let mut batch = Vec::new();
    let mut end = reader.feed(&leftover, &mut batch);
    drop(leftover);
    loop {
        // Given away, so that a link that is idle now does not keep what a busy one needed.
        match reader.hand_over(intake, std::mem::take(&mut batch), end) {
            ReadEnd::Ended => return,
            // Another link's turn.
            ReadEnd::Full => tokio::task::yield_now().await,
            ReadEnd::Blocked | ReadEnd::Paused => {}
        }
        let link = reader.link();
        intake.room(link).await;
        reader.turn(|| intake.has_room(link)).await;
        end = reader.read(&mut batch).await;
    }
}
