//! Reads of events and ticket types.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use entity::{
    event,
    ids::{EventId, TicketTypeId, TypedId, UserId},
    ticket_type,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

pub async fn by_id(db: &impl ConnectionTrait, id: EventId) -> Result<Option<event::Model>> {
    Ok(event::Entity::find_by_id(id).one(db).await?)
}

/// As everybody may see it: what an admin removed is not there.
pub async fn public(db: &impl ConnectionTrait, id: EventId) -> Result<Option<event::Model>> {
    Ok(by_id(db, id).await?.filter(|row| row.removed_at.is_none()))
}

/// Shared, so that buyers do not wait for each other here, and a cancellation waits for them all.
pub async fn lock_shared(txn: &impl ConnectionTrait, id: EventId) -> Result<Option<event::Model>> {
    Ok(event::Entity::find_by_id(id).lock_shared().one(txn).await?)
}

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[EventId]) -> Result<HashMap<EventId, event::Model>> {
    let rows = event::Entity::find().filter(event::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// In the artist's order.
pub async fn ticket_types(db: &impl ConnectionTrait, events: &[EventId]) -> Result<Vec<ticket_type::Model>> {
    let rows = ticket_type::Entity::find()
        .filter(ticket_type::Column::EventId.is_in(events.iter().copied()))
        .order_by_asc(ticket_type::Column::EventId)
        .order_by_asc(ticket_type::Column::Position)
        .all(db)
        .await?;
    Ok(rows)
}

pub async fn ticket_types_by_ids(db: &impl ConnectionTrait, ids: &[TicketTypeId]) -> Result<Vec<ticket_type::Model>> {
    Ok(ticket_type::Entity::find().filter(ticket_type::Column::Id.is_in(ids.iter().copied())).all(db).await?)
}

/// As everybody may see it: gone with its event.
pub async fn public_ticket_type(db: &impl ConnectionTrait, id: TicketTypeId) -> Result<Option<ticket_type::Model>> {
    let Some(row) = ticket_type::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    Ok(public(db, row.event_id).await?.map(|_| row))
}

/// By the start; the order of lists that do not come from the search index.
pub fn by_start() -> Sorting<event::Column, event::Model> {
    Sorting {
        at: Some(event::Column::StartsAt),
        id: event::Column::Id,
        order: Order::Asc,
        key: |row| Key { at: page::moment(row.starts_at), id: row.id.uuid() },
        value: page::moment_value,
    }
}

/// An artist's own events, canceled ones too.
pub async fn of_artist(db: &impl ConnectionTrait, artist: UserId, window: &Window) -> Result<Page<event::Model>> {
    let select = event::Entity::find().filter(event::Column::ArtistId.eq(artist));
    page::read(db, select, &by_start(), window).await
}
