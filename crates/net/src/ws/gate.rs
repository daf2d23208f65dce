//! Who of those that connect is let in.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::limits::Limits;

/// Counts the connections that a server has accepted. When too many shake hands, the one that has been at it for longest makes room: an
/// honest handshake takes no longer than the way to the other host and back, so strangers who hold theirs up keep nobody out.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Those that shake hands, in the order in which they came.
    pending: BTreeMap<u64, oneshot::Sender<()>>,
    /// How many have shaken hands.
    open: usize,
}

/// One connection's right to be there.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    number: u64,
    open: bool,
}

impl Gate {
    /// Lets a connection in, unless there are too many. The receiver ends when it has to go.
    pub fn enter(self: &Arc<Self>, limits: &Limits) -> Option<(Pass, Ousted)> {
        let mut state = self.state.lock();
        if state.open >= limits.max_connections {
            return None;
        }
        while state.pending.len() >= limits.max_pending_handshakes.max(1) {
            // Dropping the sender tells it.
            state.pending.pop_first();
        }
        let number = state.next;
        state.next += 1;
        let (sender, receiver) = oneshot::channel();
        state.pending.insert(number, sender);
        let pass = Pass {
            gate: Arc::clone(self),
            number,
            open: false,
        };
        Some((pass, Ousted(receiver)))
    }
}

impl Pass {
    /// It has shaken hands and can stay. False when there are too many by now.
    pub fn shaken(&mut self, limits: &Limits) -> bool {
        let mut state = self.gate.state.lock();
        let Some(sender) = state.pending.remove(&self.number) else {
            return false;
        };
        if state.open >= limits.max_connections {
            return false;
        }
        state.open += 1;
        self.open = true;
        // It stays until it ends: nobody ousts it any more.
        drop(state);
        let _ = sender.send(());
        true
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.pending.remove(&self.number);
        if self.open {
            state.open -= 1;
        }
    }
}

/// Ends when the connection has to make room, and never when it has shaken hands before.
#[derive(Debug)]
pub struct Ousted(oneshot::Receiver<()>);

impl Ousted {
    pub async fn wait(self) {
        if self.0.await.is_ok() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_connections: usize, max_pending_handshakes: usize) -> Limits {
        Limits {
            max_connections,
            max_pending_handshakes,
            ..Limits::default()
        }
    }

    #[test]
    fn the_oldest_handshake_makes_room() {
        let (gate, limits) = (Arc::new(Gate::default()), limits(10, 2));
        let (mut first, mut ousted) = gate.enter(&limits).expect("room");
        let (mut second, mut stays) = gate.enter(&limits).expect("room");
        let (_third, _) = gate.enter(&limits).expect("room");
        assert!(ousted.0.try_recv() == Err(oneshot::error::TryRecvError::Closed));
        assert!(!first.shaken(&limits));
        assert!(stays.0.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        assert!(second.shaken(&limits));
        assert_eq!(stays.0.try_recv(), Ok(()));
    }

    #[test]
    fn connections_are_counted_until_they_end() {
        let (gate, limits) = (Arc::new(Gate::default()), limits(1, 5));
        let (mut first, _) = gate.enter(&limits).expect("room");
        let (mut second, _) = gate.enter(&limits).expect("it only shakes hands");
        assert!(first.shaken(&limits));
        assert!(!second.shaken(&limits));
        assert!(gate.enter(&limits).is_none());
        drop(first);
        assert!(gate.enter(&limits).is_some());
    }
}
