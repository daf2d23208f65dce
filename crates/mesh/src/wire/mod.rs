//! What is said on the wire, and its bytes.

pub mod greeting;
pub mod member;
pub mod routed;
pub mod v1;
pub mod v2;
