//! KakaoPay `cancel`: a payment that is `CANCELING` gives its money back, once.

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
        kakaopay::{CallError, CancelRequest, Order},
    },
    notification::canceled::TellCanceled,
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
    let order = ask::order(app, &payment).await?;
    let order =
        order.ok_or_else(|| Error::fault(format!("{tid}: to be canceled, but the provider does not know it")))?;
    let (id, back) = (payment.id, order.canceled_amount.saturating_add(order.available));
    if order.available > 0 {
        let amount = order.available;
        transaction!(app, txn => {
            state::log(txn, app, id, app.clock.now(), "CancelIntent", &amount.to_string()).await
        })?;
        let request = CancelRequest { tid, amount };
        let canceled = app.provider.cancel(&request).await.map_err(doubtful)?;
        if (&canceled.tid, canceled.canceled_total, canceled.available) != (&request.tid, back, 0) {
            // Whatever that was: the next turn asks what has gone back, and returns the rest.
            return Err(Error::Unavailable(format!("kakaopay: {id} is to get {back} won back, not {canceled:?}")));
        }
    } else if order.canceled_amount == 0 {
        return Err(nothing_taken(&order));
    }
    transaction!(app, txn => returned(txn, app, id, back).await)
}

fn doubtful(error: CallError) -> Error {
    Error::Unavailable(format!("kakaopay: {error}"))
}

fn nothing_taken(order: &Order) -> Error {
    Error::fault(format!("{}: to be canceled, but the provider took nothing ({:?})", order.tid, order.status))
}

/// The money is back, all `amount` of it: the booking it paid for is closed, or was never made; its fan is told.
async fn returned(txn: &impl ConnectionTrait, app: &App, id: PaymentId, amount: i64) -> Result<()> {
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
    match locked {
        Locked::Booking(row) if row.status == BookingStatus::Canceling => booking::refund::close(txn, app, &row).await,
        Locked::Booking(row) => {
            jobs::enqueue(txn, &app.ids, now, now, &TellCanceled { booking_id: row.id }).await.map(drop)
        }
        // It was never credited: only what should not have been taken goes back.
        Locked::PointCharge => Ok(()),
    }
}
