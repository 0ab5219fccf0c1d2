//! GraphQL over WebSocket: taking the connection. What is said on it is `ws_session`'s.

use super::{Edge, accept::Format, engine::ClientMeta, problem::Problem, ws_session::Session};
use axum::{
    extract::{FromRequestParts, ws::WebSocketUpgrade},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

const PROTOCOL: &str = "graphql-transport-ws";
/// Small, because thousands of sockets are idle: the defaults hold 140 KiB for each.
const READ_BUFFER: usize = 2 * 1024;
const WRITE_BUFFER: usize = 1024;

/// Clients that speak HTTP/2 if they may also send `Upgrade`.
pub fn is_asked_for(parts: &Parts) -> bool {
    let upgrade = parts.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

pub async fn upgrade(edge: Edge, meta: ClientMeta, mut parts: Parts) -> Response {
    if !edge.origins.admits(&parts.headers) {
        let problem = Problem::forbidden("Pages of this origin may not connect: see web.allowed_origins.");
        return problem.into_response(&meta, Format::Json);
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal.into_response(),
    };
    let (span, tasks) = (tracing::Span::current(), edge.tasks.clone());
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(edge.settings.message_bytes)
        .max_frame_size(edge.settings.message_bytes)
        .on_upgrade(move |socket| tasks.track_future(Session::new(edge, meta, socket).serve()).instrument(span))
}
