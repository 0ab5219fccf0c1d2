//! The `graphql-sse` protocol in single-connection mode: a client reserves a stream (PUT), opens it (GET), starts
//! operations that answer on it (POST), and stops them (DELETE). For browsers on HTTP/1, which open six connections at most.
//!
//! A reservation is known to its node alone: a load balancer in front of several must be sticky for this mode. It ends
//! with its stream, and takes its operations with it.

use super::{
    Edge,
    engine::{Caller, ClientMeta},
    http,
    places::Place,
    problem::Problem,
    request::Parameters,
    run::{self as running, Answer},
    sse,
};
use axum::{
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response, sse::Event},
};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream, Peekable},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// Names the reservation in a request's head; in an address the name is `token`.
pub const TOKEN: &str = "x-graphql-event-stream-token";
/// Events that wait for the reader.
const WAITING: usize = 16;

/// The reservations of this node by their tokens.
#[derive(Clone, Debug, Default)]
pub struct Reservations(Arc<Mutex<HashMap<String, Arc<Reservation>>>>);

#[derive(Debug)]
struct Reservation {
    /// Whose token reserved it.
    holder: Caller,
    sender: mpsc::Sender<Event>,
    /// Until somebody opens the stream.
    receiver: Mutex<Option<mpsc::Receiver<Event>>>,
    operations: Mutex<HashMap<String, CancellationToken>>,
    end: CancellationToken,
    _place: Place,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reservations {
    /// Of another account is as good as none: `holder` is whose token came with the request.
    fn of(&self, token: &str, holder: &Caller) -> Result<Arc<Reservation>, Problem> {
        self.any(token).filter(|found| found.holder.account == holder.account).ok_or_else(unknown)
    }

    fn any(&self, token: &str) -> Option<Arc<Reservation>> {
        lock(&self.0).get(token).cloned()
    }

    fn end(&self, token: &str) {
        let ended = lock(&self.0).remove(token);
        if let Some(reservation) = ended {
            reservation.end.cancel();
        }
    }
}

fn unknown() -> Problem {
    Problem::not_found("There is no such stream.")
}

/// The token that a request names.
pub fn token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(TOKEN).and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or_else(|| parameter(parts, "token"))
}

fn parameter(parts: &Parts, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(parts.uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// PUT
pub fn reserve(edge: &Edge, caller: &Caller, meta: &ClientMeta) -> Result<Response, Problem> {
    let place = edge.0.places.take(caller, meta, edge.settings.sockets_per_account);
    let place = place.ok_or_else(|| Problem::too_many("Too many open streams."))?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let reservation = Arc::new(Reservation {
        holder: caller.clone(),
        sender,
        receiver: Mutex::new(Some(receiver)),
        operations: Mutex::default(),
        end: CancellationToken::new(),
        _place: place,
    });
    let token = edge.ids.secret();
    lock(&edge.0.reservations.0).insert(token.clone(), Arc::clone(&reservation));
    let (reservations, key, shutdown) = (edge.0.reservations.clone(), token.clone(), edge.shutdown.clone());
    let wait = edge.settings.reservation_time;
    edge.tasks.spawn(async move {
        let _late = tokio::time::timeout(wait, shutdown.cancelled()).await;
        if lock(&reservation.receiver).is_some() {
            reservations.end(&key);
        }
    });
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], token).into_response())
}

/// GET. The token is secret enough: `EventSource` can send no other.
pub fn open(edge: &Edge, token: &str) -> Result<Response, Problem> {
    /// Ends the reservation when the reader is gone.
    struct Reader(Reservations, String);
    impl Drop for Reader {
        fn drop(&mut self) {
            self.0.end(&self.1);
        }
    }
    let reservation = edge.0.reservations.any(token).ok_or_else(unknown)?;
    let receiver = lock(&reservation.receiver).take();
    let receiver = receiver.ok_or_else(|| Problem::conflict("The stream is already open."))?;
    let reader = Reader(edge.0.reservations.clone(), token.to_owned());
    let events = stream::unfold((receiver, reader), |(mut receiver, reader)| async move {
        receiver.recv().await.map(|event| (event, (receiver, reader)))
    });
    let (over, ended) = (edge.over(&reservation.holder), reservation.end.clone().cancelled_owned());
    Ok(sse::respond(edge, events.take_until(over).take_until(ended)))
}

/// DELETE
pub fn stop(edge: &Edge, caller: &Caller, token: &str, parts: &Parts) -> Result<Response, Problem> {
    let reservation = edge.0.reservations.of(token, caller)?;
    let id = parameter(parts, "operationId").ok_or_else(|| Problem::bad_request("`operationId` is missing."))?;
    if let Some(operation) = lock(&reservation.operations).remove(&id) {
        operation.cancel();
    }
    Ok(StatusCode::OK.into_response())
}

/// POST. What is refused is answered here, everything else on the stream.
pub async fn run(
    edge: &Edge,
    caller: Caller,
    meta: &ClientMeta,
    token: &str,
    parameters: Parameters,
    until: Instant,
) -> Result<Response, Problem> {
    let reservation = edge.0.reservations.of(token, &caller)?;
    let id = match parameters.extensions.get("operationId") {
        Some(Value::String(id)) if (1..=100).contains(&id.len()) => id.clone(),
        _ => return Err(Problem::bad_request("`extensions.operationId` must be a string of 1 to 100 bytes.")),
    };
    let charged = edge.admit(&caller, meta, parameters, until).await;
    // There is one answer here for every client: a status that says it.
    let charged = charged.map_err(|problem| Problem { is_well_formed: false, ..problem })?;
    let stop = reservation.begin(&id, edge.settings.socket_operations)?;
    let running = Running { reservation, id, stop };
    let over = edge.over(&caller);
    let is_subscription = charged.operation.is_subscription();
    let mut answers = edge.stream(caller, meta.clone(), charged).peekable();
    let first = Pin::new(&mut answers).peek();
    // A subscription that is refused says so at once; one that is not may be silent for hours.
    let first = if is_subscription { first.now_or_never().flatten() } else { first.await };
    if let Some(refused) = first.filter(|answer| answer.is_refused()) {
        return Ok(http::respond(refused, super::Format::GraphqlResponse));
    }
    let (slow, reservations, token) = (edge.settings.slow_reader, edge.0.reservations.clone(), token.to_owned());
    edge.tasks.spawn(async move {
        let is_read = tokio::select! {
            is_read = running.pump(answers, slow) => is_read,
            () = over => true,
        };
        if !is_read {
            reservations.end(&token);
        }
    });
    Ok(StatusCode::ACCEPTED.into_response())
}

impl Reservation {
    /// Takes the operation's id.
    fn begin(&self, id: &str, most: usize) -> Result<CancellationToken, Problem> {
        let mut operations = lock(&self.operations);
        if operations.contains_key(id) {
            return Err(Problem::conflict("There is an operation with this id."));
        }
        if operations.len() >= most {
            return Err(Problem::too_many("Too many operations on one stream."));
        }
        let stop = CancellationToken::new();
        operations.insert(id.to_owned(), stop.clone());
        Ok(stop)
    }
}

/// An operation; its id is free again when it is dropped.
struct Running {
    reservation: Arc<Reservation>,
    id: String,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        // What was stopped gave its id back already, perhaps to another.
        if !self.stop.is_cancelled() {
            lock(&self.reservation.operations).remove(&self.id);
        }
    }
}

impl Running {
    /// False if the reader takes nothing any more.
    async fn pump(&self, mut answers: Peekable<BoxStream<'static, Answer>>, slow: Duration) -> bool {
        loop {
            let answer = tokio::select! {
                answer = answers.next() => answer,
                () = self.stop.cancelled() => None,
                () = self.reservation.end.cancelled() => return true,
            };
            let is_last = answer.is_none();
            let sending = self.reservation.sender.send(self.event(answer));
            match tokio::time::timeout(slow, sending).await {
                Ok(Ok(())) if !is_last => {}
                Ok(Ok(()) | Err(_)) => return true,
                Err(_) => return false,
            }
        }
    }

    fn event(&self, answer: Option<Answer>) -> Event {
        #[derive(Serialize)]
        struct Next<'a> {
            id: &'a str,
            payload: &'a Answer,
        }
        match answer {
            Some(answer) => sse::id_of(sse::next(&running::json(&Next { id: &self.id, payload: &answer })), &answer),
            None => sse::complete(&json!({ "id": self.id }).to_string()),
        }
    }
}
