//! What the GraphQL edge is compared with: an axum handler for each question, that runs the same statements on the same
//! pool and writes its JSON by hand. No document, no limits, no log, no request id.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use entity::{
    event,
    ids::{EventId, UserId},
    ticket_type, user,
};
use serde::Serialize;
use spotlight::{
    app::App,
    error::Result,
    event::query,
    infra::search::{SearchQuery, Sort},
    review, user as people,
};
use std::{collections::HashMap, sync::Arc};

/// The app, and a page of events that is known beforehand.
#[derive(Clone, Debug)]
pub struct Bare {
    pub app: App,
    pub page: Arc<[EventId]>,
}

pub fn router(bare: Bare) -> Router {
    Router::new()
        .route("/event/{id}", get(one))
        .route("/page", get(page))
        .route("/search", get(search))
        .with_state(bare)
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

#[derive(Serialize)]
struct One<'a> {
    event: Event<'a>,
}

#[derive(Serialize)]
struct Many<'a> {
    events: Nodes<'a>,
}

#[derive(Serialize)]
struct Nodes<'a> {
    nodes: Vec<Event<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    id: String,
    title: &'a str,
    category: entity::enums::EventCategory,
    venue: Venue<'a>,
    starts_at: String,
    ends_at: String,
    lowest_price: i64,
    artist: Option<Artist<'a>>,
    ticket_types: Vec<TicketType<'a>>,
    rating_average: Option<f64>,
    review_count: i32,
}

#[derive(Serialize)]
struct Venue<'a> {
    name: &'a str,
    address: &'a str,
}

#[derive(Serialize)]
struct Artist<'a> {
    id: String,
    nickname: &'a str,
}

#[derive(Serialize)]
struct TicketType<'a> {
    id: String,
    name: &'a str,
    price: i64,
    capacity: i32,
    remaining: i32,
}

/// The same as a GraphQL document.
pub const FIELDS: &str = "id title category venue { name address } startsAt endsAt lowestPrice \
     artist { id nickname } ticketTypes { id name price capacity remaining } ratingAverage reviewCount";

async fn one(State(bare): State<Bare>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<EventId>() else { return StatusCode::NOT_FOUND.into_response() };
    answer(rows(&bare.app, &[id]).await, |rows| {
        let event = rows.events(&[id]).into_iter().next()?;
        serde_json::to_string(&Data { data: One { event } }).ok()
    })
}

async fn page(State(bare): State<Bare>) -> Response {
    list(rows(&bare.app, &bare.page).await, &bare.page)
}

async fn search(State(bare): State<Bare>) -> Response {
    let Some(page) = found(&bare.app).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    list(rows(&bare.app, &page).await, &page)
}

/// The next twenty events, from the index.
pub async fn found(app: &App) -> Option<Vec<EventId>> {
    let query = SearchQuery {
        text: None,
        categories: Vec::new(),
        place: None,
        starts_from: Some(app.clock.now()),
        starts_until: None,
        price_min: None,
        price_max: None,
        bookable_at: None,
        sort: Sort::Soonest,
        limit: 20,
        after: None,
        before: None,
    };
    Some(app.search.query(&query).await.ok()?.hits.into_iter().map(|hit| hit.id.into()).collect())
}

fn list(rows: Result<Rows>, ids: &[EventId]) -> Response {
    answer(rows, |rows| serde_json::to_string(&Data { data: Many { events: Nodes { nodes: rows.events(ids) } } }).ok())
}

fn answer(rows: Result<Rows>, write: impl FnOnce(&Rows) -> Option<String>) -> Response {
    match rows.ok().and_then(|rows| write(&rows)) {
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

struct Rows {
    events: HashMap<EventId, event::Model>,
    artists: HashMap<UserId, user::Model>,
    types: HashMap<EventId, Vec<ticket_type::Model>>,
}

/// The statements of the loaders, the last two at once as they run them.
async fn rows(app: &App, ids: &[EventId]) -> Result<Rows> {
    let db = app.db.reads();
    let events = query::by_ids(db, ids).await?;
    let mut artists: Vec<UserId> = events.values().map(|row| row.artist_id).collect();
    artists.sort_unstable();
    artists.dedup();
    let (artists, rows) = futures_util::try_join!(people::query::by_ids(db, &artists), query::ticket_types(db, ids))?;
    let mut types: HashMap<EventId, Vec<ticket_type::Model>> = HashMap::new();
    for row in rows {
        types.entry(row.event_id).or_default().push(row);
    }
    Ok(Rows { events, artists, types })
}

impl Rows {
    fn events(&self, ids: &[EventId]) -> Vec<Event<'_>> {
        ids.iter().filter_map(|id| self.events.get(id)).map(|row| self.event(row)).collect()
    }

    fn event<'a>(&'a self, row: &'a event::Model) -> Event<'a> {
        Event {
            id: row.id.to_string(),
            title: &row.title,
            category: row.category,
            venue: Venue { name: &row.venue_name, address: &row.venue_address },
            starts_at: row.starts_at.to_rfc3339(),
            ends_at: row.ends_at.to_rfc3339(),
            lowest_price: row.lowest_price,
            artist: self
                .artists
                .get(&row.artist_id)
                .map(|artist| Artist { id: artist.id.to_string(), nickname: &artist.nickname }),
            ticket_types: self.types.get(&row.id).into_iter().flatten().map(ticket_type).collect(),
            rating_average: review::model::average(row.rating_sum, row.review_count),
            review_count: row.review_count,
        }
    }
}

fn ticket_type(row: &ticket_type::Model) -> TicketType<'_> {
    TicketType {
        id: row.id.to_string(),
        name: &row.name,
        price: row.price,
        capacity: row.capacity,
        remaining: row.remaining,
    }
}
