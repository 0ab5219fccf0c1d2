//! From `CANCELING` to `CANCELED`: the money back first, then seats, coupon and points, once.

use super::{cancel, hold, model::Step, query, release, state};
use crate::{
    app::App,
    error::{Error, Result},
    event::index,
    infra::{
        jobs,
        jobs::{Job, Lane},
    },
    notification::canceled::TellCanceled,
    payment, point, transaction,
};
use entity::{
    booking,
    enums::{BookingStatus, PaymentStatus, UserCouponStatus},
    ids::BookingId,
};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

/// Refunds one booking, from whatever state it is in: what the artist's cancellation does to each, and what finishes
/// a fan's cancellation that was cut short.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefundBooking {
    pub booking_id: BookingId,
}

impl Job for RefundBooking {
    const NAME: &'static str = "refund_booking";
    const LANE: Lane = Lane::Refund;

    async fn run(self, app: &App) -> Result<()> {
        let is_in_doubt = transaction!(app, txn => {
            let Some(booking) = state::lock(txn, self.booking_id).await? else { return Ok(false) };
            match booking.status {
                BookingStatus::Held => {
                    if payment::state::lapse(txn, app, booking.id).await? {
                        release::release(txn, app, &booking).await?;
                        return Ok(false);
                    }
                    Ok(true)
                }
                BookingStatus::Confirmed => cancel::begin_refund(txn, app, &booking).await.map(|()| false),
                BookingStatus::Canceling | BookingStatus::Canceled | BookingStatus::Expired => Ok(false),
            }
        })?;
        if is_in_doubt {
            // The reconciler decides; this job comes back and refunds what was confirmed.
            return Err(Error::Unavailable("the payment is in doubt: waiting for the reconciler".to_owned()));
        }
        refund(app, self.booking_id).await
    }
}

/// Gives the money back and closes the booking; does nothing if that is done.
pub async fn refund(app: &App, id: BookingId) -> Result<()> {
    let booking = query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::fault("no such booking"))?;
    if booking.status != BookingStatus::Canceling {
        return Ok(());
    }
    // A free one has no payment.
    let Some(payment) = payment::query::of_booking(app.db.reads(), id).await? else { return close_now(app, id).await };
    match payment.status {
        PaymentStatus::Canceling => payment::cancel::cancel(app, payment).await,
        PaymentStatus::Canceled => close_now(app, id).await,
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approving
        | PaymentStatus::Approved
        | PaymentStatus::Failed
        | PaymentStatus::Expired => {
            Err(Error::fault(format!("{id} is being canceled, and its payment is {:?}", payment.status)))
        }
    }
}

async fn close_now(app: &App, id: BookingId) -> Result<()> {
    transaction!(app, txn => {
        match state::lock(txn, id).await? {
            Some(booking) if booking.status == BookingStatus::Canceling => close(txn, app, &booking).await,
            Some(_) | None => Ok(()),
        }
    })
}

/// Everything back, once: inside the transaction that knows the money is.
pub async fn close(txn: &impl ConnectionTrait, app: &App, booking: &booking::Model) -> Result<()> {
    let now = app.clock.now();
    state::step(txn, booking, Step::FinishCancel, now).await?;
    let lines = query::lines(txn, &[booking.id]).await?;
    hold::give_back_seats(txn, &lines).await?;
    if let Some(id) = booking.user_coupon_id {
        use UserCouponStatus::{Available, Used};
        let moved = hold::move_coupon(txn, id, Used, Available, None).await?;
        hold::one(u64::from(moved), "coupon given back")?;
    }
    point::ledger::give_back(txn, app, booking.user_id, booking.points_used, &booking.id.to_string()).await?;
    jobs::enqueue(txn, &app.ids, now, now, &TellCanceled { booking_id: booking.id }).await?;
    index::enqueue(txn, app, booking.event_id).await
}
