//! Reviews as the API shows them.

use super::query;
use crate::{
    attachment::{
        Owner,
        graphql::{AttachmentNode, attachments},
    },
    connection,
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
    },
    page::{Page, Window},
    user::graphql::UserNode,
};
use async_graphql::{Context, ID, Object, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{ids::EventId, review::Model};
use std::{collections::HashMap, sync::Arc};

/// What a holder says after the event.
#[derive(Clone, Debug)]
pub struct ReviewNode(pub Model);

/// What a holder says after the event.
#[Object(name = "Review")]
impl ReviewNode {
    /// `rev_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// From 1 to 5.
    async fn rating(&self) -> i32 {
        self.0.rating
    }
    /// 10 to 2,000 characters.
    async fn content(&self) -> &str {
        &self.0.content
    }
    /// Who wrote it; null if that cannot be read now.
    async fn author(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<UserNode>> {
        match ctx.loaders().load_one(self.0.user_id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// Pictures, in the author's order; at most 10.
    async fn attachments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AttachmentNode>> {
        attachments(ctx, Owner::Review(self.0.id)).await
    }
    /// How many people like it.
    async fn like_count(&self) -> i32 {
        self.0.like_count
    }
    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// A part of an event's reviews.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReviewsOf(pub EventId, pub Window);

impl Loader<ReviewsOf> for Batch {
    type Value = Page<Model>;
    type Error = Shared;

    async fn load(&self, keys: &[ReviewsOf]) -> Result<HashMap<ReviewsOf, Page<Model>>, Shared> {
        let mut events: HashMap<&Window, Vec<EventId>> = HashMap::new();
        for ReviewsOf(event, window) in keys {
            events.entry(window).or_default().push(*event);
        }
        let mut pages = HashMap::new();
        for (window, events) in events {
            let found = query::of_events(self.0.db.reads(), &events, window).await.map_err(Arc::new)?;
            pages.extend(found.into_iter().map(|(event, page)| (ReviewsOf(event, window.clone()), page)));
        }
        Ok(pages)
    }
}

connection!(ReviewConnection, ReviewEdge, ReviewNode, "reviews");
