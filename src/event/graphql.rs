//! Events as the API shows them: types and queries.

use crate::{
    attachment::{
        Owner,
        graphql::{AttachmentNode, attachments},
    },
    connection,
    error::Result,
    event::{list, list::Filter, model, query},
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
        page::{PageInfo, window},
        scalars::Won,
    },
    infra::search::Sort,
    review::graphql::{ReviewConnection, ReviewNode, ReviewsOf},
    user::graphql::UserNode,
};
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject, dataloader::Loader};
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

/// The order of a list of events.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSort {
    /// The lowest price first.
    Cheapest,
    /// The highest price first.
    Dearest,
    /// The most seats taken first.
    MostBooked,
    /// The latest published first.
    Newest,
    /// The best match first; without a text, as `SOONEST`.
    Relevance,
    /// The next to start first.
    Soonest,
}

impl From<EventSort> for Sort {
    fn from(sort: EventSort) -> Self {
        match sort {
            EventSort::Cheapest => Self::Cheapest,
            EventSort::Dearest => Self::Dearest,
            EventSort::MostBooked => Self::MostBooked,
            EventSort::Newest => Self::Newest,
            EventSort::Relevance => Self::Relevance,
            EventSort::Soonest => Self::Soonest,
        }
    }
}

/// Which events; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct EventFilter {
    /// Any of these.
    pub categories: Option<Vec<EventCategory>>,
    /// A part of the venue's name or address, such as a district.
    pub place: Option<String>,
    /// Starting at this moment or later; now, if it is left out.
    pub starts_from: Option<DateTime<Utc>>,
    /// Starting before this moment.
    pub starts_until: Option<DateTime<Utc>>,
    /// Some ticket costs at least this.
    pub price_min: Option<Won>,
    /// Some ticket costs at most this.
    pub price_max: Option<Won>,
    /// True: only what can be booked now, the window open and seats left.
    pub is_bookable: Option<bool>,
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

/// A page of found events.
#[derive(SimpleObject)]
pub struct EventConnection {
    /// The page's events with their cursors.
    pub edges: Vec<EventEdge>,
    /// The page's events alone.
    pub nodes: Vec<EventNode>,
    /// Where the page stands in the list.
    pub page_info: PageInfo,
    /// How many match; null while the answer is degraded.
    pub total_count: Option<i32>,
    /// How many of what kind match.
    pub facets: EventFacets,
    /// True while the search engine is away: listed from the database, by start, without text search.
    pub is_degraded: bool,
}

/// One found event.
#[derive(SimpleObject)]
pub struct EventEdge {
    /// Give it as `after` or `before`.
    pub cursor: String,
    /// The event.
    pub node: EventNode,
    /// Where the text was found; null without a text.
    pub highlight: Option<EventHighlight>,
}

/// Snippets with the found parts in `<em>`; everything else is HTML-escaped.
#[derive(SimpleObject)]
pub struct EventHighlight {
    /// In the title; null if it is not there.
    pub title: Option<String>,
    /// In the content; null if it is not there.
    pub content: Option<String>,
}

/// Counts over everything that matches.
#[derive(SimpleObject)]
pub struct EventFacets {
    /// By category; categories without a match are left out.
    pub categories: Vec<CategoryCount>,
}

/// How many events of a category match.
#[derive(SimpleObject)]
pub struct CategoryCount {
    /// Which.
    pub category: EventCategory,
    /// How many.
    pub count: i32,
}

/// Something to offer while one types.
#[derive(SimpleObject)]
pub struct EventSuggestion {
    /// What to search for.
    pub text: String,
}

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// An event by its id; null if there is none. Canceled ones say so in `status`.
    async fn event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`evt_…`")] id: ID,
    ) -> Option<async_graphql::Result<EventNode>> {
        let id: EventId = id.parse().ok()?;
        match ctx.loaders().load_one(id).await {
            Ok(found) => found.filter(|event: &EventNode| event.0.removed_at.is_none()).map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }

    /// Events to come that match. The text finds parts of words in title, content, venue and artist, with other
    /// spacing, with small typos, and by initial consonants (ㅅㄱㅈ finds 소극장).
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for; everything, if it is left out.")] query: Option<String>,
        #[graphql(desc = "What must hold of each.")] filter: Option<EventFilter>,
        #[graphql(default_with = "EventSort::Soonest", desc = "In which order.")] sort: EventSort,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<EventConnection> {
        let window = window(first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let filter = Filter {
            text: query.filter(|text| !text.trim().is_empty()),
            categories: filter.categories.unwrap_or_default().into_iter().map(Into::into).collect(),
            place: filter.place.filter(|text| !text.trim().is_empty()),
            starts_from: filter.starts_from,
            starts_until: filter.starts_until,
            price_min: filter.price_min.map(|won| won.0),
            price_max: filter.price_max.map(|won| won.0),
            bookable_only: filter.is_bookable.unwrap_or_default(),
        };
        Ok(connection(list::list(ctx.app(), filter, sort.into(), &window).await?))
    }

    /// What to offer while somebody types: titles, artists and venues, by their beginning or their initial consonants.
    async fn event_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was typed so far.")] prefix: String,
        #[graphql(default = 8, desc = "At most so many; 20 is the most.")] first: i32,
    ) -> async_graphql::Result<Vec<EventSuggestion>> {
        let first = usize::try_from(first.clamp(0, 20)).unwrap_or(8);
        let found = list::suggest(ctx.app(), &prefix, first).await?;
        Ok(found.into_iter().map(|text| EventSuggestion { text }).collect())
    }
}

fn connection(listing: list::Listing) -> EventConnection {
    let edges: Vec<EventEdge> = listing
        .page
        .items
        .into_iter()
        .map(|(key, (row, highlight))| EventEdge {
            cursor: key.encode(),
            node: EventNode(row),
            highlight: highlight.map(|found| EventHighlight { title: found.title, content: found.content }),
        })
        .collect();
    let count = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    EventConnection {
        nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
        page_info: PageInfo {
            has_next_page: listing.page.has_next,
            has_previous_page: listing.page.has_previous,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        },
        edges,
        total_count: listing.total.map(count),
        facets: EventFacets {
            categories: listing
                .facets
                .categories
                .into_iter()
                .filter_map(|(name, number)| {
                    let category: enums::EventCategory = category_named(&name)?;
                    Some(CategoryCount { category: category.into(), count: count(number) })
                })
                .collect(),
        },
        is_degraded: listing.is_degraded,
    }
}

fn category_named(name: &str) -> Option<enums::EventCategory> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}
