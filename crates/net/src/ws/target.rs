//! What a url says: whom to dial, and what to ask for there.

use distribus_mesh::DialError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;

use crate::failure;

/// Where to connect, and what to say first.
#[derive(Debug)]
pub struct Target {
    pub request: Request,
    /// In small letters.
    pub scheme: String,
    pub host: String,
    pub port: u16,
}

impl Target {
    pub fn parse(url: &str) -> Result<Target, DialError> {
        let invalid = || invalid(url);
        let scheme = scheme(url).ok_or_else(invalid)?;
        let default = match scheme.as_str() {
            "ws" => 80,
            "wss" => 443,
            _ => return Err(invalid()),
        };
        let request = url.into_client_request().map_err(|_| invalid())?;
        let host = request
            .uri()
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(invalid)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        // A port that is out of range must not fall back to the default one.
        let authority = request.uri().authority().ok_or_else(invalid)?.as_str();
        let named = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && !port.ends_with(']'));
        let port = match request.uri().port_u16() {
            Some(port) => port,
            None if named => return Err(invalid()),
            None => default,
        };
        Ok(Target {
            request,
            scheme,
            host,
            port,
        })
    }

    /// The same for all spellings of a url, whatever its scheme.
    pub fn key(&self) -> String {
        let path = self.request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        format!("{}:{}{path}", self.host.to_ascii_lowercase(), self.port)
    }
}

/// What stands before `://`, in small letters.
pub fn scheme(url: &str) -> Option<String> {
    let (scheme, _) = url.split_once("://")?;
    Some(scheme.to_ascii_lowercase())
}

/// That is no url of a host.
pub fn invalid(url: &str) -> DialError {
    let message = format!("Invalid url (url: {}), expected ws://host:port", shown(url));
    failure::other("ERR_INVALID_URL", message)
}

/// A url as errors show it: without what may be meant as credentials.
pub fn shown(url: &str) -> String {
    let (scheme, rest) = match url.find("://") {
        Some(end) => url.split_at(end + 3),
        None => ("", url),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = authority
        .rsplit_once(':')
        .is_none_or(|(_, port)| port.ends_with(']') || port.parse::<u16>().is_ok());
    // Unless there is a host with a port before it, an `@` in the rest belongs to a password with a slash in it.
    let host = if authority.contains('@') || !is_host {
        rest.rsplit_once('@').map_or(rest, |(_, host)| host)
    } else {
        rest
    };
    format!("{scheme}{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_or_refused() {
        for (url, host, port) in [
            ("ws://localhost:3000", "localhost", 3000),
            ("ws://127.0.0.1:3000/path?query", "127.0.0.1", 3000),
            ("WS://example.org", "example.org", 80),
            ("ws://[::1]:3000", "::1", 3000),
            ("ws://[::1]", "::1", 80),
            ("wss://example.org", "example.org", 443),
        ] {
            let parsed = Target::parse(url).map(|target| (target.host, target.port));
            assert_eq!(parsed, Ok((host.to_owned(), port)), "{url}");
        }
        for url in [
            "",
            "foo",
            "ws://",
            "ws://:3000",
            "http://localhost:3000",
            "ws://localhost:70000",
            "ws://a b",
        ] {
            assert_eq!(
                Target::parse(url).map(drop).map_err(|e| e.code),
                Err("ERR_INVALID_URL".to_owned()),
                "{url}"
            );
        }
    }

    #[test]
    fn all_spellings_of_a_url_have_one_key() {
        let key = |url| Target::parse(url).map(|target| target.key());
        assert_eq!(key("ws://Host"), key("WS://host:80/"));
        assert_eq!(key("ws://[::1]:3000/a"), Ok("::1:3000/a".to_owned()));
        assert_ne!(key("ws://host/a"), key("ws://host/b"));
    }

    #[test]
    fn nothing_that_may_be_a_password_is_shown() {
        for (url, expected) in [
            ("ws://host:1/path", "ws://host:1/path"),
            ("ws://host:1/@scope", "ws://host:1/@scope"),
            ("ws://[::1]/@scope", "ws://[::1]/@scope"),
            ("ws://user:secret@host:1/a", "ws://host:1/a"),
            ("ws://user:sec@ret@host:1/a", "ws://host:1/a"),
            ("ws://user:sec/ret@host", "ws://host"),
            ("ws://user:sec#ret@host", "ws://host"),
            ("http://user:secret@host", "http://host"),
            ("user:secret@host", "host"),
            ("user:sec/ret@host", "host"),
            ("foo", "foo"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
