//! What goes wrong at the edge: a well-formed GraphQL answer all the same.

use super::{
    accept::Format,
    engine::{ClientMeta, Refusal},
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refusal of the edge.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// Whether there was a GraphQL request at all: a client that wants `application/json` then gets 200, and a client
    /// that wants a stream gets it in the stream.
    pub is_well_formed: bool,
    /// Seconds after which it may work.
    pub retry_after: Option<u64>,
    /// The limit that was passed, and by what.
    pub beyond: Option<(u64, u64)>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), is_well_formed: false, retry_after: None, beyond: None }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub fn too_large(limit: usize) -> Self {
        Self::payload_too_large(format!("The body is larger than {limit} bytes."))
    }

    pub fn payload_too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    }

    pub fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    pub fn unavailable() -> Self {
        Refusal::Unavailable.into()
    }

    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "TIMEOUT", "The body took too long to arrive.")
    }

    pub fn method_not_allowed(message: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }

    pub fn not_acceptable() -> Self {
        let message = "Accept application/graphql-response+json, application/json or text/event-stream.";
        Self::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
    }

    pub fn unsupported_media_type(message: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    pub fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub fn conflict(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    pub fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    pub fn too_many(message: &str) -> Self {
        Self::rate_limited(message, 5)
    }

    pub fn rate_limited(message: impl Into<String>, seconds: u64) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message);
        Self { retry_after: Some(seconds.max(1)), ..problem }
    }

    /// The document itself.
    pub fn document(code: &'static str, message: impl Into<String>) -> Self {
        Self { is_well_formed: true, ..Self::new(StatusCode::BAD_REQUEST, code, message) }
    }

    #[must_use]
    pub fn beyond(self, limit: u64, value: u64) -> Self {
        Self { beyond: Some((limit, value)), ..self }
    }

    /// The GraphQL answer, as it is on every transport.
    pub fn body(&self, meta: &ClientMeta) -> Value {
        json!({ "errors": self.errors(meta) })
    }

    pub fn errors(&self, meta: &ClientMeta) -> Value {
        let mut extensions = json!({ "code": self.code, "requestId": &*meta.request_id });
        if let Some((seconds, extensions)) = self.retry_after.zip(extensions.as_object_mut()) {
            extensions.insert("retryAfter".to_owned(), seconds.into());
        }
        if let Some(((limit, value), extensions)) = self.beyond.zip(extensions.as_object_mut()) {
            extensions.insert("limit".to_owned(), limit.into());
            extensions.insert("value".to_owned(), value.into());
        }
        json!([{ "message": self.message, "extensions": extensions }])
    }

    pub fn into_response(self, meta: &ClientMeta, format: Format) -> Response {
        if format == Format::EventStream && self.is_well_formed {
            return super::sse::single(&self.body(meta).to_string());
        }
        let status = if format == Format::Json && self.is_well_formed { StatusCode::OK } else { self.status };
        let format = if format == Format::EventStream { Format::Json } else { format };
        let body = self.body(meta).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, format.content_type())], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthenticated => {
                let message = "The access token is not valid, or not any more.";
                Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
            }
            Refusal::Unavailable => {
                let message = "Temporarily unavailable. Nothing was changed; try again.";
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL_SERVER_ERROR", message);
                Self { retry_after: Some(1), ..problem }
            }
        }
    }
}
