//! The one way to change a payment's status, and the log of what happened to it.

use super::model::{Step, transition};
use crate::{
    app::App,
    error::{Error, Result},
    infra::db::{insert, padded},
};
use chrono::{DateTime, Utc};
use entity::{
    enums::PaymentStatus,
    ids::{BookingId, PaymentId},
    payment::{Column, Entity, Model},
    payment_event,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use std::collections::HashSet;

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

/// Writes down what the provider took: what goes back is compared with it.
pub async fn took(txn: &impl ConnectionTrait, id: PaymentId, amount: i64) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::TakenAmount, Expr::value(amount));
    // It is taken once: what was known first stays.
    let first = update.filter(Column::Id.eq(id)).filter(Column::TakenAmount.is_null());
    let is_taken = [PaymentStatus::Approved, PaymentStatus::Canceling, PaymentStatus::Canceled];
    first.filter(Column::Status.is_in(is_taken)).exec(txn).await?;
    Ok(())
}

/// Appends to the log. Secrets are not given to it.
pub async fn log(
    txn: &impl ConnectionTrait,
    app: &App,
    payment_id: PaymentId,
    at: DateTime<Utc>,
    step: &str,
    detail: &str,
) -> Result<()> {
    let row = event(app, payment_id, at, step, detail);
    payment_event::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

fn event(app: &App, payment_id: PaymentId, at: DateTime<Utc>, step: &str, detail: &str) -> payment_event::ActiveModel {
    let row =
        payment_event::Model { id: app.ids.next(), payment_id, at, step: step.to_owned(), detail: detail.to_owned() };
    payment_event::ActiveModel::from(row).reset_all()
}

/// Closes the payment of a hold that is over. False if money may have been taken: then the hold stays until the
/// provider was asked.
pub async fn lapse(txn: &impl ConnectionTrait, app: &App, booking: BookingId) -> Result<bool> {
    Ok(lapse_all(txn, app, &[booking]).await?.is_empty())
}

/// The same for several. Answers those bookings for which money may have been taken.
pub async fn lapse_all(txn: &impl ConnectionTrait, app: &App, bookings: &[BookingId]) -> Result<HashSet<BookingId>> {
    let of = Column::BookingId.is_in(padded(bookings.iter().copied()));
    let payments = Entity::find().filter(of).order_by_asc(Column::Id).lock_exclusive().all(txn).await?;
    let (mut open, mut in_doubt) = (Vec::new(), HashSet::new());
    for payment in &payments {
        match payment.status {
            // No approve call was made, and without one the provider takes nothing.
            PaymentStatus::Pending | PaymentStatus::Ready => open.push(payment.id),
            PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Canceled => {}
            PaymentStatus::Approving | PaymentStatus::Approved | PaymentStatus::Canceling => {
                in_doubt.extend(payment.booking_id);
            }
        }
    }
    if !open.is_empty() {
        end(txn, app, &open).await?;
    }
    Ok(in_doubt)
}

/// `Lapse` for many, which are locked and open.
async fn end(txn: &impl ConnectionTrait, app: &App, ids: &[PaymentId]) -> Result<()> {
    let now = app.clock.now();
    let ended = Entity::update_many()
        .col_expr(Column::Status, Expr::value(PaymentStatus::Expired))
        .col_expr(Column::ChangedAt, Expr::value(now))
        .filter(Column::Id.is_in(padded(ids.iter().copied())))
        .filter(Column::Status.is_in([PaymentStatus::Pending, PaymentStatus::Ready]))
        .exec(txn)
        .await?;
    if u64::try_from(ids.len()) != Ok(ended.rows_affected) {
        return Err(Error::fault("payments changed under their locks"));
    }
    let step = format!("{:?}", Step::Lapse);
    let rows = ids.iter().map(|id| event(app, *id, now, &step, "the hold is over")).collect();
    Ok(insert(txn, rows).await?)
}

/// Marks the money of a booking that is being canceled to go back; a free booking has none.
pub async fn begin_cancel(txn: &impl ConnectionTrait, app: &App, booking: BookingId) -> Result<()> {
    match lock_of_booking(txn, booking).await? {
        Some(payment) => step(txn, app, &payment, Step::BeginCancel, "the booking is canceled").await.map(drop),
        None => Ok(()),
    }
}
