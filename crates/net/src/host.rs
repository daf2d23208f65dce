//! What links, and whoever makes them, want from the host that they work for.

use std::sync::Arc;

use distribus_mesh::{Input, LinkId};

use crate::clock::Clock;
use crate::holdings::Holdings;
use crate::limits::Limits;
use crate::link::Link;
use crate::read_loop::ReadLoop;
use crate::ws::credentials::Credentials;

/// Accepts what links bring.
pub trait Intake: Send + Sync {
    /// What a link has brought, in order. Dropped when the link has ended.
    fn received(&self, link: LinkId, batch: Vec<Input>);
    /// Whether the program is near enough to get more, and more from that link. While it is not, the link is not read.
    fn has_room(&self, link: LinkId) -> bool;
    /// Waits until there is room.
    fn room(&self, link: LinkId) -> impl Future<Output = ()> + Send;
}

/// A host, as its links know it.
pub trait Host: Intake + 'static {
    fn limits(&self) -> Limits;
    fn clock(&self) -> Clock;
    /// Counts what its connections hold.
    fn holdings(&self) -> &Holdings;
    /// What to show at urls that ask who is there.
    fn credentials(&self) -> &Credentials;
    /// Who reads plain sockets, when the runtime does not.
    fn read_loop(&self) -> Option<&Arc<dyn ReadLoop>>;

    /// Enters a link that the other side opened. `None` when the host is shut down.
    fn accepted(&self, open: Arc<dyn Link>) -> Option<LinkId>;
    /// Enters a link that the host has dialled. False when nobody wants it any more.
    fn opened(&self, link: LinkId, open: Arc<dyn Link>) -> bool;
    /// The link has ended, or did not come about, as `input` says. Only the first call for a link counts.
    fn ended(&self, link: LinkId, input: Input);
    /// Something that had to wait has been written to that link.
    fn written(&self, link: LinkId);
    /// Whether the link can send no more until acknowledgements are read from it.
    fn is_held_up(&self, link: LinkId) -> bool;
}
