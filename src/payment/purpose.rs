//! What a payment is for. Here the purposes are told apart, and nowhere else: what it means to each that its money was
//! taken, or never will be, is in the domain that asked for it (`booking::paid`, `point::charge`).

use super::{query, state};
use crate::{
    app::App,
    booking,
    error::{Error, Result},
    event,
    infra::jobs,
    point,
};
use entity::{
    booking::Model as Booking,
    enums::{BookingStatus, PaymentPurpose},
    ids::{BookingId, PaymentId},
    payment::Model,
};
use sea_orm::ConnectionTrait;

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Booking(BookingId),
    PointCharge,
}

impl Purpose {
    pub fn of(payment: &Model) -> Result<Self> {
        match (payment.purpose, payment.booking_id) {
            (PaymentPurpose::Booking, Some(id)) => Ok(Self::Booking(id)),
            (PaymentPurpose::PointCharge, None) => Ok(Self::PointCharge),
            (PaymentPurpose::Booking, None) | (PaymentPurpose::PointCharge, Some(_)) => {
                Err(Error::fault(format!("{} is a payment of nothing", payment.id)))
            }
        }
    }
}

/// What is paid for, locked until the transaction ends; points set nothing aside before they are paid.
#[derive(Clone, Debug)]
pub enum Locked {
    Booking(Box<Booking>),
    PointCharge,
}

/// Locks in the order that everything uses: the booking, then its payment.
pub async fn lock(txn: &impl ConnectionTrait, id: PaymentId) -> Result<(Locked, Model)> {
    let locked = match Purpose::of(&peek(txn, id).await?)? {
        Purpose::Booking(booking) => {
            let booking = booking::state::lock(txn, booking).await?;
            Locked::Booking(Box::new(booking.ok_or_else(|| Error::fault("a booking is never removed"))?))
        }
        Purpose::PointCharge => Locked::PointCharge,
    };
    Ok((locked, state::lock(txn, id).await?))
}

/// The same for who may come to sell it: its event is before the booking.
pub async fn lock_to_sell(txn: &impl ConnectionTrait, id: PaymentId) -> Result<(Locked, Model)> {
    if let Purpose::Booking(booking) = Purpose::of(&peek(txn, id).await?)? {
        let booking = booking::query::by_id(txn, booking).await?;
        let booking = booking.ok_or_else(|| Error::fault("a booking is never removed"))?;
        event::query::lock_shared(txn, booking.event_id).await?;
    }
    lock(txn, id).await
}

async fn peek(txn: &impl ConnectionTrait, id: PaymentId) -> Result<Model> {
    query::by_id(txn, id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))
}

/// The money is here, in the right amount.
pub async fn taken(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let payment = peek(txn, id).await?;
    match Purpose::of(&payment)? {
        Purpose::Booking(booking) => booking::paid::paid(txn, app, booking, id, detail).await?,
        Purpose::PointCharge => point::charge::paid(txn, app, id, detail).await?,
    }
    state::took(txn, id, payment.amount).await
}

/// No money was or will be kept for it: what was set aside goes back.
pub async fn let_go(txn: &impl ConnectionTrait, app: &App, locked: &Locked) -> Result<()> {
    match locked {
        Locked::Booking(row) if row.status == BookingStatus::Held => booking::release::release(txn, app, row).await,
        Locked::Booking(_) | Locked::PointCharge => Ok(()),
    }
}

/// It waits to be paid again: what ends the waiting found it busy, and is planned anew.
pub async fn wait_again(txn: &impl ConnectionTrait, app: &App, payment: &Model) -> Result<()> {
    let now = app.clock.now();
    match Purpose::of(payment)? {
        Purpose::Booking(booking_id) => {
            let booking = booking::query::by_id(txn, booking_id).await?;
            let Some(expires_at) = booking.and_then(|booking| booking.expires_at) else { return Ok(()) };
            let job = booking::expire::ExpireBooking { booking_id };
            jobs::enqueue(txn, &app.ids, now, expires_at, &job).await.map(drop)
        }
        Purpose::PointCharge => point::expire_charge::plan(txn, app, payment).await,
    }
}
