//! KakaoPay `cancel`: a payment that is `CANCELING` gives its money back, once.

use super::{model::Step, state};
use crate::{
    app::App,
    booking,
    error::{Error, Result},
    infra::kakaopay::{CallError, CancelRequest, Order},
    transaction,
};
use entity::{
    enums::{BookingStatus, PaymentStatus},
    ids::PaymentId,
    payment::Model,
};
use sea_orm::ConnectionTrait;

/// Asks what has gone back already, returns the rest, and closes what hung on it. An error leaves it `CANCELING`,
/// for the job that comes back to it.
pub async fn cancel(app: &App, payment: Model) -> Result<()> {
    let Some(tid) = payment.tid.clone() else { return Err(Error::fault("a payment that was taken has a tid")) };
    let order = app.provider.order(&tid).await.map_err(doubtful)?;
    let id = payment.id;
    if order.available > 0 {
        let amount = order.available;
        transaction!(app, txn => {
            state::log(txn, app, id, app.clock.now(), "CancelIntent", &amount.to_string()).await
        })?;
        let canceled = app.provider.cancel(&CancelRequest { tid, amount }).await.map_err(doubtful)?;
        if canceled.available != 0 {
            return Err(Error::fault(format!("{id}: {} won are still there after the cancel", canceled.available)));
        }
    } else if order.canceled_amount == 0 {
        return Err(nothing_taken(&order));
    }
    transaction!(app, txn => returned(txn, app, id).await)
}

fn doubtful(error: CallError) -> Error {
    Error::Unavailable(format!("kakaopay: {error}"))
}

fn nothing_taken(order: &Order) -> Error {
    Error::fault(format!("{}: to be canceled, but the provider took nothing ({:?})", order.tid, order.status))
}

/// The money is back: the booking it paid for is closed.
async fn returned(txn: &impl ConnectionTrait, app: &App, id: PaymentId) -> Result<()> {
    let peek = super::query::by_id(txn, id).await?.ok_or_else(|| Error::fault("no such payment"))?;
    let booking = match peek.booking_id {
        Some(id) => booking::state::lock(txn, id).await?,
        None => None,
    };
    let payment = state::lock(txn, id).await?;
    if payment.status != PaymentStatus::Canceling {
        return Ok(());
    }
    state::step(txn, app, &payment, Step::FinishCancel, "").await?;
    match booking {
        Some(booking) if booking.status == BookingStatus::Canceling => booking::refund::close(txn, app, &booking).await,
        _ => Ok(()),
    }
}
