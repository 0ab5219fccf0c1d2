//! GraphQL over HTTP: one answer to one request.

use super::{
    Edge,
    accept::Format,
    engine::{Caller, ClientMeta},
    problem::Problem,
    run::{self, Answer, Charged},
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

pub async fn serve(edge: &Edge, caller: &Caller, meta: &ClientMeta, charged: Charged, format: Format) -> Response {
    if charged.operation.is_subscription() {
        let message = "Subscriptions are served over SSE (Accept: text/event-stream) and WebSocket.";
        return Problem::document("OPERATION_RESOLUTION_FAILURE", message).into_response(meta, format);
    }
    respond(&edge.execute(caller, meta, charged).await, format)
}

/// The specification's statuses: `application/json` is 200 for every well-formed request, the newer media type tells
/// what happened.
pub fn respond(answer: &Answer, format: Format) -> Response {
    let status = match format {
        Format::Json | Format::EventStream => StatusCode::OK,
        Format::GraphqlResponse if !answer.is_refused() => StatusCode::OK,
        Format::GraphqlResponse => match answer.code() {
            Some("TIMEOUT") => StatusCode::GATEWAY_TIMEOUT,
            Some("INTERNAL_SERVER_ERROR") => StatusCode::INTERNAL_SERVER_ERROR,
            Some("RATE_LIMITED") => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        },
    };
    (status, [(header::CONTENT_TYPE, format.content_type())], run::json(answer)).into_response()
}
