//! `/.well-known/jwks.json`: the public keys, for whoever else checks our access tokens (RFC 7517).

use crate::app::App;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

/// As often as a server itself looks for a rotation.
const CACHE: &str = "public, max-age=60";

pub async fn jwks(State(app): State<App>) -> Response {
    let keys = app.tokens.jwks(app.clock.now()).to_string();
    ([(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, CACHE)], keys).into_response()
}
