//! One WebSocket: one task, and one for each operation, which ends with it: a socket that is gone takes everything with it.
//!
//! What is written waits for the reader, and nothing else is read or asked for meanwhile: a slow reader holds one message
//! in memory, and is dropped after `slow_reader_seconds`. Clients take a socket that broke off as a reason to resume.

use super::{
    Edge,
    engine::{Caller, ClientMeta, Refusal},
    places::Place,
    problem::Problem,
    request::Parameters,
    run::{Answer, Charged},
    ws_protocol::{self as protocol, Close, Said},
};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{
    StreamExt, future,
    stream::{self, AbortHandle, Abortable, BoxStream, SelectAll},
};
use serde_json::{Map, Value};
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

/// How long the other side may take to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// Leaves the loop: with a close code to say, or because the other side is gone.
type Flow<T = ()> = Result<T, Option<Close>>;

pub struct Session {
    edge: Edge,
    meta: ClientMeta,
    socket: WebSocket,
    /// Who introduced themselves, and the place that they take.
    caller: Option<(Caller, Place)>,
    /// Until the acknowledgement, when it must have come; after it, when the token runs out.
    deadline: Instant,
    /// Whether anything was heard since the last ping.
    is_alive: bool,
    operations: HashMap<String, Started>,
    running: SelectAll<BoxStream<'static, Word>>,
    started: u64,
}

/// An operation by its number: a client may use an id again that it completed, while the old one still winds up.
struct Started {
    number: u64,
    handle: AbortHandle,
}

/// An operation's answer, or its end.
struct Word {
    id: String,
    number: u64,
    answer: Option<Answer>,
}

impl Session {
    pub fn new(edge: Edge, meta: ClientMeta, socket: WebSocket) -> Self {
        Self {
            deadline: Instant::now() + edge.settings.init_time,
            edge,
            meta,
            socket,
            caller: None,
            is_alive: true,
            operations: HashMap::new(),
            running: SelectAll::new(),
            started: 0,
        }
    }

    pub async fn serve(mut self) {
        let end = if self.socket.protocol().is_none() { Err(Some(Close::NoSubprotocol)) } else { self.run().await };
        if let Err(Some(close)) = end {
            self.close(&close).await;
        }
    }

    async fn run(&mut self) -> Flow {
        let shutdown = self.edge.shutdown.clone();
        let period = self.edge.settings.heartbeat;
        let mut heartbeat = tokio::time::interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Err(Some(Close::Restart)),
                () = tokio::time::sleep_until(self.deadline) => {
                    return Err(Some(if self.caller.is_some() { Close::Forbidden } else { Close::InitTimeout }));
                }
                // Boxed: thousands of sockets are idle, and need room for a step only while they take one.
                heard = self.socket.recv() => Box::pin(self.hear(heard)).await?,
                Some(word) = self.running.next() => Box::pin(self.answer(word)).await?,
                _ = heartbeat.tick() => Box::pin(self.beat()).await?,
            }
        }
    }

    /// Who has not said a word since the last ping, not even its pong, is gone; whose token was revoked has to go.
    async fn beat(&mut self) -> Flow {
        if !std::mem::take(&mut self.is_alive) {
            return Err(None);
        }
        let Some((caller, _)) = &self.caller else { return Ok(()) };
        if self.edge.is_revoked(caller).await {
            return Err(Some(Close::Forbidden));
        }
        self.say(protocol::ping()).await
    }

    async fn hear(&mut self, heard: Option<Result<Message, axum::Error>>) -> Flow {
        self.is_alive = true;
        match heard {
            Some(Ok(Message::Text(text))) => match Said::parse(&text) {
                Some(said) => self.obey(said).await,
                None => Err(Some(Close::BadMessage)),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            // Too long, or no WebSocket at all; if the other side is gone, saying so does no harm.
            Some(Ok(Message::Binary(_)) | Err(_)) => Err(Some(Close::BadMessage)),
            Some(Ok(Message::Close(_))) => {
                self.take_leave().await;
                Err(None)
            }
            None => Err(None),
        }
    }

    async fn obey(&mut self, said: Said) -> Flow {
        match said {
            Said::ConnectionInit { payload } => self.init(payload.as_ref()).await,
            Said::Ping { payload } => self.say(protocol::pong(payload)).await,
            Said::Pong => Ok(()),
            Said::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Said::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.handle.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<&Map<String, Value>>) -> Flow {
        if self.caller.is_some() {
            return Err(Some(Close::TooManyInits));
        }
        let admitted = self.edge.bounded(self.edge.engine.admit(protocol::token(payload), &self.meta)).await;
        let caller = admitted.map_err(|_| Some(Close::Forbidden))?;
        let place = self.edge.0.places.take(&caller, &self.meta, self.edge.settings.sockets_per_account);
        self.deadline = Instant::now() + self.edge.left(caller.expires_at);
        self.caller = Some((caller, place.ok_or(Some(Close::TooManySockets))?));
        self.say(protocol::ack()).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Flow {
        let Some((caller, _)) = &self.caller else { return Err(Some(Close::NotAcknowledged)) };
        if self.operations.contains_key(&id) {
            return Err(Some(Close::SameId(id)));
        }
        if self.operations.len() >= self.edge.settings.socket_operations {
            let problem = Problem::too_many("Too many operations on one socket.");
            return self.say(protocol::error(&id, &problem.errors(&self.meta))).await;
        }
        let caller = caller.clone();
        let edge = self.edge.clone();
        let until = edge.until();
        // The token was shown once, minutes ago perhaps, and this may be a mutation.
        match edge.readmit(&caller).await {
            Ok(()) => {}
            Err(Refusal::Unauthenticated) => return Err(Some(Close::Forbidden)),
            Err(refusal) => return self.say(protocol::error(&id, &Problem::from(refusal).errors(&self.meta))).await,
        }
        let admitted = async {
            let parameters = Parameters::from_value(Value::Object(payload))?;
            edge.admit(&caller, &self.meta, parameters, until).await
        };
        match admitted.await {
            Ok(charged) => {
                self.start(id, caller, charged);
                Ok(())
            }
            Err(problem) => self.say(protocol::error(&id, &problem.errors(&self.meta))).await,
        }
    }

    fn start(&mut self, id: String, caller: Caller, charged: Charged) {
        self.started = self.started.wrapping_add(1);
        let number = self.started;
        let (handle, registration) = AbortHandle::new_pair();
        let answers = Abortable::new(self.edge.stream_apart(caller, self.meta.clone(), charged), registration);
        let of = id.clone();
        let with_end = answers.map(Some).chain(stream::once(future::ready(None)));
        self.running.push(with_end.map(move |answer| Word { id: of.clone(), number, answer }).boxed());
        self.operations.insert(id, Started { number, handle });
    }

    async fn answer(&mut self, word: Word) -> Flow {
        let Word { id, number, answer } = word;
        // What the client completed says nothing more.
        if self.operations.get(&id).is_none_or(|started| started.number != number) {
            return Ok(());
        }
        match answer {
            Some(answer) if answer.is_refused() => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.handle.abort();
                }
                self.say(protocol::error(&id, &answer.errors())).await
            }
            Some(answer) => self.say(protocol::next(&id, &answer)).await,
            None => {
                self.operations.remove(&id);
                self.say(protocol::complete(&id)).await
            }
        }
    }

    async fn say(&mut self, text: String) -> Flow {
        let saying = self.socket.send(Message::Text(text.into()));
        match tokio::time::timeout(self.edge.settings.slow_reader, saying).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }

    /// Reads on until the other side closes too: a connection that ends with something unread is reset, and the code that
    /// says why would be lost.
    async fn close(mut self, close: &Close) {
        self.operations.clear();
        self.running.clear();
        let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
        let saying = self.socket.send(Message::Close(Some(frame)));
        if let Ok(Ok(())) = tokio::time::timeout(FAREWELL, saying).await {
            self.take_leave().await;
        }
    }

    /// Reading on is also what sends the answer to a close frame of the other side.
    async fn take_leave(&mut self) {
        let farewell = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        let _done_or_gone = tokio::time::timeout(FAREWELL, farewell).await;
    }
}
