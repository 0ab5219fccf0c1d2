//! Reads of notifications, and of who is to be told.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use chrono::{DateTime, Utc};
use entity::{
    booking,
    enums::{BookingStatus, NotificationKind},
    ids::{EventId, NotificationId, TypedId, UserId},
    notification::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

/// Who holds valid tickets and had them by then.
pub async fn holders(db: &impl ConnectionTrait, event: EventId, by: DateTime<Utc>) -> Result<Vec<UserId>> {
    let users: Vec<UserId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .filter(booking::Column::EventId.eq(event))
        .filter(booking::Column::Status.eq(BookingStatus::Confirmed))
        .filter(booking::Column::ConfirmedAt.lte(by))
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    Ok(users)
}

/// Who had seats or tickets by then, and has them now.
pub async fn booked_before(db: &impl ConnectionTrait, event: EventId, by: DateTime<Utc>) -> Result<Vec<UserId>> {
    let users: Vec<UserId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .filter(booking::Column::EventId.eq(event))
        .filter(booking::Column::Status.is_in([BookingStatus::Held, BookingStatus::Confirmed]))
        .filter(booking::Column::CreatedAt.lte(by))
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    Ok(users)
}

/// Another's is simply not found.
pub async fn of(db: &impl ConnectionTrait, owner: UserId, id: NotificationId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?.filter(|row| row.user_id == owner))
}

/// What came after `seq`, in order.
pub async fn after(
    db: &impl ConnectionTrait,
    user: UserId,
    seq: i64,
    kinds: &[NotificationKind],
    most: u64,
) -> Result<Vec<Model>> {
    let mut select = Entity::find().filter(Column::UserId.eq(user)).filter(Column::Seq.gt(seq));
    if !kinds.is_empty() {
        select = select.filter(Column::Kind.is_in(kinds.iter().copied()));
    }
    Ok(select.order_by_asc(Column::Seq).limit(most).all(db).await?)
}

pub async fn page_of(
    db: &impl ConnectionTrait,
    user: UserId,
    unread_only: bool,
    window: &Window,
) -> Result<Page<Model>> {
    let sorting = Sorting {
        at: Some(Column::Seq),
        id: Column::Id,
        order: Order::Desc,
        key: |row: &Model| Key { at: row.seq, id: row.id.uuid() },
        value: Into::into,
    };
    let mut select = Entity::find().filter(Column::UserId.eq(user));
    if unread_only {
        select = select.filter(Column::ReadAt.is_null());
    }
    page::read(db, select, &sorting, window).await
}

pub async fn unread_count(db: &impl ConnectionTrait, user: UserId) -> Result<u64> {
    Ok(Entity::find().filter(Column::UserId.eq(user)).filter(Column::ReadAt.is_null()).count(db).await?)
}
