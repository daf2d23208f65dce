//! A mesh that breaks its promises on purpose: the simulation has to notice. Without the feature `sabotage`, which only this crate's
//! tests turn on, nothing of it is left.

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// What was received already is said again, and delivered again.
    NoDedup,
    /// Messages are acknowledged when they arrive, not when the program has taken them.
    EarlyAck,
    /// What was in flight when a link was lost is not said again.
    NoResend,
    /// How messages ended that did not end as usual is told once, whether or not that arrives.
    LostExceptions,
    /// What was in flight to a host that is gone is taken for delivered.
    Optimism,
    /// Messages that wait for a search leave in the wrong order.
    Disorder,
    /// A note for which there is no room vanishes without a word.
    LostNotes,
    /// Whoever waits for replies is not told that the host that owes them is gone.
    NoGone,
    /// An address stays although its host has gone.
    Stranded,
    /// The peers of a lost host are not sought among the others.
    NoSeeking,
    /// Whoever closes in the middle of a join says no goodbye.
    NoGoodbye,
    /// What waits for a host goes on to do so when it is known that the host has left.
    NoEnd,
}

#[cfg(feature = "sabotage")]
mod switch {
    use std::cell::Cell;

    use super::Sabotage;

    thread_local! {
        static CHOSEN: Cell<Option<Sabotage>> = const { Cell::new(None) };
    }

    /// Has all meshes of this thread go wrong in that way, or in none.
    pub fn choose(sabotage: Option<Sabotage>) {
        CHOSEN.set(sabotage);
    }

    pub(crate) fn is(sabotage: Sabotage) -> bool {
        CHOSEN.get() == Some(sabotage)
    }
}

#[cfg(not(feature = "sabotage"))]
mod switch {
    pub(crate) const fn is(_: super::Sabotage) -> bool {
        false
    }
}

#[cfg(feature = "sabotage")]
pub use switch::choose;
pub(crate) use switch::is;
