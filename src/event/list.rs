//! `events`: from the search index; from the database, with less to offer, when the index is away.

use super::{index, query};
use crate::{
    app::App,
    error::Result,
    infra::search::{Facets, Highlight, Position, SearchQuery, Sort},
    page::{self, Key, Page, Window},
};
use chrono::{DateTime, Utc};
use entity::{
    enums::{EventCategory, EventStatus},
    event,
    ids::EventId,
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter};

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub text: Option<String>,
    pub categories: Vec<EventCategory>,
    pub place: Option<String>,
    pub starts_from: Option<DateTime<Utc>>,
    pub starts_until: Option<DateTime<Utc>>,
    pub price_min: Option<i64>,
    pub price_max: Option<i64>,
    pub bookable_only: bool,
}

/// A page of events, with what the index knows besides.
#[derive(Clone, Debug)]
pub struct Listing {
    pub page: Page<(event::Model, Option<Highlight>)>,
    pub total: Option<u64>,
    pub facets: Facets,
    pub is_degraded: bool,
}

pub async fn list(app: &App, filter: Filter, sort: Sort, window: &Window) -> Result<Listing> {
    let position = |key: Key| Position { key: key.at, id: key.id };
    let query = SearchQuery {
        text: filter.text.clone(),
        categories: filter.categories.iter().map(ActiveEnum::to_value).collect(),
        place: filter.place.clone(),
        // The past is not for sale: who looks for it says so with a date.
        starts_from: filter.starts_from.or_else(|| Some(app.clock.now())),
        starts_until: filter.starts_until,
        price_min: filter.price_min,
        price_max: filter.price_max,
        bookable_at: filter.bookable_only.then(|| app.clock.now()),
        sort,
        limit: window.size,
        after: window.after.map(position),
        before: window.before.map(position).or_else(|| window.is_backward.then(|| end(sort))),
    };
    let found = match app.search.query(&query).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "the search engine is away: listing from the database");
            return degraded(app, &filter, window).await;
        }
    };
    let ids: Vec<EventId> = found.hits.iter().map(|hit| EventId::from(hit.id)).collect();
    let mut rows = query::by_ids(app.db.reads(), &ids).await?;
    // The index is a moment behind: what was canceled since is left out here.
    let items = found.hits.into_iter().filter_map(|hit| {
        let row = rows.remove(&EventId::from(hit.id)).filter(index::is_listed)?;
        Some((Key { at: hit.position.key, id: hit.id }, (row, hit.highlight)))
    });
    let (has_next, has_previous) = if window.is_backward {
        (window.before.is_some(), found.has_more)
    } else {
        (found.has_more, window.after.is_some())
    };
    let page = Page { items: items.collect(), has_next, has_previous };
    Ok(Listing { page, total: Some(found.total), facets: found.facets, is_degraded: false })
}

/// Behind everything: what the last page stands in front of.
fn end(sort: Sort) -> Position {
    match sort {
        Sort::Soonest | Sort::Cheapest => Position { key: i64::MAX, id: uuid::Uuid::max() },
        Sort::Relevance | Sort::Newest | Sort::Dearest | Sort::MostBooked => {
            Position { key: i64::MIN, id: uuid::Uuid::nil() }
        }
    }
}

/// By the start, with the filters that columns can answer; no text, no facets.
async fn degraded(app: &App, filter: &Filter, window: &Window) -> Result<Listing> {
    let from = filter.starts_from.unwrap_or_else(|| app.clock.now());
    let mut select = event::Entity::find()
        .filter(event::Column::Status.eq(EventStatus::Scheduled))
        .filter(event::Column::RemovedAt.is_null())
        .filter(event::Column::StartsAt.gte(from));
    if let Some(until) = filter.starts_until {
        select = select.filter(event::Column::StartsAt.lt(until));
    }
    if !filter.categories.is_empty() {
        select = select.filter(event::Column::Category.is_in(filter.categories.iter().copied()));
    }
    let page = page::read(app.db.reads(), select, &query::by_start(), window).await?;
    let items = page.items.into_iter().map(|(key, row)| (key, (row, None))).collect();
    let page = Page { items, has_next: page.has_next, has_previous: page.has_previous };
    Ok(Listing { page, total: None, facets: Facets::default(), is_degraded: true })
}

/// Nothing to offer is a fine answer: while the index is away, nobody needs to hear of it.
pub async fn suggest(app: &App, prefix: &str, most: usize) -> Result<Vec<String>> {
    let found = app.search.suggest(prefix, most).await;
    match found {
        Ok(found) => Ok(found.into_iter().map(|suggestion| suggestion.text).collect()),
        Err(error) => {
            tracing::warn!(%error, "no suggestions");
            Ok(Vec::new())
        }
    }
}
