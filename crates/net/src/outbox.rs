//! Bytes that wait to be written to a link, and the one who writes them.

use std::io;

use parking_lot::Mutex;

use crate::frame::{self, opcode};
use crate::stream::Stream;

/// How a drain ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Drained {
    /// Everything is written, or somebody else is writing.
    Yes,
    /// The socket takes no more now.
    Blocked,
    /// The socket is broken.
    Broken,
}

/// The outbox of one link. Frames are put in whole, under the lock, and leave in that order; whoever drains takes everything that is
/// there and writes it outside the lock, one drainer at a time.
#[derive(Debug)]
pub struct Outbox {
    state: Mutex<State>,
    masks: bool,
}

#[derive(Debug, Default)]
struct State {
    queued: Vec<u8>,
    /// What a drainer took and could not write yet, from `written` on.
    partial: Vec<u8>,
    written: usize,
    draining: bool,
    /// The close frame is in: nothing may follow it.
    finished: bool,
    broken: bool,
}

/// Emptied buffers that are larger than this are given back to the allocator.
const KEEP: usize = 128 * 1024;

impl Outbox {
    pub fn new(masks: bool) -> Self {
        Outbox {
            state: Mutex::default(),
            masks,
        }
    }

    pub fn push_text(&self, text: &str) {
        self.push_frame(opcode::TEXT, text.as_bytes());
    }

    pub fn push_binary(&self, bytes: &[u8]) {
        self.push_frame(opcode::BINARY, bytes);
    }

    /// Puts in the answer to a ping, unless much waits already: the other side may ping without reading.
    pub fn push_pong(&self, payload: &[u8]) {
        let state = self.state.lock();
        let waiting = state.queued.len() + state.partial.len() - state.written;
        drop(state);
        if waiting < KEEP {
            self.push_frame(opcode::PONG, payload);
        }
    }

    /// Puts in a close frame. Whatever is put in later is dropped.
    pub fn push_close(&self, code: u16) {
        self.push_frame(opcode::CLOSE, &code.to_be_bytes());
    }

    fn push_frame(&self, opcode: u8, payload: &[u8]) {
        let mask = self.masks.then(|| fastrand::u32(..).to_ne_bytes());
        let mut state = self.state.lock();
        if !state.finished && !state.broken {
            state.finished = opcode == opcode::CLOSE;
            frame::push(&mut state.queued, opcode, payload, mask);
        }
    }

    /// Writes what is there, as far as the socket takes it without waiting.
    pub fn drain(&self, stream: &impl Stream) -> Drained {
        loop {
            let mut state = self.state.lock();
            if state.broken {
                return Drained::Broken;
            }
            if state.draining {
                return Drained::Yes;
            }
            if state.partial.is_empty() {
                if state.queued.is_empty() {
                    return Drained::Yes;
                }
                let State {
                    queued,
                    partial,
                    written,
                    ..
                } = &mut *state;
                std::mem::swap(queued, partial);
                *written = 0;
            }
            let mut bytes = std::mem::take(&mut state.partial);
            let mut written = state.written;
            state.draining = true;
            drop(state);

            let mut ended = Drained::Yes;
            while written < bytes.len() {
                match stream.try_write(&bytes[written..]) {
                    Ok(0) => ended = Drained::Broken,
                    Ok(n) => written += n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => ended = Drained::Blocked,
                    Err(_) => ended = Drained::Broken,
                }
                if ended != Drained::Yes {
                    break;
                }
            }

            let mut state = self.state.lock();
            state.draining = false;
            match ended {
                Drained::Yes => {
                    state.written = 0;
                    if bytes.capacity() <= KEEP {
                        bytes.clear();
                        if state.queued.is_empty() && state.queued.capacity() < bytes.capacity() {
                            state.queued = bytes;
                        }
                    }
                }
                Drained::Blocked => {
                    state.partial = bytes;
                    state.written = written;
                    return Drained::Blocked;
                }
                Drained::Broken => {
                    state.broken = true;
                    state.queued = Vec::new();
                    return Drained::Broken;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll};

    /// Takes a few bytes, then none, in turn.
    struct Slow(Mutex<(Vec<u8>, bool)>, usize);

    impl Stream for Slow {
        fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock();
            state.1 = !state.1;
            if !state.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let n = bytes.len().min(self.1);
            state.0.extend_from_slice(&bytes[..n]);
            Ok(n)
        }
        fn poll_readable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
        fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[test]
    fn partial_writes_lose_nothing_and_keep_the_order() {
        let outbox = Outbox::new(false);
        let stream = Slow(Mutex::default(), 3);
        let mut expected = Vec::new();
        for n in 0..20u8 {
            let text = format!("message {n}");
            outbox.push_text(&text);
            expected.extend([0x81, text.len() as u8]);
            expected.extend(text.bytes());
            outbox.drain(&stream);
        }
        outbox.push_close(1000);
        outbox.push_text("too late");
        expected.extend([0x88, 2, 3, 232]);
        while outbox.drain(&stream) == Drained::Blocked {}
        assert_eq!(stream.0.lock().0, expected);
    }
}
