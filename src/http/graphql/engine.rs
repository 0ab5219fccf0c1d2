//! What the transports have in common: who is asking, and running an operation for them.

use super::{problem::Problem, request::Parsed};
use crate::{
    app::App,
    auth::session,
    error::Error,
    graphql::{Schema, ctx, loaders, schema},
    language::Language,
    user::viewer::Viewer,
};
use async_graphql::{Response, ServerError, Value};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use std::{net::IpAddr, panic::AssertUnwindSafe, time::Duration};

/// The product behind its schema.
#[derive(Clone)]
pub struct Edge {
    pub app: App,
    schema: Schema,
}

impl Edge {
    pub fn new(app: App) -> Self {
        Self { schema: schema(app.clone()), app }
    }
}

/// Who is asking, and how.
#[derive(Clone, Debug)]
pub struct Caller {
    pub request_id: String,
    pub viewer: Viewer,
    request: ctx::Request,
}

impl Caller {
    /// A visitor, until a token says more.
    pub fn of(edge: &Edge, headers: &HeaderMap, address: Option<IpAddr>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let request = ctx::Request {
            language: Language::preferred(text("accept-language")),
            address,
            last_event_id: text("last-event-id").filter(|id| !id.is_empty()).map(str::to_owned),
        };
        Self { request_id: edge.app.ids.uuid().simple().to_string(), viewer: Viewer::Visitor, request }
    }

    /// With the token in `Authorization: Bearer …`, if there is one.
    pub async fn admitted(self, edge: &Edge, headers: &HeaderMap) -> Result<Self, (Self, Problem)> {
        let Some(header) = headers.get("authorization") else { return Ok(self) };
        let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        self.with_token(edge, token.unwrap_or_default()).await
    }

    pub async fn with_token(self, edge: &Edge, token: &str) -> Result<Self, (Self, Problem)> {
        match session::admit(&edge.app, token).await {
            Ok(viewer) => Ok(Self { viewer, ..self }),
            Err(Error::Unauthenticated) => Err((self, Problem::unauthenticated())),
            Err(error) => {
                tracing::error!(%error, "cannot check a token");
                Err((self, Problem::unavailable()))
            }
        }
    }

    /// When the token runs out; `None` for visitors.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.viewer.member().map(|member| member.expires_at)
    }
}

impl Edge {
    /// Runs a query or a mutation: in bounded time, and a panic is an error like any other.
    pub async fn execute(&self, caller: &Caller, parsed: Parsed) -> Response {
        let limit = Duration::from_secs(self.app.config.edge.operation_seconds);
        let running = AssertUnwindSafe(self.schema.execute(self.furnish(caller, parsed))).catch_unwind();
        let response = match tokio::time::timeout(limit, running).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => failure("INTERNAL_SERVER_ERROR", "Something went wrong on our side."),
            Err(_) => failure("TIMEOUT", "The operation took too long."),
        };
        finish(response, caller)
    }

    /// Runs any operation as a stream; queries and mutations give one answer.
    pub fn stream(&self, caller: Caller, parsed: Parsed) -> BoxStream<'static, Response> {
        if !parsed.is_subscription() {
            let edge = self.clone();
            return stream::once(async move { edge.execute(&caller, parsed).await }).boxed();
        }
        let responses = self.schema.execute_stream(self.furnish(&caller, parsed));
        responses.map(move |response| finish(response, &caller)).boxed()
    }

    fn furnish(&self, caller: &Caller, parsed: Parsed) -> async_graphql::Request {
        parsed.request.data(caller.viewer.clone()).data(caller.request.clone()).data(loaders::loaders(self.app.clone()))
    }
}

fn failure(code: &'static str, message: &str) -> Response {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    Response::from_errors(vec![error])
}

/// Every error says its code and the request's id. What carries no code comes from the engine itself: before the
/// execution it is the document's fault, within it a value's.
fn finish(mut response: Response, caller: &Caller) -> Response {
    for error in &mut response.errors {
        let code = if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", code);
        }
        extensions.set("requestId", caller.request_id.as_str());
    }
    response
}

/// Whether the operation was refused before it began.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null && response.errors.iter().any(|error| error.path.is_empty())
}
