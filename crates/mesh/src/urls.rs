//! The urls of hosts, as far as it matters here what they say. Whoever dials takes them apart.

/// Whether that can be the url of a host that others may tell of: WebSocket, and nothing beside the address and the path. Credentials are
/// of no use to others, and a fragment is not sent to anybody.
pub fn is_of_host(url: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\' || c == '#';
    authority(url).is_some_and(|authority| !authority.is_empty() && !authority.contains('@'))
        && !url.contains(odd)
}

/// Whether both urls name a machine, and the same one: not by its address, and not as what every machine calls itself.
pub fn are_namesakes(one: &str, other: &str) -> bool {
    let name = |url| {
        let authority = authority(url)?;
        let name = authority
            .rsplit_once(':')
            .map_or(authority, |(name, _)| name);
        Some(name.trim_end_matches('.'))
    };
    let (Some(one), Some(other)) = (name(one), name(other)) else {
        return false;
    };
    let last = one.rsplit('.').next().unwrap_or_default();
    // As for browsers, whatever ends in a number is an address.
    let is_address = one.starts_with('[')
        || last.starts_with("0x")
        || last.bytes().all(|byte| byte.is_ascii_digit());
    one.eq_ignore_ascii_case(other) && !is_address && !last.eq_ignore_ascii_case("localhost")
}

/// What stands between the scheme and the path. `None` for what is no WebSocket.
fn authority(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_socket = ["ws", "wss"].iter().any(|s| scheme.eq_ignore_ascii_case(s));
    is_socket.then(|| rest.split(['/', '?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_others_tell_of_is_websocket_without_credentials_or_fragment() {
        for url in [
            "ws://host",
            "WSS://host:1/a/b?c=d",
            "ws://[::1]:1",
            "ws://host/@scope",
            "ws://h\u{f6}st",
        ] {
            assert!(is_of_host(url), "{url}");
        }
        for url in [
            "",
            "host",
            "ws:host",
            "ws://",
            "ws:///path",
            "http://host",
            "wsx://host",
            "ws://user@host",
            "ws://user:secret@host/",
            "ws://host/#a",
            "ws://host#a",
            "ws://ho st",
            "ws://host/\r\nx:y",
            "ws://host\\@other",
        ] {
            assert!(!is_of_host(url), "{url}");
        }
    }

    #[test]
    fn namesakes_name_one_machine_by_its_name() {
        for (one, other) in [
            ("ws://host:1", "ws://HOST:2/a"),
            ("ws://a.b", "wss://a.b.:1"),
            ("ws://3com:1", "ws://3com:2"),
        ] {
            assert!(are_namesakes(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("ws://host", "ws://other"),
            ("ws://localhost:1", "ws://localhost:2"),
            ("ws://a.localhost:1", "ws://a.LOCALHOST:2"),
            ("ws://127.0.1.1:1", "ws://127.0.1.1:2"),
            ("ws://[::1]:1", "ws://[::1]:2"),
            ("ws://[::1]", "ws://[::1]"),
            ("ws://127.1:1", "ws://127.1:2"),
            ("ws://127.0.0.0x2:1", "ws://127.0.0.0x2:2"),
            ("ws://:1", "ws://:2"),
            ("http://host", "http://host"),
        ] {
            assert!(!are_namesakes(one, other), "{one} {other}");
        }
    }
}
