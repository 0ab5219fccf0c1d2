//! The one way to change a booking's status: from the status that was read, or not at all.

use super::model::{Step, transition};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::{
    booking::{Column, Entity, Model},
    enums::BookingStatus,
    ids::BookingId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

/// The booking, locked until the transaction ends.
pub async fn lock(txn: &impl ConnectionTrait, id: BookingId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(txn).await?)
}

/// Moves it on; a step that does not lead anywhere, or a row that changed meanwhile, is an error.
pub async fn step(txn: &impl ConnectionTrait, booking: &Model, step: Step, now: DateTime<Utc>) -> Result<()> {
    let Some(next) = transition(booking.status, step) else {
        return Err(Error::fault(format!("{}: no {step:?} from {:?}", booking.id, booking.status)));
    };
    let mut update = Entity::update_many()
        .col_expr(Column::Status, Expr::value(next))
        .col_expr(Column::ExpiresAt, Expr::value(None::<DateTime<Utc>>));
    update = match next {
        BookingStatus::Confirmed => update
            .col_expr(Column::ConfirmedAt, Expr::value(now))
            .col_expr(Column::ClosedAt, Expr::value(None::<DateTime<Utc>>)),
        BookingStatus::Canceled | BookingStatus::Expired => update.col_expr(Column::ClosedAt, Expr::value(now)),
        BookingStatus::Held | BookingStatus::Canceling => update,
    };
    let changed = update.filter(Column::Id.eq(booking.id)).filter(Column::Status.eq(booking.status)).exec(txn).await?;
    if changed.rows_affected == 1 {
        Ok(())
    } else {
        Err(Error::fault(format!("{} changed under its lock", booking.id)))
    }
}
