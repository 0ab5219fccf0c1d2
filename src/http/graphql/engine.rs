//! What the transports need of the product, and nothing else of it: who is asking, and running an operation for them.
//!
//! The product implements [`Engine`] in `http/product.rs`.

use crate::language::Language;
use async_graphql::{Request, Response, Value};
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

    /// Whether who was admitted before still would be. Asked for each operation of what outlives its request, and at each
    /// heartbeat of what is open.
    async fn readmit(&self, caller: &Caller) -> Result<(), Refusal>;

    /// Runs a query or a mutation. The edge stops waiting after `operation_seconds` and drops the future: what must not
    /// be cut in half runs in a task of its own.
    async fn execute(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        charge: Charge,
        request: Request,
        validation: Validation,
    ) -> Response;

    /// Runs a subscription. Dropping the stream ends it.
    fn subscribe(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        charge: Charge,
        request: Request,
    ) -> BoxStream<'static, Response>;

    /// The schema's text, from which costs are read.
    fn sdl(&self) -> String;

    /// True if this scalar of the schema's own takes the value; false does not say that it refuses it.
    fn is_right(&self, scalar: &str, value: &Value) -> bool;

    /// Takes up to `want` points out of the bucket of `holder`; what is left in it comes back too.
    async fn lease(&self, holder: &str, bucket: Bucket, want: u64) -> Result<Lease, Refusal>;

    /// The document that was kept under this SHA-256, in hexadecimal.
    async fn document(&self, hash: &str) -> Result<Option<Arc<str>>, Refusal>;

    /// Keeps a document whose hash was checked.
    async fn keep_document(&self, hash: &str, document: &str) -> Result<(), Refusal>;
}

/// Whether an operation is to be validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    Due,
    /// The same document has passed, and the variables can be nothing but right.
    Done,
}

/// A bucket of points: full at first, and filled again as time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub capacity: u64,
    pub per_second: u64,
}

/// What came out of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    pub granted: u64,
    /// Still in it.
    pub left: u64,
}

/// What an operation was charged, and what the caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    pub cost: u64,
    pub remaining: u64,
    pub bucket: Bucket,
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
    /// Whether the schema is open to them.
    pub may_introspect: bool,
    /// When the token runs out, and what it opened with it.
    pub expires_at: Option<DateTime<Utc>>,
    /// The engine's own; the transports do not look inside.
    pub viewer: Arc<dyn Any + Send + Sync>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("account", &self.account).finish_non_exhaustive()
    }
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
