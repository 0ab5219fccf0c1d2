//! The playground's files, as they lie in the binary.
//!
//! GraphiQL is stored compressed (2.4 MB instead of 10) and sent so to all who take gzip; for the rest it is inflated
//! on the way. A browser keeps what it got and asks each time whether it still holds: an upgrade is never half seen.

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    content_type: &'static str,
    is_gzip: bool,
    bytes: &'static [u8],
    etag: String,
}

macro_rules! asset {
    ($name:literal, $content_type:expr, gzip) => {
        asset!($name, $content_type, true, concat!($name, ".gz"))
    };
    ($name:literal, $content_type:expr) => {
        asset!($name, $content_type, false, $name)
    };
    ($name:literal, $content_type:expr, $is_gzip:literal, $file:expr) => {
        Asset::new(
            $name,
            $content_type,
            $is_gzip,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/playground/", $file)),
        )
    };
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

static ASSETS: LazyLock<[Asset; 7]> = LazyLock::new(|| {
    [
        asset!("graphiql.js", JAVASCRIPT, gzip),
        asset!("graphiql.css", CSS, gzip),
        asset!("editor.worker.js", JAVASCRIPT, gzip),
        asset!("graphql.worker.js", JAVASCRIPT, gzip),
        asset!("json.worker.js", JAVASCRIPT, gzip),
        asset!("page.js", JAVASCRIPT),
        asset!("page.css", CSS),
    ]
});

impl Asset {
    /// Weak, because the compressed and the inflated answer share the tag.
    fn new(name: &'static str, content_type: &'static str, is_gzip: bool, bytes: &'static [u8]) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(bytes));
        let etag = format!("W/\"{}\"", digest.get(..16).unwrap_or(&digest));
        Self { name, content_type, is_gzip, bytes, etag }
    }

    fn headers(&self) -> [(HeaderName, &str); 6] {
        [
            (CONTENT_TYPE, self.content_type),
            (ETAG, &self.etag),
            (CACHE_CONTROL, "no-cache"),
            (VARY, "accept-encoding"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CONTENT_SECURITY_POLICY, super::CONTENT_POLICY),
        ]
    }
}

/// One file, by the last part of its address.
pub(super) async fn asset(Path(name): Path<String>, request: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if values(&request, &IF_NONE_MATCH).any(|tag| tag == asset.etag || tag == "*") {
        return (StatusCode::NOT_MODIFIED, asset.headers()).into_response();
    }
    if !asset.is_gzip {
        return (asset.headers(), asset.bytes).into_response();
    }
    if takes_gzip(&request) {
        return (asset.headers(), [(CONTENT_ENCODING, "gzip")], asset.bytes).into_response();
    }
    match tokio::task::spawn_blocking(|| inflate(asset.bytes)).await {
        Ok(Ok(inflated)) => (asset.headers(), inflated).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn inflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut inflated)?;
    Ok(inflated)
}

fn takes_gzip(request: &HeaderMap) -> bool {
    values(request, &ACCEPT_ENCODING).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let is_refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse().is_ok_and(|weight: f32| weight <= 0.0));
        is_gzip && !is_refused
    })
}

/// The members of a header whose value is a list.
fn values<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).map(str::trim)
}
