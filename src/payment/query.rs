//! Reads of payments.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use entity::{
    ids::{BookingId, PaymentId, TypedId, UserId},
    payment::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder};

pub async fn by_id(db: &impl ConnectionTrait, id: PaymentId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[PaymentId]) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::Id.is_in(ids.iter().copied())).order_by_asc(Column::Id).all(db).await?)
}

/// Another's payment is simply not found.
pub async fn of(db: &impl ConnectionTrait, owner: UserId, id: PaymentId) -> Result<Option<Model>> {
    Ok(by_id(db, id).await?.filter(|row| row.user_id == owner))
}

pub async fn of_booking(db: &impl ConnectionTrait, id: BookingId) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::BookingId.eq(id)).one(db).await?)
}

pub async fn of_bookings(db: &impl ConnectionTrait, ids: &[BookingId]) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::BookingId.is_in(ids.iter().copied())).all(db).await?)
}

pub async fn page_of(db: &impl ConnectionTrait, owner: UserId, window: &Window) -> Result<Page<Model>> {
    let sorting = Sorting {
        at: Some(Column::CreatedAt),
        id: Column::Id,
        order: Order::Desc,
        key: |row: &Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, Entity::find().filter(Column::UserId.eq(owner)), &sorting, window).await
}
