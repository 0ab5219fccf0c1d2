//! Events as the API shows them; how they are asked for is in `graphql_query`.

use crate::{
    attachment::{
        Owner,
        graphql::{AttachmentNode, attachments},
    },
    connection,
    error::Result,
    event::{model, query},
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
        page::window,
        scalars::Won,
    },
    review::graphql::{ReviewConnection, ReviewNode, ReviewsOf},
    user::graphql::UserNode,
};
use async_graphql::{Context, Enum, ID, Object, SimpleObject, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{enums, event::Model, ids::EventId, ticket_type};
use std::{collections::HashMap, sync::Arc};

/// What kind of event it is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::EventCategory")]
pub enum EventCategory {
    /// Exhibitions, drawing, sculpture.
    Art,
    /// Meetings and talks.
    Community,
    /// Classical and staged concerts.
    Concert,
    /// Screenings.
    Movie,
    /// Bands and singers.
    Music,
    /// Something to learn with one's hands.
    Workshop,
}

/// Where an event stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// Called off; everybody is refunded.
    Canceled,
    /// Over.
    Ended,
    /// To come, or going on.
    Scheduled,
}

/// Where it takes place.
#[derive(SimpleObject)]
pub struct Venue {
    /// What people call it.
    pub name: String,
    /// How to get there.
    pub address: String,
}

/// A performance or an exhibition.
#[derive(Clone, Debug)]
pub struct EventNode(pub Model);

/// A performance or an exhibition.
#[Object(name = "Event")]
impl EventNode {
    /// `evt_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// 1 to 100 characters.
    async fn title(&self) -> &str {
        &self.0.title
    }
    /// Markdown.
    async fn content(&self) -> &str {
        &self.0.content
    }
    /// Where it takes place.
    async fn venue(&self) -> Venue {
        Venue { name: self.0.venue_name.clone(), address: self.0.venue_address.clone() }
    }
    /// What kind of event it is.
    async fn category(&self) -> EventCategory {
        self.0.category.into()
    }
    /// Where it stands now.
    async fn status(&self, ctx: &Context<'_>) -> EventStatus {
        match self.0.status {
            enums::EventStatus::Canceled => EventStatus::Canceled,
            enums::EventStatus::Scheduled if self.0.ends_at <= ctx.app().clock.now() => EventStatus::Ended,
            enums::EventStatus::Scheduled => EventStatus::Scheduled,
        }
    }
    /// When it begins.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }
    /// When it is over.
    async fn ends_at(&self) -> DateTime<Utc> {
        self.0.ends_at
    }
    /// When booking opens.
    async fn booking_opens_at(&self) -> DateTime<Utc> {
        self.0.booking_opens_at
    }
    /// When booking closes.
    async fn booking_closes_at(&self) -> DateTime<Utc> {
        self.0.booking_closes_at
    }
    /// Until when a booking can be canceled with a full refund.
    async fn cancelable_until(&self) -> DateTime<Utc> {
        self.0.cancelable_until
    }
    /// Who made it; null if that cannot be read now.
    async fn artist(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<UserNode>> {
        match ctx.loaders().load_one(self.0.artist_id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// In the artist's order.
    async fn ticket_types(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<TicketTypeNode>> {
        Ok(types(ctx, self.0.id).await?.into_iter().map(TicketTypeNode).collect())
    }
    /// The cheapest ticket's price.
    async fn lowest_price(&self) -> Won {
        Won(self.0.lowest_price)
    }
    /// The dearest ticket's price.
    async fn highest_price(&self) -> Won {
        Won(self.0.highest_price)
    }
    /// Seats of all ticket types.
    async fn capacity(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        Ok(types(ctx, self.0.id).await?.iter().map(|row| row.capacity).sum())
    }
    /// Seats left of all ticket types.
    async fn remaining(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        Ok(types(ctx, self.0.id).await?.iter().map(|row| row.remaining).sum())
    }
    /// Whether the booking window is open and seats are left.
    async fn is_bookable(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        let now = ctx.app().clock.now();
        let is_open = model::is_open(self.0.status, self.0.booking_opens_at, self.0.booking_closes_at, now);
        Ok(is_open && types(ctx, self.0.id).await?.iter().any(|row| row.remaining > 0))
    }
    /// Pictures and programmes, in the artist's order; at most 10.
    async fn attachments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AttachmentNode>> {
        attachments(ctx, Owner::Event(self.0.id)).await
    }
    /// What holders say, newest first.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<ReviewConnection> {
        let window = window(first, after, last, before)?;
        let page = ctx.loaders().load_one(ReviewsOf(self.0.id, window)).await.map_err(|error| failed(&error))?;
        let page = page.ok_or_else(|| crate::Error::fault("each event has its page"))?;
        Ok(ReviewConnection::of(page, ReviewNode))
    }
    /// From 1 to 5; null without reviews.
    async fn rating_average(&self) -> Option<f64> {
        crate::review::model::average(self.0.rating_sum, self.0.review_count)
    }
    /// How many reviews there are.
    async fn review_count(&self) -> i32 {
        self.0.review_count
    }
}

/// A price and a number of seats.
#[derive(Clone, Debug)]
pub struct TicketTypeNode(pub ticket_type::Model);

/// A price and a number of seats.
#[Object(name = "TicketType")]
impl TicketTypeNode {
    /// `ttp_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What the artist calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// For one seat.
    async fn price(&self) -> Won {
        Won(self.0.price)
    }
    /// Seats in all.
    async fn capacity(&self) -> i32 {
        self.0.capacity
    }
    /// Seats left.
    async fn remaining(&self) -> i32 {
        self.0.remaining
    }
    /// The most that one person may hold; null if there is no such limit.
    async fn per_person_limit(&self) -> Option<i32> {
        self.0.per_person_limit
    }
}

async fn types(ctx: &Context<'_>, id: EventId) -> async_graphql::Result<Vec<ticket_type::Model>> {
    let found = ctx.loaders().load_one(TypesOf(id)).await;
    found.map(Option::unwrap_or_default).map_err(|error| failed(&error))
}

/// The key of an event's ticket types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypesOf(EventId);

impl Loader<TypesOf> for Batch {
    type Value = Vec<ticket_type::Model>;
    type Error = Shared;

    async fn load(&self, keys: &[TypesOf]) -> Result<HashMap<TypesOf, Self::Value>, Shared> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let rows = query::ticket_types(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        let mut found: HashMap<TypesOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(TypesOf(row.event_id)).or_default().push(row);
        }
        Ok(found)
    }
}

impl Loader<EventId> for Batch {
    type Value = EventNode;
    type Error = Shared;

    async fn load(&self, keys: &[EventId]) -> Result<HashMap<EventId, EventNode>, Shared> {
        let rows = query::by_ids(self.0.db.reads(), keys).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|(id, row)| (id, EventNode(row))).collect())
    }
}

connection!(OwnEventConnection, OwnEventEdge, EventNode, "an artist's own events");
