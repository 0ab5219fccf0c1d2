//! The search index follows the database through the outbox.

use super::query;
use crate::{
    app::App,
    error::Result,
    infra::{
        jobs,
        jobs::{Job, Lane},
        search::{Change, EventDocument},
    },
    transaction, user,
};
use entity::{
    enums::EventStatus,
    event,
    ids::{EventId, TypedId, UserId},
    ticket_type,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

pub async fn enqueue(txn: &impl ConnectionTrait, app: &App, event_id: EventId) -> Result<()> {
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &IndexEvent { event_id }).await.map(drop)
}

/// The same unless one waits already, which will read what the caller knows to be committed.
pub async fn enqueue_once(app: &App, event_id: EventId) -> Result<()> {
    let job = IndexEvent { event_id };
    if jobs::is_waiting(app, &job).await? {
        return Ok(());
    }
    transaction!(app, txn => enqueue(txn, app, event_id).await)
}

/// The artist is called something else now. A new version, so that no document with the old name, read a moment before,
/// comes after it.
pub async fn renamed(txn: &impl ConnectionTrait, app: &App, artist: UserId) -> Result<()> {
    use event::Column;
    event::Entity::update_many()
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::ArtistId.eq(artist))
        .exec(txn)
        .await?;
    let select = event::Entity::find().select_only().column(Column::Id).filter(Column::ArtistId.eq(artist));
    let ids: Vec<EventId> = select.into_tuple().all(txn).await?;
    for id in ids {
        enqueue(txn, app, id).await?;
    }
    Ok(())
}

/// Brings one event's document up to date: what is in the database now, not what was at the time of the change.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexEvent {
    pub event_id: EventId,
}

impl Job for IndexEvent {
    const NAME: &'static str = "index_event";
    const LANE: Lane = Lane::Index;

    async fn run(self, app: &App) -> Result<()> {
        // Many may wait for the same; what is read now has them all.
        jobs::absorb(app, &self).await?;
        app.search.follow(changes(app, &[self.event_id])).await
    }
}

/// Rebuilds the index: for `spotlight reindex` beside a running server, which alone may write to its index.
#[derive(Debug, Serialize, Deserialize)]
pub struct RebuildIndex {}

impl Job for RebuildIndex {
    const NAME: &'static str = "rebuild_index";
    const LANE: Lane = Lane::Index;

    async fn run(self, app: &App) -> Result<()> {
        let count = reindex(app).await?;
        tracing::info!(count, "the index was rebuilt, as asked");
        Ok(())
    }
}

/// Asks the server that runs on this database to rebuild its index.
pub async fn ask_for_rebuild(app: &App) -> Result<()> {
    let now = app.clock.now();
    transaction!(app, txn => jobs::enqueue(txn, &app.ids, now, now, &RebuildIndex {}).await).map(drop)
}

async fn changes(app: &App, ids: &[EventId]) -> Result<Vec<Change>> {
    let db = app.db.reads();
    let events = query::by_ids(db, ids).await?;
    let artists: Vec<_> = events.values().map(|event| event.artist_id).collect();
    let artists = user::query::by_ids(db, &artists).await?;
    let ticket_types = query::ticket_types(db, ids).await?;
    let change = |id: &EventId| {
        let Some(event) = events.get(id).filter(|event| is_listed(event)) else {
            return Change::Delete(id.uuid());
        };
        let artist = artists.get(&event.artist_id).map(|artist| artist.nickname.clone()).unwrap_or_default();
        let own: Vec<_> = ticket_types.iter().filter(|row| row.event_id == *id).collect();
        Change::Upsert(Box::new(document(event, artist, &own)))
    };
    Ok(ids.iter().map(change).collect())
}

/// Neither canceled nor removed.
pub fn is_listed(event: &event::Model) -> bool {
    event.status == EventStatus::Scheduled && event.removed_at.is_none()
}

fn document(event: &event::Model, artist_name: String, ticket_types: &[&ticket_type::Model]) -> EventDocument {
    let remaining: i64 = ticket_types.iter().map(|row| i64::from(row.remaining)).sum();
    let capacity: i64 = ticket_types.iter().map(|row| i64::from(row.capacity)).sum();
    EventDocument {
        id: event.id.uuid(),
        title: event.title.clone(),
        content: event.content.clone(),
        venue_name: event.venue_name.clone(),
        venue_address: event.venue_address.clone(),
        artist_name,
        category: event.category.to_value(),
        starts_at: event.starts_at,
        ends_at: event.ends_at,
        booking_opens_at: event.booking_opens_at,
        booking_closes_at: event.booking_closes_at,
        lowest_price: event.lowest_price,
        highest_price: event.highest_price,
        remaining,
        booked: capacity - remaining,
        created_at: event.created_at,
        version: event.version,
    }
}

/// Rebuilds the index from the database with no gap in service: everything is written anew, then what the database no
/// longer shows is taken out.
pub async fn reindex(app: &App) -> Result<usize> {
    let rows = event::Entity::find().all(app.db.reads()).await?;
    let ids: Vec<EventId> = rows.iter().map(|row| row.id).collect();
    for part in ids.chunks(500) {
        app.search.follow(changes(app, part)).await?;
    }
    let known: HashSet<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut after = None;
    loop {
        let indexed = app.search.ids(after, 1_000).await?;
        let Some(last) = indexed.last().copied() else { break };
        after = Some(last);
        // Looked up once more: it may be gone, or have been published a moment ago.
        let unknown: Vec<EventId> = indexed.into_iter().filter(|id| !known.contains(id)).map(EventId::from).collect();
        if !unknown.is_empty() {
            app.search.follow(changes(app, &unknown)).await?;
        }
    }
    app.search.set_reindexed().await?;
    Ok(ids.len())
}
