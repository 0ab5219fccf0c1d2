//! Where a browser may be sent: no open redirect.

use super::Config;
use url::{Host, Url};

/// What fits every column and every provider.
const LONGEST: usize = 500;

impl Config {
    /// Whether the address is on our own origin, on one of `web.allowed_origins`, or, in development, on this machine.
    pub fn may_send_browsers_to(&self, address: &str) -> bool {
        address.len() <= LONGEST && Url::parse(address).is_ok_and(|url| self.is_allowed(&url))
    }

    fn is_allowed(&self, url: &Url) -> bool {
        let is_clean =
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        let same = |origin: &str| Url::parse(origin).is_ok_and(|origin| origin.origin() == url.origin());
        let is_listed = same(&self.public_url()) || self.web.allowed_origins.iter().any(|origin| same(origin));
        is_clean && (is_listed || (!self.is_production() && is_loopback(url)))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
