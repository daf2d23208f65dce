//! Bytes that wait to be written to a link, and the one who writes them.

use std::io;

use parking_lot::Mutex;

use crate::ws::frame::{self, Header, close, opcode};

/// How an attempt to write ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// Everything is written, or somebody else is writing.
    All,
    /// The stream accepts no more now.
    Blocked,
    /// The stream is broken.
    Broken,
}

/// The outbox of one link. Frames are put in whole, under the lock, and leave in that order. Whoever writes takes everything that is
/// there and writes it outside the lock. One thread writes at a time.
#[derive(Debug)]
pub struct Outbox {
    state: Mutex<State>,
    masks: bool,
}

#[derive(Debug, Default)]
struct State {
    /// How many bytes may wait.
    max: usize,
    /// A stranger: of more than that it is told by a close frame. A single frame may always wait.
    stranger: bool,
    queued: Vec<u8>,
    /// What a writer took and could not write yet, from `written` on.
    partial: Vec<u8>,
    written: usize,
    /// Bytes that are not written yet, those included that a writer has in hand.
    waiting: usize,
    /// How many of those others have caused, at most.
    owed: usize,
    /// Bytes that have been written.
    sent: u64,
    writing: bool,
    /// The close frame is in: nothing may follow it.
    finished: bool,
    broken: bool,
    overfull: bool,
    /// It was closed because too much waited.
    cut: bool,
}

impl State {
    /// Throws away what waits, and whatever is put in later.
    fn give_up(&mut self) {
        self.broken = true;
        self.queued = Vec::new();
        self.waiting = 0;
    }

    /// A stranger does not read: closes instead of what would follow the frame that is being written. If only that one waits, it may.
    fn cut(&mut self) {
        if !self.writing {
            let mut end = 0;
            while end < self.written
                && let Some((header, length)) = Header::parse(&self.partial[end..])
            {
                end += length + header.length as usize;
            }
            if end >= self.partial.len() && self.queued.is_empty() {
                return;
            }
            self.waiting -= self.partial.len() - end;
            self.partial.truncate(end);
            self.partial.shrink_to_fit();
        }
        self.waiting -= self.queued.len();
        self.queued = Vec::new();
        // Strangers are clients: nothing that they are sent is masked.
        let code = close::POLICY.to_be_bytes();
        frame::push(&mut self.queued, opcode::CLOSE, &code, None);
        self.waiting += self.queued.len();
        (self.finished, self.cut) = (true, true);
    }
}

/// Emptied buffers that are larger than this are given back to the allocator.
const KEEP: usize = 128 * 1024;

/// So much may be said to a stranger at once, before it is known whether it reads.
const AT_ONCE: usize = 1024 * 1024;

/// If so many bytes wait, the other side hears of us anyway, or does not read.
const BEATS: usize = 64;

impl Outbox {
    /// `max`: how many bytes may wait; more than that breaks it, or, if the other side is a stranger, closes it.
    pub fn new(masks: bool, max: usize, stranger: bool) -> Self {
        Outbox {
            state: Mutex::new(State {
                max,
                stranger,
                ..State::default()
            }),
            masks,
        }
    }

    /// From now on so much may wait: the other side is no stranger.
    pub fn greeted(&self, max: usize) {
        let mut state = self.state.lock();
        (state.max, state.stranger) = (max, false);
    }

    /// Puts in a frame. Returns how many bytes wait now.
    pub fn push_text(&self, text: &str) -> usize {
        self.push_frame(opcode::TEXT, text.as_bytes())
    }

    pub fn push_binary(&self, bytes: &[u8]) -> usize {
        self.push_frame(opcode::BINARY, bytes)
    }

    /// Puts in the answer to a ping, unless much waits already: the other side may ping without reading.
    pub fn push_pong(&self, payload: &[u8]) {
        if self.waiting() < KEEP {
            self.push_frame(opcode::PONG, payload);
        }
    }

    /// Puts in a sign of life, a binary frame or a ping, unless more waits already than such signs.
    pub fn push_beat(&self, frame: Option<&[u8]>) {
        if self.waiting() < BEATS {
            match frame {
                Some(bytes) => self.push_frame(opcode::BINARY, bytes),
                None => self.push_frame(opcode::PING, &[]),
            };
        }
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting
    }

    /// Whether a close frame, or what comes before it, waits.
    pub fn is_closing(&self) -> bool {
        let state = self.state.lock();
        state.finished && state.waiting > 0
    }

    /// So many bytes of what was just put in were caused by others.
    pub fn owe(&self, bytes: usize) {
        self.state.lock().owed += bytes;
    }

    /// How many bytes wait that others have caused, about: what is written counts as theirs.
    pub fn owed(&self) -> usize {
        let state = self.state.lock();
        state.owed.min(state.waiting)
    }

    /// How many bytes have been written.
    pub fn sent(&self) -> u64 {
        self.state.lock().sent
    }

    /// Puts in a close frame. Whatever is put in later is dropped.
    pub fn push_close(&self, code: u16) {
        self.push_frame(opcode::CLOSE, &code.to_be_bytes());
    }

    fn push_frame(&self, opcode: u8, payload: &[u8]) -> usize {
        let mask = self.masks.then(|| fastrand::u32(..).to_ne_bytes());
        let mut state = self.state.lock();
        if !state.finished && !state.broken {
            state.finished = opcode == opcode::CLOSE;
            let (before, waited) = (state.queued.len(), state.waiting);
            frame::push(&mut state.queued, opcode, payload, mask);
            state.waiting += state.queued.len() - before;
            if state.waiting <= state.max {
            } else if !state.stranger {
                state.give_up();
                state.overfull = true;
            } else if waited > 0 && state.waiting > AT_ONCE && !state.finished {
                state.cut();
            }
        }
        state.waiting
    }

    /// Whether a stranger was told that it leaves too much unread.
    pub fn is_cut(&self) -> bool {
        self.state.lock().cut
    }

    /// Whether more was put in than it holds. It is of no use any more then.
    pub fn is_overfull(&self) -> bool {
        self.state.lock().overfull
    }

    /// Writes what is there with `write`, which does not wait, as far as that accepts it.
    pub fn write(&self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> Written {
        loop {
            let mut state = self.state.lock();
            if state.broken {
                return Written::Broken;
            }
            if state.writing {
                return Written::All;
            }
            if state.partial.is_empty() {
                if state.queued.is_empty() {
                    return Written::All;
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
            let before = written;
            state.writing = true;
            drop(state);

            let mut ended = Written::All;
            while written < bytes.len() {
                match write(&bytes[written..]) {
                    Ok(0) => ended = Written::Broken,
                    Ok(n) => written += n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => ended = Written::Blocked,
                    Err(_) => ended = Written::Broken,
                }
                if ended != Written::All {
                    break;
                }
            }

            let mut state = self.state.lock();
            state.writing = false;
            state.sent += (written - before) as u64;
            state.waiting = state.waiting.saturating_sub(written - before);
            state.owed = state.owed.saturating_sub(written - before);
            match ended {
                Written::All => {
                    state.written = 0;
                    if bytes.capacity() <= KEEP {
                        bytes.clear();
                        if state.queued.is_empty() && state.queued.capacity() < bytes.capacity() {
                            state.queued = bytes;
                        }
                    }
                }
                Written::Blocked => {
                    state.partial = bytes;
                    state.written = written;
                    if state.stranger && state.waiting > state.max && !state.finished {
                        state.cut();
                    }
                    return Written::Blocked;
                }
                Written::Broken => {
                    state.give_up();
                    return Written::Broken;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes, then none, in turn.
    struct Slow(Mutex<(Vec<u8>, bool)>, usize);

    impl Slow {
        fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock();
            state.1 = !state.1;
            if !state.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let n = bytes.len().min(self.1);
            state.0.extend_from_slice(&bytes[..n]);
            Ok(n)
        }
    }

    #[test]
    fn partial_writes_lose_nothing_and_keep_the_order() {
        let outbox = Outbox::new(false, 1 << 20, false);
        let stream = Slow(Mutex::default(), 3);
        let mut expected = Vec::new();
        for n in 0..20u8 {
            let text = format!("message {n}");
            outbox.push_text(&text);
            expected.extend([0x81, text.len() as u8]);
            expected.extend(text.bytes());
            outbox.write(|bytes| stream.write(bytes));
        }
        outbox.push_close(1000);
        outbox.push_text("too late");
        expected.extend([0x88, 2, 3, 232]);
        while outbox.write(|bytes| stream.write(bytes)) == Written::Blocked {}
        assert_eq!(stream.0.lock().0, expected);
    }

    #[test]
    fn beats_do_not_pile_up() {
        let outbox = Outbox::new(false, 1000, false);
        let stream = Slow(Mutex::default(), 1);
        outbox.push_beat(Some(b"beat"));
        outbox.push_beat(None);
        assert_eq!(outbox.waiting(), 8);
        while outbox.write(|bytes| stream.write(bytes)) == Written::Blocked {}
        assert_eq!(stream.0.lock().0, b"\x82\x04beat\x89\0");
        for _ in 0..1000 {
            outbox.push_beat(Some(b"beat"));
        }
        assert!(outbox.waiting() < BEATS + 6);
    }

    #[test]
    fn what_waits_is_counted_and_bounded() {
        let outbox = Outbox::new(false, 1000, false);
        let stream = Slow(Mutex::default(), 100);
        let text = "x".repeat(120);
        for n in 1..=8 {
            assert_eq!(outbox.push_text(&text), n * 122);
        }
        assert_eq!(outbox.write(|bytes| stream.write(bytes)), Written::Blocked);
        assert_eq!((outbox.waiting(), outbox.sent()), (876, 100));
        while outbox.write(|bytes| stream.write(bytes)) == Written::Blocked {}
        assert_eq!((outbox.waiting(), outbox.sent()), (0, 976));
        for _ in 0..9 {
            outbox.push_text(&text);
        }
        assert!(outbox.is_overfull());
        assert_eq!(outbox.waiting(), 0);
        assert_eq!(outbox.write(|bytes| stream.write(bytes)), Written::Broken);
    }
}
