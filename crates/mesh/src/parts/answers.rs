//! Answers that wait for the program.
//!
//! A promise on the other host must not resolve before this host's program has seen what it is about: a listener has
//! returned, a connection stands in `host.connections`. So an answer is held until all events that were told before it have
//! been applied.

use std::collections::VecDeque;

use crate::words::{LinkId, Raw, Reply};

/// An answer to give.
#[derive(Debug)]
pub struct Held<A> {
    pub link: LinkId,
    pub id: Raw,
    pub answer: A,
}

/// All answers that are held, in the order in which they will be given.
#[derive(Debug)]
pub struct Answers<A> {
    told: u64,
    applied: u64,
    /// Each with the number of events that have to be applied first.
    held: VecDeque<(u64, Held<A>)>,
}

impl<A> Answers<A> {
    pub fn new() -> Self {
        Answers {
            told: 0,
            applied: 0,
            held: VecDeque::new(),
        }
    }

    /// Counts an event that goes to the program.
    pub fn told(&mut self) {
        self.told += 1;
    }

    /// The number of the next event.
    pub fn next(&self) -> u64 {
        self.told
    }

    /// How many answers are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Holds an answer until everything told so far is applied. Gives it back when that is so already.
    pub fn hold(&mut self, held: Held<A>) -> Option<Held<A>> {
        if self.applied >= self.told {
            return Some(held);
        }
        self.held.push_back((self.told, held));
        None
    }

    /// Everything before event number `upto` has been applied: gives what may be answered now, with the program's reply to
    /// the last event before it, if there was one.
    pub fn applied(
        &mut self,
        upto: u64,
        replies: &[(u64, u32, Reply)],
    ) -> Vec<(Held<A>, Option<Reply>)> {
        self.applied = self.applied.max(upto.min(self.told));
        let mut replies = replies.iter().peekable();
        let ready = self
            .held
            .partition_point(|(after, _)| *after <= self.applied);
        self.held
            .drain(..ready)
            .map(|(after, held)| {
                while replies.next_if(|(event, ..)| event + 1 < after).is_some() {}
                let reply = replies
                    .next_if(|(event, ..)| event + 1 == after)
                    .map(|(.., reply)| reply.clone());
                (held, reply)
            })
            .collect()
    }
}
