//! What every answer tells browsers, unless its handler said something else.

use axum::http::{HeaderName, HeaderValue, Response, header};

/// Our own pages have styles in them and no scripts. Forms may lead elsewhere: a payment ends on the front end's page.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
     frame-ancestors 'none'";
const DEFAULTS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
];
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// `is_secure`: whether browsers reach us over https.
pub fn added<B>(mut response: Response<B>, is_secure: bool) -> Response<B> {
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_secure {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(STRICT_TRANSPORT);
    }
    response
}
