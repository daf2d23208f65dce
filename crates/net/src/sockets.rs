//! Where sockets come from: the operating system, or, with the feature `simulated`, the simulated network of turmoil. Nothing else here
//! knows which.

#[cfg(feature = "simulated")]
pub mod simulated;
#[cfg(not(feature = "simulated"))]
mod system;

#[cfg(feature = "simulated")]
pub use simulated::{TcpListener, TcpStream, bind, lookup_host, peek};
#[cfg(not(feature = "simulated"))]
pub use system::{TcpListener, TcpStream, bind, lookup_host, peek};
