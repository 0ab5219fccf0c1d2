//! The product as the transports need it: the schema over [`App`].

use super::graphql::engine::{Bucket, Caller, Charge, ClientMeta, EVENT_ID, Engine, Lease, Refusal, Validation};
use crate::{
    app::App,
    auth::session,
    error::Error,
    graphql::{
        Schema, ctx,
        loaders::{self, Driver},
        scalars::{Date, Url, Won},
        schema, trusting_schema,
    },
    infra::{
        bucket,
        kv::{Counters, KvError, Shelf},
    },
    user::viewer::Viewer,
};
use async_graphql::{Request, Response, ScalarType, Value};
use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use std::{sync::Arc, time::Duration};

/// Persisted documents, by their hash. A client sends the text again once a day.
const DOCUMENTS: Shelf<String> = Shelf::new("document");
const DOCUMENT_LIFE: Duration = Duration::from_secs(24 * 3600);
/// The new ones of an hour, from whomever: with their life that bounds what strangers can make the store hold.
const NEW_DOCUMENTS: Counters = Counters::new("documents");
const HOUR: Duration = Duration::from_secs(3600);

pub struct Product {
    app: App,
    schema: Schema,
    /// The same for what is known to be valid.
    trusting: Schema,
    spare: bucket::Spare,
}

impl Product {
    pub fn new(app: App) -> Self {
        let trusting = trusting_schema(app.clone());
        Self { schema: schema(app.clone()), trusting, spare: bucket::Spare::default(), app }
    }

    async fn keep(&self, hash: &str, document: &str) -> Result<(), KvError> {
        let (kv, most) = (&self.app.kv, self.app.config.edge.documents_per_hour);
        let is_known = DOCUMENTS.get(kv, hash).await?.is_some();
        if !is_known && NEW_DOCUMENTS.count(kv, "new", most, HOUR).await?.is_counted {
            DOCUMENTS.set(kv, hash, &document.to_owned(), Some(DOCUMENT_LIFE)).await?;
        }
        Ok(())
    }

    fn furnish(&self, caller: &Caller, meta: &ClientMeta, charge: Charge, request: Request) -> (Request, Driver) {
        let viewer = caller.viewer.downcast_ref::<Viewer>().cloned().unwrap_or_default();
        let about = ctx::Request {
            language: meta.language,
            address: meta.address,
            last_event_id: meta.last_event_id.clone(),
            charge: ctx::Charge {
                cost: charge.cost,
                remaining: charge.remaining,
                capacity: charge.bucket.capacity,
                per_second: charge.bucket.per_second,
            },
        };
        let (loaders, driver) = loaders::loaders(self.app.clone());
        (request.data(viewer).data(about).data(loaders), driver)
    }
}

#[async_trait]
impl Engine for Product {
    async fn admit(&self, bearer: Option<&str>, _meta: &ClientMeta) -> Result<Caller, Refusal> {
        let viewer = match bearer {
            None => Viewer::Visitor,
            Some(token) => session::admit(&self.app, token).await.map_err(|error| refusal(&error))?,
        };
        let may_introspect = !self.app.config.is_production() || viewer.admin().is_ok();
        let (account, expires_at) = (viewer.account(), viewer.token().map(|token| token.expires_at));
        Ok(Caller { account, may_introspect, expires_at, viewer: Arc::new(viewer) })
    }

    async fn readmit(&self, caller: &Caller) -> Result<(), Refusal> {
        let Some(viewer) = caller.viewer.downcast_ref::<Viewer>() else { return Ok(()) };
        session::readmit(&self.app, viewer).await.map_err(|error| refusal(&error))
    }

    async fn execute(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        charge: Charge,
        request: Request,
        validation: Validation,
    ) -> Response {
        let (request, driver) = self.furnish(caller, meta, charge, request);
        let schema = match validation {
            Validation::Due => &self.schema,
            Validation::Done => &self.trusting,
        };
        driver.drive(schema.execute(request)).await
    }

    fn subscribe(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        charge: Charge,
        request: Request,
    ) -> BoxStream<'static, Response> {
        let (request, driver) = self.furnish(caller, meta, charge, request);
        driver.drive_stream(self.schema.execute_stream(request)).map(with_event_id).boxed()
    }

    fn sdl(&self) -> String {
        self.schema.sdl()
    }

    fn is_right(&self, scalar: &str, value: &Value) -> bool {
        match scalar {
            "Won" => Won::is_valid(value),
            "URL" => Url::is_valid(value),
            "Date" => Date::is_valid(value),
            _ => false,
        }
    }

    async fn lease(&self, holder: &str, Bucket { capacity, per_second }: Bucket, want: u64) -> Result<Lease, Refusal> {
        let size = bucket::Size { capacity, per_second };
        let taken = bucket::take(&self.app.kv, &*self.app.clock, holder, size, want).await;
        // While the store is away each node counts by itself: more in all, and never without a bound.
        let taken = taken.unwrap_or_else(|_| self.spare.take(&*self.app.clock, holder, size, want));
        Ok(Lease { granted: taken.granted, left: taken.left })
    }

    async fn document(&self, hash: &str) -> Result<Option<Arc<str>>, Refusal> {
        // Not found, if it cannot be looked for: the client then sends the text.
        Ok(DOCUMENTS.get(&self.app.kv, hash).await.ok().flatten().map(|kept| Arc::from(kept.value)))
    }

    async fn keep_document(&self, hash: &str, document: &str) -> Result<(), Refusal> {
        if let Err(error) = self.keep(hash, document).await {
            tracing::debug!(%error, "a document is not kept");
        }
        Ok(())
    }
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
