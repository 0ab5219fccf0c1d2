//! What the transports need of the product, and nothing else of it: who is asking, and running an operation for them.
//!
//! The product implements [`Engine`] in `http/product.rs`.

use crate::language::Language;
use async_graphql::{Request, Response};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use std::{any::Any, net::IpAddr, sync::Arc};

/// The key of a response's extension that names the event it carries. It becomes the `id:` of a server-sent event and
/// never reaches the client as an extension.
pub const EVENT_ID: &str = "eventId";

/// The product behind its schema.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Who shows this token; a visitor if there is none.
    async fn admit(&self, bearer: Option<&str>, meta: &ClientMeta) -> Result<Caller, Refusal>;

    /// Runs a query or a mutation. The edge stops waiting after `operation_seconds` and drops the future: what must not
    /// be cut in half runs in a task of its own.
    async fn execute(&self, caller: &Caller, meta: &ClientMeta, request: Request) -> Response;

    /// Runs a subscription. Dropping the stream ends it.
    fn subscribe(&self, caller: &Caller, meta: &ClientMeta, request: Request) -> BoxStream<'static, Response>;

    /// The document that was kept under this SHA-256, in hexadecimal.
    async fn document(&self, hash: &str) -> Result<Option<Arc<str>>, Refusal>;

    /// Keeps a document whose hash was checked.
    async fn keep_document(&self, hash: &str, document: &str) -> Result<(), Refusal>;
}

/// Why nobody is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token is malformed, expired or revoked.
    Unauthenticated,
    /// It cannot be checked now.
    Unavailable,
}

/// Somebody who was admitted.
#[derive(Clone)]
pub struct Caller {
    /// Whose streams are counted together; `None` for a visitor.
    pub account: Option<String>,
    /// When the token runs out, and what it opened with it.
    pub expires_at: Option<DateTime<Utc>>,
    /// The engine's own; the transports do not look inside.
    pub viewer: Arc<dyn Any + Send + Sync>,
}

/// What is known of a request besides who is asking.
#[derive(Clone, Debug)]
pub struct ClientMeta {
    pub request_id: Arc<str>,
    pub address: Option<IpAddr>,
    pub language: Language,
    /// The last event that a returning stream saw.
    pub last_event_id: Option<String>,
}
