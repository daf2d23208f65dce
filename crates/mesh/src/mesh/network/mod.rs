//! Who is there: dialling, greeting, joining, relaying, losing, leaving. It stands above [traffic](super::traffic) and may call it.

mod beats;
pub(super) mod closing;
mod dialling;
mod greeting;
mod handshake;
pub(super) mod joining;
mod leaving;
mod listening;
mod losing;
mod members;
mod membership;
mod reconnect;
mod relaying;
pub(super) mod rounds;
pub(super) mod twins;
