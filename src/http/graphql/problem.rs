//! What goes wrong before the engine is asked: a well-formed GraphQL answer all the same.

use super::{accept::Format, engine::Caller};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A refusal of the edge.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// Whether the body was a GraphQL request at all: a client that wants `application/json` then gets 200.
    pub is_well_formed: bool,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), is_well_formed: false }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", format!("The body is larger than {limit} bytes."))
    }

    pub fn method_not_allowed() -> Self {
        let message = "Use POST; GET is for queries only.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }

    pub fn unsupported_media_type() -> Self {
        let message = "Send application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    pub fn unauthenticated() -> Self {
        let message = "The access token is not valid, or not any more.";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL_SERVER_ERROR", "Temporarily unavailable; try again.")
    }

    /// The document itself.
    pub fn document(code: &'static str, message: impl Into<String>) -> Self {
        Self { is_well_formed: true, ..Self::new(StatusCode::BAD_REQUEST, code, message) }
    }

    pub fn body(&self, caller: &Caller) -> serde_json::Value {
        let extensions = json!({ "code": self.code, "requestId": caller.request_id });
        json!({ "errors": [{ "message": self.message, "extensions": extensions }] })
    }

    pub fn into_response(self, caller: &Caller, format: Format) -> Response {
        if format == Format::EventStream && self.is_well_formed {
            return super::sse::single(self.body(caller));
        }
        let status = if format == Format::Json && self.is_well_formed { StatusCode::OK } else { self.status };
        let format = if format == Format::EventStream { Format::Json } else { format };
        let mut response =
            (status, [(header::CONTENT_TYPE, format.content_type())], self.body(caller).to_string()).into_response();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, axum::http::HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

pub fn not_acceptable(caller: &Caller) -> Response {
    let message = "Accept application/graphql-response+json, application/json or text/event-stream.";
    Problem::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message).into_response(caller, Format::Json)
}
