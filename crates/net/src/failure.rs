//! Failures of sockets, in the words of Node's system errors.

use std::io;
use std::net::SocketAddr;

use distribus_mesh::DialError;

/// The name that Node gives an operating system's error.
pub fn code(error: &io::Error) -> &'static str {
    use io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => "ECONNREFUSED",
        K::ConnectionReset => "ECONNRESET",
        K::ConnectionAborted => "ECONNABORTED",
        K::NotConnected => "ENOTCONN",
        K::AddrInUse => "EADDRINUSE",
        K::AddrNotAvailable => "EADDRNOTAVAIL",
        K::BrokenPipe => "EPIPE",
        K::PermissionDenied => "EACCES",
        K::TimedOut => "ETIMEDOUT",
        K::HostUnreachable => "EHOSTUNREACH",
        K::NetworkUnreachable => "ENETUNREACH",
        K::NetworkDown => "ENETDOWN",
        K::InvalidInput => "EINVAL",
        K::UnexpectedEof => "ECONNRESET",
        K::OutOfMemory => "ENOMEM",
        _ => match error.raw_os_error() {
            Some(24) => "EMFILE",
            Some(23) => "ENFILE",
            Some(97) => "EAFNOSUPPORT",
            _ => "EIO",
        },
    }
}

/// A failed system call. The message is exactly what the original's users compare with, `connect ECONNREFUSED`.
pub fn system(syscall: &str, error: &io::Error, at: SocketAddr) -> DialError {
    let code = code(error);
    DialError {
        code: code.to_owned(),
        message: format!("{syscall} {code}"),
        syscall: Some(syscall.to_owned()),
        address: Some(at.ip().to_string()),
        port: Some(at.port()),
    }
}

/// A failure of our own kind.
pub fn other(code: &str, message: impl Into<String>) -> DialError {
    DialError {
        code: code.to_owned(),
        message: message.into(),
        ..DialError::default()
    }
}
