//! Bytes that wait to be written to a link, and the one who writes them.

use std::io;

use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

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
    /// Clients mask what they send, servers do not (RFC 6455, 5.3).
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
const KEEP: usize = 64 * 1024;

impl Outbox {
    pub fn new(masks: bool) -> Self {
        Outbox {
            state: Mutex::default(),
            masks,
        }
    }

    /// Puts in a text frame.
    pub fn push_text(&self, text: &str) {
        self.push_frame(OpCode::Data(Data::Text), text.as_bytes(), false);
    }

    /// Puts in a binary frame.
    pub fn push_binary(&self, bytes: &[u8]) {
        self.push_frame(OpCode::Data(Data::Binary), bytes, false);
    }

    /// Puts in a close frame (1000, normal closure). Whatever is put in later is dropped.
    pub fn push_close(&self) {
        self.push_frame(
            OpCode::Control(Control::Close),
            &1000u16.to_be_bytes(),
            true,
        );
    }

    fn push_frame(&self, opcode: OpCode, payload: &[u8], last: bool) {
        let mask: Option<[u8; 4]> = self.masks.then(|| fastrand::u32(..).to_ne_bytes());
        let header = FrameHeader {
            is_final: true,
            opcode,
            mask,
            ..FrameHeader::default()
        };
        let mut state = self.state.lock();
        if state.finished || state.broken {
            return;
        }
        state.finished = last;
        let queued = &mut state.queued;
        queued.reserve(header.len(payload.len() as u64) + payload.len());
        if header.format(payload.len() as u64, queued).is_err() {
            // Writing to memory does not fail.
            return;
        }
        let start = queued.len();
        queued.extend_from_slice(payload);
        if let Some(mask) = mask {
            apply_mask(&mut queued[start..], mask);
        }
    }

    /// Puts in bytes that are whole frames already (or a handshake).
    pub fn push_raw(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        if !state.finished && !state.broken {
            state.queued.extend_from_slice(bytes);
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

/// XORs the payload with the mask, eight bytes at a time.
fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(bytes) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
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
        outbox.push_close();
        outbox.push_text("too late");
        expected.extend([0x88, 2, 3, 232]);
        while outbox.drain(&stream) == Drained::Blocked {}
        assert_eq!(stream.0.lock().0, expected);
    }

    #[test]
    fn masks_are_undone_by_the_same_mask() {
        for length in 0..40 {
            let original: Vec<u8> = (0..length).collect();
            let mut bytes = original.clone();
            apply_mask(&mut bytes, [1, 2, 3, 4]);
            let expected: Vec<u8> = original
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(b, m)| b ^ m)
                .collect();
            assert_eq!(bytes, expected);
        }
    }
}
