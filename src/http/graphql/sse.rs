//! GraphQL over server-sent events: the `graphql-sse` protocol in distinct-connections mode.

use super::{
    engine::{Caller, Edge},
    request::Parsed,
};
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;
use std::{convert::Infallible, time::Duration};

/// Each answer is a `next`; the last word is `complete`. Ends when the token does, or when the server stops: clients
/// come back with `Last-Event-ID`.
pub fn serve(edge: Edge, caller: Caller, parsed: Parsed) -> Response {
    let left = caller.expires_at().map(|at| (at - edge.app.clock.now()).to_std().unwrap_or_default());
    let shutdown = edge.app.shutdown.clone();
    let heartbeat = Duration::from_secs(edge.app.config.edge.heartbeat_seconds);
    let answers = edge.stream(caller, parsed).map(|response| next(serde_json::to_value(&response).unwrap_or_default()));
    let is_over = async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = runs_out(left) => {}
        }
    };
    stream_of(answers.chain(stream::once(async { complete() })).take_until(is_over), heartbeat)
}

/// One answer that was known before the engine was asked.
pub fn single(body: Value) -> Response {
    stream_of(stream::iter([next(body), complete()]), Duration::from_secs(15))
}

async fn runs_out(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}

fn stream_of(events: impl Stream<Item = Event> + Send + 'static, heartbeat: Duration) -> Response {
    let events = events.map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(heartbeat)).into_response()
}

fn next(body: Value) -> Event {
    let mut event = Event::default().event("next");
    if let Some(cursor) = cursor(&body) {
        event = event.id(cursor);
    }
    event.data(body.to_string())
}

fn complete() -> Event {
    Event::default().event("complete").data("")
}

/// The cursor of a feed's entry, so that a client that comes back says where it was.
fn cursor(body: &Value) -> Option<&str> {
    let entry = body.get("data")?.as_object()?.values().next()?;
    entry.get("cursor")?.as_str().filter(|cursor| !cursor.contains(['\n', '\r', '\0']))
}
