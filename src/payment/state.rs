//! The one way to change a payment's status, and the log of what happened to it.

use super::model::{Step, transition};
use crate::{
    app::App,
    error::{Error, Result},
};
use chrono::{DateTime, Utc};
use entity::{
    enums::PaymentStatus,
    ids::{BookingId, PaymentId},
    payment::{Column, Entity, Model},
    payment_event,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

pub async fn lock(txn: &impl ConnectionTrait, id: PaymentId) -> Result<Model> {
    let row = Entity::find_by_id(id).lock_exclusive().one(txn).await?;
    row.ok_or_else(|| Error::not_found(&["paymentId"]))
}

pub async fn lock_of_booking(txn: &impl ConnectionTrait, id: BookingId) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::BookingId.eq(id)).lock_exclusive().one(txn).await?)
}

/// Moves it on, and writes why into the log; answers when. A step that does not lead anywhere, or a row that changed
/// meanwhile, is an error.
pub async fn step(
    txn: &impl ConnectionTrait,
    app: &App,
    payment: &Model,
    step: Step,
    detail: &str,
) -> Result<DateTime<Utc>> {
    let now = app.clock.now();
    let Some(next) = transition(payment.status, step) else {
        return Err(Error::fault(format!("{}: no {step:?} from {:?}", payment.id, payment.status)));
    };
    let mut update =
        Entity::update_many().col_expr(Column::Status, Expr::value(next)).col_expr(Column::ChangedAt, Expr::value(now));
    update = match next {
        PaymentStatus::Approved => update.col_expr(Column::ApprovedAt, Expr::value(now)),
        PaymentStatus::Canceled => update.col_expr(Column::CanceledAt, Expr::value(now)),
        PaymentStatus::Failed => {
            let reason: String = detail.chars().take(300).collect();
            update.col_expr(Column::Failure, Expr::value(reason))
        }
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approving
        | PaymentStatus::Canceling
        | PaymentStatus::Expired => update,
    };
    let changed = update.filter(Column::Id.eq(payment.id)).filter(Column::Status.eq(payment.status)).exec(txn).await?;
    if changed.rows_affected != 1 {
        return Err(Error::fault(format!("{} changed under its lock", payment.id)));
    }
    log(txn, app, payment.id, now, &format!("{step:?}"), detail).await?;
    Ok(now)
}

/// Appends to the log. Secrets are not given to it.
pub async fn log(
    txn: &impl ConnectionTrait,
    app: &App,
/// Writes down what the provider took: what goes back is compared with it.
pub async fn took(txn: &impl ConnectionTrait, id: PaymentId, amount: i64) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::TakenAmount, Expr::value(amount));
    // It is taken once: what was known first stays.
    let first = update.filter(Column::Id.eq(id)).filter(Column::TakenAmount.is_null());
    let is_taken = [PaymentStatus::Approved, PaymentStatus::Canceling, PaymentStatus::Canceled];
    first.filter(Column::Status.is_in(is_taken)).exec(txn).await?;
    Ok(())
}

    payment_id: PaymentId,
    at: DateTime<Utc>,
    step: &str,
    detail: &str,
) -> Result<()> {
    let row =
        payment_event::Model { id: app.ids.next(), payment_id, at, step: step.to_owned(), detail: detail.to_owned() };
    let row = payment_event::ActiveModel::from(row).reset_all();
    payment_event::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// Closes the payment of a hold that is over. False if money may have been taken: then the hold stays until the
/// provider was asked.
pub async fn lapse(txn: &impl ConnectionTrait, app: &App, booking: BookingId) -> Result<bool> {
    let Some(payment) = lock_of_booking(txn, booking).await? else { return Ok(true) };
    match payment.status {
        // No approve call was made, and without one the provider takes nothing.
        PaymentStatus::Pending | PaymentStatus::Ready => {
            step(txn, app, &payment, Step::Lapse, "the hold is over").await?;
            Ok(true)
        }
        PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Canceled => Ok(true),
        PaymentStatus::Approving | PaymentStatus::Approved | PaymentStatus::Canceling => Ok(false),
    }
}

/// Marks the money of a booking that is being canceled to go back; a free booking has none.
pub async fn begin_cancel(txn: &impl ConnectionTrait, app: &App, booking: BookingId) -> Result<()> {
    match lock_of_booking(txn, booking).await? {
        Some(payment) => step(txn, app, &payment, Step::BeginCancel, "the booking is canceled").await.map(drop),
        None => Ok(()),
    }
}
