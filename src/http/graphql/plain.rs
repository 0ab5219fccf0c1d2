//! GraphQL over HTTP.

use super::{
    accept::Format,
    engine::{Caller, Edge, is_request_error},
    problem::Problem,
    request::Parsed,
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

pub async fn serve(edge: Edge, caller: Caller, parsed: Parsed, format: Format) -> Response {
    if parsed.is_subscription() {
        let message = "Subscriptions are served over SSE (Accept: text/event-stream) and WebSocket.";
        return Problem::document("OPERATION_RESOLUTION_FAILURE", message).into_response(&caller, format);
    }
    let response = edge.execute(&caller, parsed).await;
    let is_refused = is_request_error(&response);
    let has_timed_out = is_refused && code(&response) == Some("TIMEOUT");
    let status = match format {
        _ if has_timed_out => StatusCode::GATEWAY_TIMEOUT,
        Format::GraphqlResponse if is_refused => StatusCode::BAD_REQUEST,
        Format::GraphqlResponse | Format::Json | Format::EventStream => StatusCode::OK,
    };
    let mut body = match serde_json::to_value(&response) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    if is_refused && let Some(body) = body.as_object_mut() {
        // A request that did not begin has no `data`.
        body.remove("data");
    }
    (status, [(header::CONTENT_TYPE, format.content_type())], body.to_string()).into_response()
}

fn code(response: &async_graphql::Response) -> Option<&str> {
    match response.errors.first()?.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => Some(code),
        _ => None,
    }
}
