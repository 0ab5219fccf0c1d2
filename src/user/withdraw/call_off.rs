//! An admin's override: what is open is called off instead of standing in the way. The refunds are the ordinary jobs, which
//! need nothing of what is erased.

use super::check;
use crate::{app::App, booking::refund::RefundBooking, error::Result, event, infra::jobs};
use entity::{enums::EventStatus, user};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Inside the transaction that erases: each event of theirs that has not ended is canceled, with all its refunds, and each
/// of their own open bookings is refunded. What has ended and is not settled stays as it is.
pub async fn call_off(txn: &impl ConnectionTrait, app: &App, user: &user::Model) -> Result<()> {
    use entity::event::{Column, Entity};
    let now = app.clock.now();
    let events = Entity::find()
        .filter(Column::ArtistId.eq(user.id))
        .filter(Column::Status.eq(EventStatus::Scheduled))
        .filter(Column::EndsAt.gt(now))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(txn)
        .await?;
    for row in events {
        event::cancel::call_off(txn, app, row).await?;
    }
    for booking_id in check::open_bookings(txn, now, user.id, None).await? {
        jobs::enqueue(txn, &app.ids, now, now, &RefundBooking { booking_id }).await?;
    }
    Ok(())
}
