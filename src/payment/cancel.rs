//! KakaoPay `cancel`: a payment that is `CANCELING` gives its money back, once, and all that was taken.

use super::{
    ask,
    model::Step,
    purpose::{self, Locked},
    state,
};
use crate::{
    app::App,
    booking,
    error::{Error, Result},
    infra::{
        jobs,
        kakaopay::{CallError, CancelRequest, Money, Order},
    },
    notification::{canceled::TellCanceled, charge_returned::TellChargeReturned},
    transaction,
};
use entity::{
    enums::{BookingStatus, PaymentStatus},
    ids::PaymentId,
    payment::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// Asks what has gone back already, returns the rest, and closes what hung on it. An error leaves it `CANCELING`,
/// for the job that comes back to it.
pub async fn cancel(app: &App, payment: Model) -> Result<()> {
    let Some(tid) = payment.tid.clone() else { return Err(Error::fault("a payment that was taken has a tid")) };
    let id = payment.id;
    let answer = ask::order(app, &payment).await?;
    let readable = answer.readable().and_then(|order| Some((order, taken(payment.taken_amount, order)?)));
    let Some((order, taken)) = readable else {
        return Err(in_doubt(app, id, "OrderDiffers", format!("{:?} was taken; {answer}", payment.taken_amount)).await);
    };
    if order.available > 0 {
        give_back(app, id, CancelRequest { tid, amount: order.available }, taken).await?;
    }
    transaction!(app, txn => returned(txn, app, id, taken).await)
}

/// What was taken, if the provider says the same as we have written down; an older version wrote nothing down.
pub(super) fn taken(written: Option<i64>, order: &Order) -> Option<i64> {
    match order.money() {
        Money::Taken { amount, .. } => written.is_none_or(|taken| taken == amount).then_some(amount),
        Money::NotYet | Money::Never | Money::Unreadable => None,
    }
}

/// The rest of it, so that `taken` has gone back in all.
async fn give_back(app: &App, id: PaymentId, request: CancelRequest, taken: i64) -> Result<()> {
    let amount = request.amount.to_string();
    transaction!(app, txn => state::log(txn, app, id, app.clock.now(), "CancelIntent", &amount).await)?;
    let (step, why) = match app.provider.cancel(&request).await {
        Ok(done) if (&done.tid, done.canceled_total, done.available) == (&request.tid, taken, 0) => return Ok(()),
        // Whatever that was: the next turn asks what has gone back, and returns the rest.
        Ok(done) => ("CancelInDoubt", format!("{taken} was to be back, not {done:?}")),
        Err(error @ (CallError::InDoubt(_) | CallError::Unreadable(_))) => ("CancelInDoubt", error.to_string()),
        Err(error @ CallError::Refused { .. }) => ("CancelRefused", error.to_string()),
        Err(error @ CallError::Unreachable(_)) => ("CancelUnsent", error.to_string()),
    };
    Err(in_doubt(app, id, step, why).await)
}

/// Written down, and an error for the job to come back.
async fn in_doubt(app: &App, id: PaymentId, step: &str, why: String) -> Error {
    let logged = transaction!(app, txn => state::log(txn, app, id, app.clock.now(), step, &why).await);
    logged.err().unwrap_or_else(|| Error::Unavailable(format!("kakaopay: {id} {step}: {why}")))
}

/// The money is back, all `amount` of it: the booking it paid for is closed, or was never made; its fan is told.
pub(super) async fn returned(txn: &impl ConnectionTrait, app: &App, id: PaymentId, amount: i64) -> Result<()> {
    let (locked, payment) = purpose::lock(txn, id).await?;
    if payment.status != PaymentStatus::Canceling {
        return Ok(());
    }
    let now = state::step(txn, app, &payment, Step::FinishCancel, &amount.to_string()).await?;
    Entity::update_many()
        .col_expr(Column::CanceledAmount, Expr::value(amount))
        .filter(Column::Id.eq(id))
        .exec(txn)
        .await?;
    state::took(txn, id, amount).await?;
    match locked {
        Locked::Booking(row) if row.status == BookingStatus::Canceling => booking::refund::close(txn, app, &row).await,
        Locked::Booking(row) => {
            jobs::enqueue(txn, &app.ids, now, now, &TellCanceled { booking_id: row.id }).await.map(drop)
        }
        // It was never credited: only what should not have been taken goes back.
        Locked::PointCharge => {
            jobs::enqueue(txn, &app.ids, now, now, &TellChargeReturned { payment_id: id }).await.map(drop)
        }
    }
}
