//! Failures of sockets, in the words of Node's system errors.

use std::io;
use std::net::SocketAddr;

use distribus_mesh::DialError;

use crate::race::Failures;

/// Node's name of an operating system's error.
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

/// A failed system call. The message, such as `connect ECONNREFUSED`, is exactly that of 0.4.0: programs compare with it.
pub fn system(syscall: &str, error: &io::Error, at: SocketAddr) -> DialError {
    let code = code(error);
    DialError {
        code: code.to_owned(),
        message: format!("{syscall} {code}"),
        syscall: Some(syscall.to_owned()),
        address: Some(at.ip().to_string()),
        port: Some(at.port()),
        attempts: Box::default(),
    }
}

/// No address of a name could be connected to; `late`: because the time was over. With several addresses the error names them, unless all of them are
/// loopback ones: then it reads like that of a single address, which programs compare with.
pub fn at_all(failures: Failures, late: Option<DialError>) -> DialError {
    let attempts: Vec<DialError> = failures
        .iter()
        .map(|(at, error)| system("connect", error, *at))
        .collect();
    // Addresses of a family that this machine does not have say the least.
    let missing = ["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"];
    let telling = attempts
        .iter()
        .find(|attempt| !missing.contains(&attempt.code.as_str()))
        .or(attempts.first());
    let mut error = late
        .or_else(|| telling.cloned())
        .unwrap_or_else(|| other("ENOTFOUND", "connect ENOTFOUND"));
    if attempts.len() > 1 {
        if !failures.iter().all(|(at, _)| at.ip().is_loopback()) {
            let tried = failures.iter().zip(&attempts);
            let tried: Vec<String> = tried
                .map(|((at, _), attempt)| format!("{at}: {}", attempt.code))
                .collect();
            error.message.push_str(&format!(" ({})", tried.join(", ")));
        }
        error.attempts = attempts.into();
    }
    error
}

/// A failure of our own kind.
pub fn other(code: &str, message: impl Into<String>) -> DialError {
    DialError {
        code: code.to_owned(),
        message: message.into(),
        ..DialError::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(at: &str, kind: io::ErrorKind) -> (SocketAddr, io::Error) {
        (at.parse().expect("an address"), kind.into())
    }

    #[test]
    fn an_error_about_several_addresses_names_them() {
        let refused = io::ErrorKind::ConnectionRefused;
        let unreachable = io::ErrorKind::NetworkUnreachable;
        let one = at_all(vec![failed("10.0.0.1:80", refused)], None);
        assert_eq!(one.message, "connect ECONNREFUSED");
        assert_eq!(
            (one.address.as_deref(), one.attempts.len()),
            (Some("10.0.0.1"), 0)
        );
        let several = vec![
            failed("[fd00::1]:80", unreachable),
            failed("10.0.0.1:80", refused),
        ];
        let both = at_all(several, None);
        assert_eq!(
            (both.code.as_str(), both.address.as_deref()),
            ("ECONNREFUSED", Some("10.0.0.1"))
        );
        assert_eq!(
            both.message,
            "connect ECONNREFUSED ([fd00::1]:80: ENETUNREACH, 10.0.0.1:80: ECONNREFUSED)"
        );
        assert_eq!(both.attempts[0].message, "connect ENETUNREACH");
    }

    #[test]
    fn loopback_addresses_of_one_name_fail_with_the_words_of_0_4_0() {
        let refused = io::ErrorKind::ConnectionRefused;
        let several = vec![failed("[::1]:80", refused), failed("127.0.0.1:80", refused)];
        let error = at_all(several, None);
        assert_eq!(
            (error.message.as_str(), error.attempts.len()),
            ("connect ECONNREFUSED", 2)
        );
    }

    #[test]
    fn when_the_time_is_over_the_error_says_so_and_names_the_silent_addresses() {
        let late = other("ERR_HANDSHAKE_TIMEOUT", "Too late");
        let silent = io::ErrorKind::TimedOut;
        let several = vec![failed("10.0.0.1:80", silent), failed("10.0.0.2:80", silent)];
        let error = at_all(several, Some(late.clone()));
        assert_eq!(error.code, "ERR_HANDSHAKE_TIMEOUT");
        assert_eq!(
            error.message,
            "Too late (10.0.0.1:80: ETIMEDOUT, 10.0.0.2:80: ETIMEDOUT)"
        );
        let one = at_all(vec![failed("10.0.0.1:80", silent)], Some(late));
        assert_eq!(one.message, "Too late");
    }
}
