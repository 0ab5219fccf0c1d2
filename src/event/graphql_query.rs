//! How events are asked for: one, those that match, and what to offer while somebody types.

use super::{
    graphql::{EventCategory, EventNode},
    list,
    list::Filter,
};
use crate::{
    graphql::{
        ctx::Ctx,
        loaders::failed,
        page::{PageInfo, window},
        scalars::Won,
    },
    infra::search::Sort,
};
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{enums, ids::EventId};

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
