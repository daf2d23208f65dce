//! What is said: messages, what is published, notes, replies, and the sessions that carry them. It stands below
//! [network](super::network) and never calls up.

pub(super) mod arriving;
pub(super) mod cargo;
pub(super) mod interest;
mod messages;
mod notes;
mod outcomes;
mod places;
mod pressure;
mod pumping;
mod replies;
pub(super) mod seeking;
pub(super) mod v1_hosts;
