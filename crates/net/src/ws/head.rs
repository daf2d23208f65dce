//! Heads of HTTP messages: read within bounded memory, and looked at as one list of values a name.

use httparse::Header;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Limit of a head, in both directions, in bytes. How many headers that are does not matter.
pub const MAX_HEAD: usize = 64 * 1024;

/// So many headers are looked for at first. Most heads have fewer.
const HEADERS: usize = 64;

/// The shortest header is `a:` and a line break.
const MOST_HEADERS: usize = MAX_HEAD / 3;

/// Parses with room for more and more headers, until they fit.
pub fn parse<'b, T>(mut parse: impl FnMut(&mut [Header<'b>]) -> Parsed<T>) -> Parsed<T> {
    let mut room = HEADERS;
    loop {
        let mut headers = vec![httparse::EMPTY_HEADER; room];
        match parse(&mut headers) {
            Err(httparse::Error::TooManyHeaders) if room < MOST_HEADERS => room *= 8,
            parsed => return parsed,
        }
    }
}

pub type Parsed<T> = Result<T, httparse::Error>;

/// The values of that header, which may be said in several lines, in one line with commas, or both.
pub fn values<'a>(headers: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .filter_map(|header| std::str::from_utf8(header.value).ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Whether that header lists the token.
pub fn lists(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name).any(|value| value.eq_ignore_ascii_case(token))
}

/// A head that arrives piece by piece.
pub struct Arriving {
    pub bytes: Vec<u8>,
    /// Below this length there is nothing new to be found.
    look_at: usize,
}

impl Default for Arriving {
    fn default() -> Self {
        Arriving {
            bytes: Vec::with_capacity(1024),
            look_at: 0,
        }
    }
}

impl Arriving {
    /// Reads until it is worth a look: the head may be complete, or there is twice as much as at the last look. So whoever sends byte by
    /// byte does not have it parsed for each. Returns whether the stream goes on.
    pub async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<bool> {
        loop {
            let known = self.bytes.len();
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Ok(false);
            }
            // The end of a head may have begun before.
            let new = &self.bytes[known.saturating_sub(2)..];
            let ends = |w: &[u8]| w.starts_with(b"\n\n") || w.starts_with(b"\n\r\n");
            let complete = (0..new.len()).any(|n| ends(&new[n..]));
            if complete || self.bytes.len() >= self.look_at || self.is_too_long() {
                self.look_at = 2 * self.bytes.len();
                return Ok(true);
            }
        }
    }

    pub fn is_too_long(&self) -> bool {
        self.bytes.len() >= MAX_HEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_in_several_lines_counts_as_one_with_commas() {
        let headers = [
            Header {
                name: "A",
                value: b"one, two,",
            },
            Header {
                name: "b",
                value: b"other",
            },
            Header {
                name: "a",
                value: b" THREE ",
            },
        ];
        let all: Vec<&str> = values(&headers, "a").collect();
        assert_eq!(all, ["one", "two", "THREE"]);
        assert!(lists(&headers, "a", "three") && !lists(&headers, "a", "other"));
    }

    #[test]
    fn a_head_that_comes_byte_by_byte_is_looked_at_a_few_times_and_when_it_is_complete() {
        let text = format!("GET / HTTP/1.1\r\na: {}\r\n\r\nmore", "b".repeat(9_000));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let mut arriving = Arriving::default();
        let mut looks = Vec::new();
        for byte in text.bytes() {
            let before = arriving.bytes.len();
            let one = [byte];
            let mut stream = &one[..];
            // The stream's end comes when this byte was not worth a look.
            if runtime
                .block_on(arriving.read(&mut stream))
                .expect("no error")
            {
                looks.push(before + 1);
            }
        }
        assert!(looks.contains(&(text.len() - 4)), "{looks:?}");
        assert!(looks.len() < 20, "{looks:?}");
    }
}
