//! GraphQL over WebSocket: `graphql-transport-ws`. One task for each socket; its operations are streams in that task,
//! so that a socket that is gone takes everything with it.

use super::{
    engine::{Caller, Edge, is_request_error},
    request,
    ws_protocol::{self as protocol, Close, Said},
};
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::{IntoResponse, Response},
};
use futures_util::{
    StreamExt,
    stream::{self, AbortHandle, Abortable, BoxStream, SelectAll},
};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

const PROTOCOL: &str = "graphql-transport-ws";
/// Small, because thousands of sockets are idle: the defaults hold 140 KiB for each.
const READ_BUFFER: usize = 2 * 1024;
const WRITE_BUFFER: usize = 1024;
const MOST_MESSAGE: usize = 64 * 1024;
/// Who does not take a message for so long is dropped, and resumes later.
const SLOW: Duration = Duration::from_secs(10);

pub fn upgrade(edge: Edge, caller: Caller, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(MOST_MESSAGE)
        .max_frame_size(MOST_MESSAGE)
        .on_upgrade(move |socket| async move {
            let mut session = Session {
                deadline: Instant::now() + Duration::from_secs(edge.app.config.edge.init_seconds),
                edge,
                caller,
                socket,
                is_acknowledged: false,
                operations: HashMap::new(),
                running: SelectAll::new(),
            };
            if let Err(Some(close)) = session.run().await {
                session.close(&close).await;
            }
        })
        .into_response()
}

/// Leaves the loop: with a close code to say, or because the other side is gone.
type Flow<T = ()> = Result<T, Option<Close>>;

struct Session {
    edge: Edge,
    caller: Caller,
    socket: WebSocket,
    is_acknowledged: bool,
    /// Until the acknowledgement, when it must have come; after it, when the token runs out.
    deadline: Instant,
    operations: HashMap<String, AbortHandle>,
    running: SelectAll<BoxStream<'static, (String, Option<async_graphql::Response>)>>,
}

impl Session {
    async fn run(&mut self) -> Flow {
        let shutdown = self.edge.app.shutdown.clone();
        let mut heartbeat = tokio::time::interval(Duration::from_secs(self.edge.app.config.edge.heartbeat_seconds));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Err(Some(Close::Restart)),
                () = tokio::time::sleep_until(self.deadline) => {
                    return Err(Some(if self.is_acknowledged { Close::Forbidden } else { Close::InitTimeout }));
                }
                said = self.socket.recv() => self.hear(said).await?,
                Some((id, answer)) = self.running.next() => self.answer(&id, answer).await?,
                _ = heartbeat.tick(), if self.is_acknowledged => self.say(protocol::ping()).await?,
            }
        }
    }

    async fn hear(&mut self, said: Option<Result<Message, axum::Error>>) -> Flow {
        match said {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(said) => self.obey(said).await,
                Err(_) => Err(Some(Close::BadMessage)),
            },
            Some(Ok(Message::Binary(_))) => Err(Some(Close::BadMessage)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
        }
    }

    async fn obey(&mut self, said: Said) -> Flow {
        match said {
            Said::ConnectionInit { payload } => self.init(payload.as_ref()).await,
            Said::Ping => self.say(protocol::pong()).await,
            Said::Pong => Ok(()),
            Said::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Said::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<&serde_json::Value>) -> Flow {
        if self.is_acknowledged {
            return Err(Some(Close::TooManyInits));
        }
        if let Some(token) = protocol::token(payload) {
            let caller = self.caller.clone().with_token(&self.edge, token).await;
            self.caller = caller.map_err(|_| Some(Close::Forbidden))?;
        }
        let left = self.caller.expires_at().map(|at| (at - self.edge.app.clock.now()).to_std().unwrap_or_default());
        // A visitor's socket has no token to run out: a day, then it comes back.
        self.deadline = Instant::now() + left.unwrap_or(Duration::from_secs(24 * 3600));
        self.is_acknowledged = true;
        self.say(protocol::ack()).await
    }

    async fn subscribe(&mut self, id: String, payload: serde_json::Value) -> Flow {
        if !self.is_acknowledged {
            return Err(Some(Close::NotAcknowledged));
        }
        if self.operations.contains_key(&id) {
            return Err(Some(Close::SameId(id)));
        }
        let limits = &self.edge.app.config.edge;
        if self.operations.len() >= limits.socket_operations {
            return Err(Some(Close::TooManyOperations));
        }
        let parameters = request::from_value(payload).map_err(|_| Some(Close::BadMessage))?;
        match request::parse(parameters, limits.query_bytes) {
            Ok(parsed) => {
                let (handle, registration) = AbortHandle::new_pair();
                let answers = Abortable::new(self.edge.stream(self.caller.clone(), parsed), registration);
                let (next, end) = (id.clone(), id.clone());
                let answers = answers.map(move |answer| (next.clone(), Some(answer)));
                self.running.push(answers.chain(stream::once(async move { (end, None) })).boxed());
                self.operations.insert(id, handle);
                Ok(())
            }
            Err(problem) => {
                let body = problem.body(&self.caller);
                self.say(protocol::error(&id, body.get("errors").unwrap_or(&serde_json::Value::Null))).await
            }
        }
    }

    async fn answer(&mut self, id: &str, answer: Option<async_graphql::Response>) -> Flow {
        // An operation that was completed by the client says nothing more.
        let is_known = self.operations.get(id).is_some_and(|operation| !operation.is_aborted());
        if !is_known {
            return Ok(());
        }
        match answer {
            None => {
                self.operations.remove(id);
                self.say(protocol::complete(id)).await
            }
            Some(response) => {
                let body = serde_json::to_value(&response).unwrap_or_default();
                if is_request_error(&response) {
                    if let Some(operation) = self.operations.remove(id) {
                        operation.abort();
                    }
                    return self.say(protocol::error(id, body.get("errors").unwrap_or(&serde_json::Value::Null))).await;
                }
                self.say(protocol::next(id, &body)).await
            }
        }
    }

    async fn say(&mut self, text: String) -> Flow {
        match tokio::time::timeout(SLOW, self.socket.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }

    async fn close(&mut self, close: &Close) {
        let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
        let _gone = tokio::time::timeout(SLOW, self.socket.send(Message::Close(Some(frame)))).await;
    }
}
