//! Which dialer a url is for.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use distribus_mesh::{DialError, Input, LinkId, Reach};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::failure;
use crate::host::Host;
use crate::opening::{self, Dialer};
use crate::runtime;
use crate::ws::target;

/// A host's dialers, by the schemes of the urls that they are for.
pub struct Schemes<H> {
    dialers: RwLock<HashMap<String, Arc<dyn Dialling<H>>>>,
}

/// Any dialer, for one kind of host.
trait Dialling<H>: Send + Sync {
    fn spawn(
        self: Arc<Self>,
        host: Arc<H>,
        link: LinkId,
        to: (ByteString, Reach),
        stopped: watch::Receiver<()>,
    );
}

impl<H: Host, D: Dialer> Dialling<H> for D {
    fn spawn(
        self: Arc<Self>,
        host: Arc<H>,
        link: LinkId,
        to: (ByteString, Reach),
        stopped: watch::Receiver<()>,
    ) {
        runtime::handle().spawn(async move {
            opening::dial(self.as_ref(), host, link, to, stopped).await;
        });
    }
}

impl<H> Default for Schemes<H> {
    fn default() -> Self {
        Schemes {
            dialers: RwLock::default(),
        }
    }
}

impl<H: Host> Schemes<H> {
    /// From now on urls of that scheme are dialled so. `scheme` is in small letters.
    pub fn put(&self, scheme: &str, dialer: impl Dialer) {
        let dialer = Arc::new(dialer);
        self.dialers.write().insert(scheme.to_owned(), dialer);
    }

    /// Dials that url, as far as it may lead, and serves the link until it ends. Stops when the sender of `stopped` is gone before the link is open.
    /// Returns at once; the outcome is reported to the host.
    pub fn dial(
        &self,
        host: Arc<H>,
        link: LinkId,
        to: (ByteString, Reach),
        stopped: watch::Receiver<()>,
    ) {
        match self.find(&to.0) {
            Ok(dialer) => dialer.spawn(host, link, to, stopped),
            Err(error) => {
                runtime::handle().spawn(async move {
                    host.ended(link, Input::DialFailed { link, error });
                });
            }
        }
    }
}

impl<H> Schemes<H> {
    fn find(&self, url: &str) -> Result<Arc<dyn Dialling<H>>, DialError> {
        let scheme = target::scheme(url).ok_or_else(|| target::invalid(url))?;
        match self.dialers.read().get(&scheme) {
            Some(dialer) => Ok(Arc::clone(dialer)),
            None if scheme == "wss" => {
                let url = target::shown(url);
                let message = format!("wss:// is not supported yet, use ws:// (url: {url})");
                Err(failure::other("ERR_TLS_UNSUPPORTED", message))
            }
            None => Err(target::invalid(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_whose_scheme_has_no_dialer_fails_with_the_reason() {
        let schemes = Schemes::<()>::default();
        let code = |url| schemes.find(url).map(drop).map_err(|error| error.code);
        let expected = |code: &str| Err(code.to_owned());
        assert_eq!(code("wss://localhost"), expected("ERR_TLS_UNSUPPORTED"));
        for url in ["", "foo", "http://localhost:3000"] {
            assert_eq!(code(url), expected("ERR_INVALID_URL"), "{url}");
        }
    }
}
