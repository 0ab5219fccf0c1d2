//! Running one operation, the same on every transport: in bounded time, with panics caught, and with each error named.

use super::{
    Edge,
    budget::SharedPurse,
    cost,
    engine::{Caller, Charge, ClientMeta, EVENT_ID, Refusal},
    persisted::Persisted,
    problem::Problem,
    request::{Operation, Parameters},
};
use async_graphql::{Response, ServerError, Value, parser::types::OperationType, value};
use futures_util::{
    FutureExt, StreamExt, future,
    stream::{self, BoxStream},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::{any::Any, panic::AssertUnwindSafe};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

/// What goes to the client: `Serialize` gives the GraphQL answer.
#[derive(Debug)]
pub struct Answer {
    response: Response,
    /// Names the event, for who comes back later.
    pub event_id: Option<String>,
}

impl Answer {
    /// Every error says its code and the request's id. What carries no code comes from the engine itself: before the
    /// execution it is the document's fault, within it a value's.
    fn of(mut response: Response, meta: &ClientMeta) -> Self {
        for error in &mut response.errors {
            let code = if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
            let extensions = error.extensions.get_or_insert_default();
            if extensions.get("code").is_none() {
                extensions.set("code", code);
            }
            extensions.set("requestId", &*meta.request_id);
        }
        let event_id = match response.extensions.remove(EVENT_ID) {
            // What would break out of its line, and what the standard ignores.
            Some(Value::String(id)) if !id.contains(['\n', '\r', '\0']) => Some(id),
            _ => None,
        };
        Self { response, event_id }
    }

    fn failure(code: &'static str, message: &str, meta: &ClientMeta) -> Self {
        let mut error = ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self::of(Response::from_errors(vec![error]), meta)
    }

    /// What it began goes on: somebody who wanted something done must not think that it was not.
    fn timeout(kind: OperationType, meta: &ClientMeta) -> Self {
        let message = match kind {
            OperationType::Mutation => {
                "The operation took too long: it may have been done. Ask again, with the same idempotencyKey if there is one."
            }
            OperationType::Query | OperationType::Subscription => "The operation took too long.",
        };
        let mut answer = Self::failure("TIMEOUT", message, meta);
        for error in &mut answer.response.errors {
            error.extensions.get_or_insert_default().set("retryAfter", 1);
        }
        answer
    }

    fn internal(panic: &(dyn Any + Send), meta: &ClientMeta) -> Self {
        let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        tracing::error!(request_id = &*meta.request_id, panic = said.unwrap_or("?"), "a resolver panicked");
        Self::failure("INTERNAL_SERVER_ERROR", "Something went wrong on our side.", meta)
    }

    /// Whether the operation was refused, or given up, as a whole: then there is no `data`.
    pub fn is_refused(&self) -> bool {
        self.response.data == Value::Null && self.response.errors.iter().any(|error| error.path.is_empty())
    }

    /// The first error's.
    pub fn code(&self) -> Option<&str> {
        match self.response.errors.first()?.extensions.as_ref()?.get("code")? {
            Value::String(code) => Some(code),
            _ => None,
        }
    }

    pub fn errors(&self) -> &[ServerError] {
        &self.response.errors
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.is_refused() {
            map.serialize_entry("data", &self.response.data)?;
        }
        if !self.response.errors.is_empty() {
            map.serialize_entry("errors", &self.response.errors)?;
        }
        if !self.response.extensions.is_empty() {
            map.serialize_entry("extensions", &self.response.extensions)?;
        }
        map.end()
    }
}

/// As text; what cannot be written (there is no such value now) is masked like any fault.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer cannot be written");
        r#"{"errors":[{"message":"Something went wrong on our side.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#
            .to_owned()
    })
}

/// An operation that the caller has paid for.
#[derive(Debug)]
pub struct Charged {
    pub operation: Operation,
    charge: Charge,
    purse: SharedPurse,
    /// When its time is up.
    until: Instant,
}

impl Edge {
    /// When the time of an operation is up that begins now. Who asks and what they may spend is found out within that time,
    /// too: one after the other, each in a time of its own, nobody would know how long an answer may take.
    pub fn until(&self) -> Instant {
        Instant::now() + self.settings.operation_time
    }

    /// What the parameters ask for, if the caller may ask it and has the points.
    pub async fn admit(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        parameters: Parameters,
        until: Instant,
    ) -> Result<Charged, Problem> {
        let admitted = timeout_at(until, self.admit_in_time(caller, meta, parameters));
        let (operation, charge, purse) = admitted.await.unwrap_or_else(|_| Err(Refusal::Unavailable.into()))?;
        Ok(Charged { operation, charge, purse, until })
    }

    async fn admit_in_time(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        parameters: Parameters,
    ) -> Result<(Operation, Charge, SharedPurse), Problem> {
        let operation = self.operation(parameters).await?;
        if operation.requested.is_introspection && !caller.may_introspect {
            return Err(Problem::document("FORBIDDEN", "The schema is open to admins only."));
        }
        let (charge, purse) = self.charge(caller, meta, operation.requested.cost).await?;
        Ok((operation, charge, purse))
    }

    /// Runs a query or a mutation.
    pub async fn execute(&self, caller: &Caller, meta: &ClientMeta, charged: Charged) -> Answer {
        let Charged { operation, charge, purse, until } = charged;
        let Operation { request, kind, requested, validation, unknown, persisted, .. } = operation;
        let running = self.engine.execute(caller, meta, charge, request, validation);
        let running = AssertUnwindSafe(running).catch_unwind();
        match timeout_at(until, running).await {
            Ok(Ok(response)) => {
                let actual = cost::actual(requested, &response.data);
                let remaining = purse.refund(charge.cost.saturating_sub(actual));
                let costs = value!({ "requested": charge.cost, "actual": actual, "remaining": remaining });
                let answer = Answer::of(response.extension("cost", costs), meta);
                if let Some(passed) = unknown.filter(|_| !answer.is_refused()) {
                    self.0.documents.keep(passed);
                }
                if let Some(persisted) = persisted.filter(|_| !answer.is_refused()) {
                    self.keep(persisted).await;
                }
                answer
            }
            Ok(Err(panic)) => Answer::internal(&*panic, meta),
            Err(_) => Answer::timeout(kind, meta),
        }
    }

    /// Runs any operation as a stream; a query and a mutation give one answer.
    pub fn stream(&self, caller: Caller, meta: ClientMeta, charged: Charged) -> BoxStream<'static, Answer> {
        if !charged.operation.is_subscription() {
            let edge = self.clone();
            return stream::once(async move { edge.execute(&caller, &meta, charged).await }).boxed();
        }
        let Operation { request, persisted, .. } = charged.operation;
        let responses = self.engine.subscribe(&caller, &meta, charged.charge, request);
        // What ends because this server stops is not complete: the transport says that the client may come back.
        let shutdown = self.shutdown.clone();
        let end = stream::once(async move {
            if shutdown.is_cancelled() {
                future::pending::<()>().await;
            }
        });
        let responses = responses.chain(end.filter_map(|()| future::ready(None)));
        // After a panic the stream is over: `catch_unwind` ends it.
        let answers = AssertUnwindSafe(responses).catch_unwind().map(move |response| match response {
            Ok(response) => Answer::of(response, &meta),
            Err(panic) => Answer::internal(&*panic, &meta),
        });
        match persisted {
            None => answers.boxed(),
            Some(persisted) => self.keeping(answers.boxed(), persisted),
        }
    }

    /// The first answer tells whether the document passed.
    fn keeping(&self, answers: BoxStream<'static, Answer>, persisted: Persisted) -> BoxStream<'static, Answer> {
        let (edge, mut persisted) = (self.clone(), Some(persisted));
        let keep = move |answer: Answer| {
            let (edge, due) = (edge.clone(), persisted.take().filter(|_| !answer.is_refused()));
            async move {
                if let Some(persisted) = due {
                    edge.keep(persisted).await;
                }
                answer
            }
        };
        answers.then(keep).boxed()
    }

    /// The same in a task of its own, which ends when the stream is dropped. What runs may hold a connection of the
    /// database, and must go on while its reader takes nothing.
    pub fn stream_apart(&self, caller: Caller, meta: ClientMeta, charged: Charged) -> BoxStream<'static, Answer> {
        let mut answers = self.stream(caller, meta, charged);
        // Boxed: a channel has room for 32 from the start.
        let (sender, receiver) = mpsc::channel::<Box<Answer>>(1);
        let pump = self.tasks.spawn(async move {
            while let Some(answer) = answers.next().await {
                if sender.send(Box::new(answer)).await.is_err() {
                    return;
                }
            }
        });
        stream::unfold((receiver, AbortOnDropHandle::new(pump)), |(mut receiver, pump)| async move {
            receiver.recv().await.map(|answer| (*answer, (receiver, pump)))
        })
        .boxed()
    }
}
