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

pub async fn of_event(db: &impl ConnectionTrait, event: EventId, window: &Window) -> Result<Page<Model>> {
    let sorting = Sorting {
        at: Column::CreatedAt,
        id: Column::Id,
        order: Order::Desc,
        key: |row: &Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, Entity::find().filter(Column::EventId.eq(event)), &sorting, window).await
}
