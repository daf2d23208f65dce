//! What to show at urls that ask who is there. The mesh knows those urls without it, so no other host ever learns it.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::ws::target::Target;

/// The most urls whose credentials are kept. Beyond it, those go that were not used for longest.
const MOST: usize = 1024;

/// Values of the header `Authorization`, by url, the last used one last.
#[derive(Default)]
pub struct Credentials {
    kept: Mutex<VecDeque<(String, HeaderValue)>>,
}

impl Credentials {
    /// That url is dialled with this from now on, or without.
    pub fn keep(&self, url: &str, authorization: Option<&str>) {
        let Ok(key) = Target::parse(url).map(|target| key(&target)) else {
            return; // It will not be dialled.
        };
        let mut kept = self.kept.lock();
        kept.retain(|(other, _)| *other != key);
        let Some(Ok(mut value)) = authorization.map(HeaderValue::from_str) else {
            return;
        };
        value.set_sensitive(true);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back((key, value));
    }

    /// Forgets what is kept for that url, if it is this: it was of no use.
    pub fn forget(&self, url: &str, authorization: &str) {
        if let Ok(target) = Target::parse(url) {
            let key = key(&target);
            let is_that = |(other, value): &(String, HeaderValue)| {
                *other == key && value.as_bytes() == authorization.as_bytes()
            };
            self.kept.lock().retain(|entry| !is_that(entry));
        }
    }

    /// What to show there.
    pub fn of(&self, target: &Target) -> Option<HeaderValue> {
        let mut kept = self.kept.lock();
        if kept.is_empty() {
            return None;
        }
        let key = key(target);
        let place = kept.iter().position(|(other, _)| *other == key)?;
        let entry = kept.remove(place)?;
        let value = entry.1.clone();
        kept.push_back(entry);
        Some(value)
    }
}

/// What is shown over one scheme is not shown over another, which may be read on the way.
fn key(target: &Target) -> String {
    format!("{}://{}", target.scheme, target.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(credentials: &Credentials, url: &str) -> Option<String> {
        let target = Target::parse(url).expect("a url");
        let value = credentials.of(&target)?;
        value.to_str().ok().map(str::to_owned)
    }

    #[test]
    fn credentials_are_kept_for_one_url_however_it_is_spelt() {
        let credentials = Credentials::default();
        credentials.keep("ws://host:80/a", Some("Basic one"));
        assert_eq!(
            kept(&credentials, "ws://HOST/a").as_deref(),
            Some("Basic one")
        );
        for other in [
            "ws://host/b",
            "ws://host:81/a",
            "ws://other/a",
            "wss://host:80/a",
        ] {
            assert_eq!(kept(&credentials, other), None);
        }
        credentials.keep("ws://host/a", Some("Basic two"));
        credentials.forget("ws://host/a", "Basic one");
        assert_eq!(
            kept(&credentials, "ws://host/a").as_deref(),
            Some("Basic two")
        );
        credentials.forget("ws://host/a", "Basic two");
        assert_eq!(kept(&credentials, "ws://host/a"), None);
    }

    #[test]
    fn no_more_than_so_many_are_kept_and_those_in_use_stay() {
        let credentials = Credentials::default();
        for n in 0..2 * MOST {
            credentials.keep(&format!("ws://host/{n}"), Some("Basic x"));
            assert!(kept(&credentials, "ws://host/0").is_some());
        }
        assert_eq!(credentials.kept.lock().len(), MOST);
        assert_eq!(kept(&credentials, "ws://host/1"), None);
    }
}
