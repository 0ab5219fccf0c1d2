//! Reads of reviews.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use entity::{
    ids::{EventId, TypedId},
    review::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter};
use std::collections::HashMap;

/// The same part of each event's list, newest first.
pub async fn of_events(
    db: &impl ConnectionTrait,
    events: &[EventId],
    window: &Window,
) -> Result<HashMap<EventId, Page<Model>>> {
    let sorting = Sorting {
        at: Some(Column::CreatedAt),
        id: Column::Id,
        order: Order::Desc,
        key: |row: &Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    let list = |event: &EventId| (*event, Entity::find().filter(Column::EventId.eq(*event)));
    page::read_many(db, events.iter().map(list).collect(), &sorting, window, |row: &Model| row.event_id).await
}
