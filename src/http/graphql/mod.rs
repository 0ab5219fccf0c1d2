//! `/graphql`: one address, three transports. What a request asks for decides: an upgrade is a WebSocket (`ws`),
//! `Accept: text/event-stream` is SSE (`sse`), a reservation token is SSE over one connection (`sse_reserved`), everything
//! else is plain HTTP (`http`).
//!
//! What always holds: nothing is read without a limit in bytes and time; no document reaches the engine that the
//! `guard` has not measured; every answer, on every transport, is well-formed and names its request; nothing here knows
//! the product behind [`engine::Engine`].
//!
//! Read next: `request` (from bytes to an operation), `run` (from an operation to answers).

mod accept;
mod body;
mod budget;
mod client;
mod cost;
mod documents;
pub mod engine;
// Public for the benchmark that times it.
#[doc(hidden)]
pub mod guard;
mod http;
mod inputs;
mod life;
mod multipart;
mod origin;
mod pace;
mod persisted;
mod places;
mod problem;
mod request;
mod run;
mod settings;
mod sse;
mod sse_reserved;
mod ws;
mod ws_protocol;
mod ws_session;

use super::request_log;
use crate::infra::{blob::Spool, clock::Clock, ids::Ids};
use accept::{Accepted, Format};
use async_graphql::parser::types::OperationType;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, header, request::Parts},
    middleware,
    response::Response,
    routing::any,
};
use budget::Budgets;
use cost::Prices;
use documents::Documents;
use engine::{ClientMeta, Engine};
use inputs::Inputs;
use places::Places;
use problem::Problem;
use request::Parameters;
use sse_reserved::Reservations;
use std::{ops::Deref, sync::Arc};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use client::bearer;
pub use origin::Origins;
pub use settings::{DocumentLimits, EdgeSettings};

/// What `/graphql` is built from.
pub struct EdgeParts {
    pub engine: Arc<dyn Engine>,
    pub settings: EdgeSettings,
    pub origins: Origins,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    /// Where files of multipart bodies wait.
    pub spool: Spool,
    /// Ends every stream and socket, so that clients go to another node.
    pub shutdown: CancellationToken,
    pub tasks: TaskTracker,
}

/// A cheap handle on the parts, and on what the transports count.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

pub struct Inner {
    parts: EdgeParts,
    prices: Prices,
    documents: Documents,
    inputs: Inputs,
    budgets: Budgets,
    places: Places,
    /// Of multipart bodies that are arriving.
    arriving: Places,
    reservations: Reservations,
}

impl Deref for Edge {
    type Target = EdgeParts;
    fn deref(&self) -> &EdgeParts {
        &self.0.parts
    }
}

/// Serves `/graphql`.
pub fn routes(parts: EdgeParts) -> Router {
    let log = middleware::from_fn_with_state(parts.ids.clone(), request_log::log);
    let cors = parts.origins.cors();
    let prices = Prices::from_sdl(&parts.engine.sdl()).unwrap_or_else(|error| {
        tracing::error!(%error, "the schema's own text cannot be read");
        Prices::default()
    });
    let (places, arriving, reservations) = (Places::default(), Places::default(), Reservations::default());
    let (documents, budgets) = (Documents::default(), Budgets::default());
    let inputs = Inputs::of(Arc::clone(&parts.engine));
    let inner = Inner { parts, prices, documents, inputs, budgets, places, arriving, reservations };
    // Outermost first: a preflight is answered before anything else looks at it.
    Router::new().route("/graphql", any(serve)).layer((cors, log)).with_state(Edge(Arc::new(inner)))
}

async fn serve(State(edge): State<Edge>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let meta = client::meta(&parts);
    let mut response = if ws::is_asked_for(&parts) {
        ws::upgrade(edge, meta, parts).await
    } else {
        let accepted = Accepted::of(&parts.headers);
        let format = accepted.as_ref().map_or(Format::Json, Accepted::best);
        match respond(edge, &meta, &parts, body, accepted).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(&meta, format),
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn respond(
    edge: Edge,
    meta: &ClientMeta,
    parts: &Parts,
    body: Body,
    accepted: Option<Accepted>,
) -> Result<Response, Problem> {
    let until = edge.until();
    let caller = edge.bounded(edge.engine.admit(bearer(&parts.headers), meta));
    match (&parts.method, sse_reserved::token(parts)) {
        (&Method::PUT, _) => return sse_reserved::reserve(&edge, &caller.await?, meta),
        (&Method::DELETE, Some(token)) => return sse_reserved::stop(&edge, &caller.await?, &token, parts),
        (&Method::GET, Some(token)) => return sse_reserved::open(&edge, &token),
        (&Method::POST, Some(token)) => {
            let caller = caller.await?;
            let left = until.saturating_duration_since(Instant::now());
            let parameters = body::read(&edge, &caller, meta, &parts.headers, body).await?;
            return sse_reserved::run(&edge, caller, meta, &token, parameters, Instant::now() + left).await;
        }
        (&Method::GET | &Method::POST, None) => {}
        _ => return Err(Problem::method_not_allowed("Use POST; GET is for queries only.")),
    }
    let accepted = accepted.ok_or_else(Problem::not_acceptable)?;
    let caller = caller.await?;
    let left = until.saturating_duration_since(Instant::now());
    let is_get = parts.method == Method::GET;
    let parameters = if is_get {
        Parameters::from_address(parts.uri.query().unwrap_or_default())?
    } else {
        body::read(&edge, &caller, meta, &parts.headers, body).await?
    };
    // What a slow client takes to send it is its own time.
    let charged = edge.admit(&caller, meta, parameters, Instant::now() + left).await?;
    let kind = charged.operation.kind;
    if is_get && kind == OperationType::Mutation {
        return Err(Problem::method_not_allowed("Use POST; GET is for queries only."));
    }
    match accepted.for_operation(kind) {
        Format::EventStream => sse::serve(&edge, caller, meta, charged),
        format => Ok(http::serve(&edge, &caller, meta, charged, format).await),
    }
}
