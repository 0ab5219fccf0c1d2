//! Which web pages may use the API from another origin: those that the settings name. In development also any page of
//! this machine.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Origin, Url};

/// `web.allowed_origins`
#[derive(Clone, Debug, Default)]
pub struct Origins {
    allowed: Vec<Origin>,
    is_loopback_allowed: bool,
}

impl Origins {
    /// What is no address is left out; the settings are checked where they are read.
    pub fn new<'a>(allowed: impl IntoIterator<Item = &'a str>, is_loopback_allowed: bool) -> Self {
        let allowed = allowed.into_iter().filter_map(|text| Url::parse(text).ok()).map(|url| url.origin());
        Self { allowed: allowed.collect(), is_loopback_allowed }
    }

    fn allows(&self, origin: &str) -> bool {
        let Ok(url) = Url::parse(origin) else { return false };
        self.allowed.contains(&url.origin()) || (self.is_loopback_allowed && is_loopback(&url))
    }

    /// Browsers ask before they open a WebSocket to nobody, so the server must look at the page's origin. Who sends none
    /// is no browser; a page of ours is on the host that it asks.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(origin) = text(header::ORIGIN) else { return true };
        let own = origin.split_once("://").map(|(_, authority)| authority);
        (own.is_some() && own == text(header::HOST)) || self.allows(origin)
    }

    /// Without credentials: tokens travel in a header that a page must set itself.
    pub fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        let allowed = AllowOrigin::predicate(move |origin: &HeaderValue, _: &Parts| {
            origin.to_str().is_ok_and(|origin| origins.allows(origin))
        });
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::ACCEPT_LANGUAGE,
                HeaderName::from_static("graphql-require-preflight"),
                HeaderName::from_static("last-event-id"),
                HeaderName::from_static(super::sse_reserved::TOKEN),
            ])
            .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
            .max_age(Duration::from_secs(3600))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_ours_are_admitted_and_no_others() {
        let origins = Origins::new(["https://spotlight.example"], false);
        let development = Origins::new([], true);
        for (origins, origin, is_admitted) in [
            (&origins, None, true),
            (&origins, Some("https://spotlight.example"), true),
            (&origins, Some("https://api.example"), true),
            (&origins, Some("http://spotlight.example"), false),
            (&origins, Some("https://spotlight.example.evil"), false),
            (&origins, Some("http://localhost:3000"), false),
            (&origins, Some("null"), false),
            (&development, Some("http://localhost:3000"), true),
            (&development, Some("http://[::1]:3000"), true),
            (&development, Some("http://localhost.evil"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("api.example"));
            if let Some(origin) = origin {
                headers.insert("origin", HeaderValue::from_static(origin));
            }
            assert_eq!(origins.admits(&headers), is_admitted, "{origin:?}");
        }
    }
}
