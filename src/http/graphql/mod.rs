//! `/graphql`: one address, three transports. What a request asks for decides: an upgrade is a WebSocket, `Accept:
//! text/event-stream` is SSE, everything else is plain HTTP.

mod accept;
mod engine;
mod plain;
mod problem;
mod request;
mod sse;
mod ws;
mod ws_protocol;

use crate::app::App;
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, Method},
    response::{IntoResponse, Response},
    routing::any,
};
use engine::{Caller, Edge};
use request::Parsed;
use std::net::SocketAddr;

pub fn routes(app: &App) -> Router {
    let edge = Edge::new(app.clone());
    let limit = app.config.edge.body_bytes;
    Router::new().route("/graphql", any(serve)).layer(DefaultBodyLimit::max(limit)).with_state(edge)
}

async fn serve(State(edge): State<Edge>, request: Request) -> Response {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let caller = Caller::of(&edge, request.headers(), address);
    let id = caller.request_id.clone();
    let mut response = route(edge, caller, request).await;
    if let Ok(id) = id.parse() {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

async fn route(edge: Edge, caller: Caller, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if parts.headers.contains_key("upgrade") {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => ws::upgrade(edge, caller, upgrade),
            Err(refusal) => refusal.into_response(),
        };
    }
    let Some(format) = accept::negotiate(&parts.headers) else { return problem::not_acceptable(&caller) };
    let parsed = match read(&edge, &parts.method, &parts.headers, parts.uri.query(), body).await {
        Ok(parsed) => parsed,
        Err(problem) => return problem.into_response(&caller, format),
    };
    let caller = match caller.admitted(&edge, &parts.headers).await {
        Ok(caller) => caller,
        Err((caller, problem)) => return problem.into_response(&caller, format),
    };
    match format {
        accept::Format::EventStream => sse::serve(edge, caller, parsed),
        accept::Format::Json | accept::Format::GraphqlResponse => plain::serve(edge, caller, parsed, format).await,
    }
}

async fn read(
    edge: &Edge,
    method: &Method,
    headers: &HeaderMap,
    query: Option<&str>,
    body: axum::body::Body,
) -> Result<Parsed, problem::Problem> {
    let limits = &edge.app.config.edge;
    let request = match *method {
        Method::GET => request::from_query(query.unwrap_or_default())?,
        Method::POST => {
            request::check_content_type(headers)?;
            let limited = http_body_util::Limited::new(body, limits.body_bytes);
            let whole = http_body_util::BodyExt::collect(limited).await;
            let bytes: Bytes = whole.map_err(|_| problem::Problem::too_large(limits.body_bytes))?.to_bytes();
            request::from_json(&bytes)?
        }
        _ => return Err(problem::Problem::method_not_allowed()),
    };
    let parsed = request::parse(request, limits.query_bytes)?;
    if *method == Method::GET && parsed.is_mutation() {
        return Err(problem::Problem::method_not_allowed());
    }
    Ok(parsed)
}
