//! The money for a booking is here: it is confirmed, or, if there is nothing to sell for it any more, the money goes back.

use super::{confirm, hold_again, model, query, release, state};
use crate::{
    app::App,
    error::{Error, Result},
    event,
    infra::jobs,
    notification::changed::TellMoved,
    payment::{self, model::Step, reconcile::ReconcilePayment},
};
use entity::{
    booking,
    enums::{BookingStatus, EventStatus},
    event::Model as Event,
    ids::{BookingId, PaymentId},
};
use sea_orm::ConnectionTrait;

pub async fn paid(
    txn: &impl ConnectionTrait,
    app: &App,
    id: BookingId,
    payment: PaymentId,
    detail: &str,
) -> Result<()> {
    let peek = query::by_id(txn, id).await?.ok_or_else(|| Error::fault("no such booking"))?;
    // The event first: its cancellation waits until this sale is there for it to see, or is seen here.
    let event = event::query::lock_shared(txn, peek.event_id).await?;
    let booking = state::lock(txn, id).await?.ok_or_else(|| Error::fault("no such booking"))?;
    let payment = payment::state::lock(txn, payment).await?;
    if !payment::model::may_be_taken(payment.status) {
        return Ok(());
    }
    let now = app.clock.now();
    let is_on = |event: &Event| event.status == EventStatus::Scheduled && now < event.ends_at;
    if let Some(step) = sale(txn, &booking, event.as_ref().is_some_and(is_on)).await? {
        payment::state::step(txn, app, &payment, Step::Approve, detail).await?;
        confirm::confirm(txn, app, &booking, step).await?;
        return tell_if_moved(txn, app, &booking, event.as_ref()).await;
    }
    let why = "taken, but there is nothing to sell any more";
    payment::state::step(txn, app, &payment, Step::BeginCancel, why).await?;
    if booking.status == BookingStatus::Held {
        release::release(txn, app, &booking).await?;
    }
    jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(payment.id)).await.map(drop)
}

/// Who pays for another time than the event has by now hears of it, and may leave for free (`model::may_cancel`).
async fn tell_if_moved(
    txn: &impl ConnectionTrait,
    app: &App,
    booking: &booking::Model,
    event: Option<&Event>,
) -> Result<()> {
    if !event.is_some_and(|event| model::was_moved(booking, event)) {
        return Ok(());
    }
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &TellMoved { booking_id: booking.id }).await.map(drop)
}

/// How the booking becomes a sale; `None` if it cannot any more.
async fn sale(txn: &impl ConnectionTrait, booking: &booking::Model, is_on: bool) -> Result<Option<model::Step>> {
    Ok(match booking.status {
        BookingStatus::Held if is_on => Some(model::Step::Confirm),
        BookingStatus::Expired if is_on => hold_again::hold_again(txn, booking).await?.then_some(model::Step::Revive),
        BookingStatus::Held
        | BookingStatus::Expired
        | BookingStatus::Confirmed
        | BookingStatus::Canceling
        | BookingStatus::Canceled => None,
    })
}
