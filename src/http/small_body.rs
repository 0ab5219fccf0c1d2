//! Bodies of a few fields, for what is not `/graphql`: whole before anybody looks at them, and bounded in bytes and time, so
//! that who sends one byte a minute holds nothing but a connection for as long as `edge.body_seconds`.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

const MOST_BYTES: usize = 4_096;

/// Reads the body, then goes on.
pub async fn read(State(time): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let whole = match tokio::time::timeout(time, Limited::new(body, MOST_BYTES).collect()).await {
        Ok(Ok(whole)) => whole.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return refused(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return refused(StatusCode::BAD_REQUEST),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT),
    };
    next.run(Request::from_parts(parts, Body::from(whole))).await
}

fn refused(status: StatusCode) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}
