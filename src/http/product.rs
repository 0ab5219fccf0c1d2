//! The product as the transports need it: the schema over [`App`].

use super::graphql::engine::{Caller, ClientMeta, EVENT_ID, Engine, Refusal};
use crate::{
    app::App,
    auth::session,
    error::Error,
    graphql::{Schema, ctx, loaders, schema},
    user::viewer::Viewer,
};
use async_graphql::{Request, Response, Value};
use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use std::{sync::Arc, time::Duration};

/// How long a persisted document is kept after it was sent.
const DOCUMENT_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

pub struct Product {
    app: App,
    schema: Schema,
}

impl Product {
    pub fn new(app: App) -> Self {
        Self { schema: schema(app.clone()), app }
    }

    fn furnish(&self, caller: &Caller, meta: &ClientMeta, request: Request) -> Request {
        let viewer = caller.viewer.downcast_ref::<Viewer>().cloned().unwrap_or_default();
        let about =
            ctx::Request { language: meta.language, address: meta.address, last_event_id: meta.last_event_id.clone() };
        request.data(viewer).data(about).data(loaders::loaders(self.app.clone()))
    }
}

#[async_trait]
impl Engine for Product {
    async fn admit(&self, bearer: Option<&str>, _meta: &ClientMeta) -> Result<Caller, Refusal> {
        let viewer = match bearer {
            None => Viewer::Visitor,
            Some(token) => session::admit(&self.app, token).await.map_err(|error| refusal(&error))?,
        };
        let member = viewer.member();
        let (account, expires_at) =
            (member.map(|member| member.id.to_string()), member.map(|member| member.expires_at));
        Ok(Caller { account, expires_at, viewer: Arc::new(viewer) })
    }

    async fn execute(&self, caller: &Caller, meta: &ClientMeta, request: Request) -> Response {
        self.schema.execute(self.furnish(caller, meta, request)).await
    }

    fn subscribe(&self, caller: &Caller, meta: &ClientMeta, request: Request) -> BoxStream<'static, Response> {
        let responses = self.schema.execute_stream(self.furnish(caller, meta, request));
        responses.map(with_event_id).boxed()
    }

    async fn document(&self, hash: &str) -> Result<Option<Arc<str>>, Refusal> {
        let kept = self.app.kv.get(&document_key(hash)).await;
        Ok(kept.map_err(|error| refusal(&error.into()))?.map(Arc::from))
    }

    async fn keep_document(&self, hash: &str, document: &str) -> Result<(), Refusal> {
        let kept = self.app.kv.set(&document_key(hash), document, Some(DOCUMENT_LIFE)).await;
        kept.map_err(|error| refusal(&error.into()))
    }
}

fn document_key(hash: &str) -> String {
    format!("document:{hash}")
}

fn refusal(error: &Error) -> Refusal {
    if matches!(error, Error::Unauthenticated) {
        return Refusal::Unauthenticated;
    }
    tracing::error!(%error, "the edge cannot be served");
    Refusal::Unavailable
}

/// The cursor of a feed's entry, so that a client that comes back says where it was.
fn with_event_id(response: Response) -> Response {
    let cursor = match &response.data {
        Value::Object(data) => data.values().next().and_then(|entry| match entry {
            Value::Object(entry) => entry.get("cursor").cloned(),
            _ => None,
        }),
        _ => None,
    };
    match cursor {
        Some(cursor) => response.extension(EVENT_ID, cursor),
        None => response,
    }
}
