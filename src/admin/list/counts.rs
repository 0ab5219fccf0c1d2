//! How many of something each of them has: one statement for a whole page.

use crate::error::Result;
use entity::{
    booking,
    enums::BookingStatus,
    event,
    ids::{EventId, UserId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;

pub async fn bookings_of(db: &impl ConnectionTrait, users: &[UserId]) -> Result<HashMap<UserId, i64>> {
    use booking::Column;
    let rows = booking::Entity::find()
        .select_only()
        .column(Column::UserId)
        .column_as(Column::Id.count(), "count")
        .filter(Column::UserId.is_in(users.iter().copied()))
        .group_by(Column::UserId)
        .into_tuple::<(UserId, i64)>();
    Ok(rows.all(db).await?.into_iter().collect())
}

pub async fn events_of(db: &impl ConnectionTrait, artists: &[UserId]) -> Result<HashMap<UserId, i64>> {
    use event::Column;
    let rows = event::Entity::find()
        .select_only()
        .column(Column::ArtistId)
        .column_as(Column::Id.count(), "count")
        .filter(Column::ArtistId.is_in(artists.iter().copied()))
        .group_by(Column::ArtistId)
        .into_tuple::<(UserId, i64)>();
    Ok(rows.all(db).await?.into_iter().collect())
}

/// Held, paid, or on their way back: neither canceled nor expired.
pub async fn open_bookings_of(db: &impl ConnectionTrait, events: &[EventId]) -> Result<HashMap<EventId, i64>> {
    use BookingStatus::{Canceling, Confirmed, Held};
    use booking::Column;
    let rows = booking::Entity::find()
        .select_only()
        .column(Column::EventId)
        .column_as(Column::Id.count(), "count")
        .filter(Column::EventId.is_in(events.iter().copied()))
        .filter(Column::Status.is_in([Held, Confirmed, Canceling]))
        .group_by(Column::EventId)
        .into_tuple::<(EventId, i64)>();
    Ok(rows.all(db).await?.into_iter().collect())
}
