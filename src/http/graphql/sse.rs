//! GraphQL over server-sent events: the `graphql-sse` protocol in distinct-connections mode, a stream for each operation.
//!
//! Each answer is a `next`, the last word is `complete`. A stream that ends without it was cut off, by the end of its
//! token or ours: the client comes back with the `id:` of the last event that it saw.

use super::{
    Edge,
    engine::{Caller, ClientMeta},
    problem::Problem,
    run::{self, Answer, Charged},
};
use axum::{
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, future, stream};
use std::{convert::Infallible, time::Duration};

pub fn serve(edge: &Edge, caller: Caller, meta: &ClientMeta, charged: Charged) -> Result<Response, Problem> {
    let place = edge.0.places.take(&caller, meta, edge.settings.sockets_per_account);
    let place = place.ok_or_else(|| Problem::too_many("Too many open streams."))?;
    let over = edge.over(&caller);
    let answers = edge.stream_apart(caller, meta.clone(), charged).map(|answer| {
        let event = next(&run::json(&answer));
        id_of(event, &answer)
    });
    let events = answers.chain(stream::once(future::ready(complete("")))).take_until(over);
    Ok(respond(edge, events.inspect(move |_| _ = &place)))
}

/// A stream of events that says goodbye if the server stops.
pub fn respond(edge: &Edge, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let (shutdown, ids) = (edge.shutdown.clone(), edge.ids.clone());
    // Not all at the same moment, or the next node has them all at once.
    let goodbye = async move {
        shutdown
            .is_cancelled()
            .then(|| Event::default().retry(Duration::from_millis(500_u64.saturating_add(ids.below(4_500)))))
    };
    let goodbye = stream::once(goodbye).filter_map(future::ready);
    // Some browsers wait for the first bytes before they say that the stream is open.
    let opening = stream::once(future::ready(Event::default().comment("")));
    write(opening.chain(events).chain(goodbye), edge.settings.heartbeat)
}

/// One answer that was known before the engine was asked.
pub fn single(body: &str) -> Response {
    write(stream::iter([next(body), complete("")]), Duration::from_secs(15))
}

fn write(events: impl Stream<Item = Event> + Send + 'static, heartbeat: Duration) -> Response {
    // A proxy must not gather what is to be seen at once.
    let headers = [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    let sse = Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(heartbeat));
    (headers, sse).into_response()
}

pub fn next(data: &str) -> Event {
    Event::default().event("next").data(data)
}

/// With data, even if it is empty: `EventSource` drops an event without any.
pub fn complete(data: &str) -> Event {
    Event::default().event("complete").data(data)
}

pub fn id_of(event: Event, answer: &Answer) -> Event {
    match &answer.event_id {
        Some(id) => event.id(id),
        None => event,
    }
}
