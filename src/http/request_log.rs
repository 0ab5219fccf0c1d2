//! A request's id: in its log lines, in its errors, and in the header `x-request-id`.

use crate::infra::ids::Ids;
use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use std::sync::Arc;
use tokio::time::Instant;
use tracing::Instrument;

/// Names the request; an extension of it.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Gives the request its id, and writes one line when it is answered. The line has no query string: tokens stand there.
pub async fn log(State(ids): State<Ids>, mut request: Request, next: Next) -> Response {
    let id: Arc<str> = ids.uuid().simple().to_string().into();
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id = &*id);
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, millis) = (response.status().as_u16(), u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    span.in_scope(|| tracing::info!(%method, path, status, millis, "answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
