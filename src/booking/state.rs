//! The one way to change a booking's status: from the status that was read, or not at all.

use super::{
    hold,
    model::{Step, transition},
};
use crate::{
    error::{Error, Result},
    infra::db::padded,
};
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
    step_all(txn, booking.status, &[booking.id], step, now).await
}

/// The same for several that were all read in this status.
pub async fn step_all(
    txn: &impl ConnectionTrait,
    from: BookingStatus,
    ids: &[BookingId],
    step: Step,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(next) = transition(from, step) else {
        return Err(Error::fault(format!("{ids:?}: no {step:?} from {from:?}")));
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
    let these = Column::Id.is_in(padded(ids.iter().copied()));
    let changed = update.filter(these).filter(Column::Status.eq(from)).exec(txn).await?;
    hold::all(changed.rows_affected, ids.len(), "bookings changed under their locks")
}
