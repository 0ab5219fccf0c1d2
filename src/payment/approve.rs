//! KakaoPay `approve`: `APPROVING` is written first, then the call, then its outcome in one transaction with the
//! booking, the points, the coupon and the tickets.

use super::{model::Step, query, reconcile::ReconcilePayment, state};
use crate::{
    app::App,
    booking::{self, expire::ExpireBooking},
    error::{Code, Error, Problem, Result},
    event,
    infra::{
        jobs,
        kakaopay::{ApproveRequest, Approved, CallError},
    },
    transaction,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    enums::{BookingStatus, EventStatus, PaymentStatus},
    ids::PaymentId,
    payment::Model,
};
use sea_orm::ConnectionTrait;

/// Takes the money that somebody agreed to on the provider's page. Called again, it answers what has become of it.
pub async fn approve(app: &App, id: PaymentId, pg_token: String) -> Result<Model> {
    let Some(payment) = begin(app, id).await? else { return current(app, id).await };
    let Some(tid) = payment.tid.clone() else { return Err(Error::fault("a payment that is ready has a tid")) };
    let request = ApproveRequest {
        tid,
        partner_order_id: payment.id.to_string(),
        partner_user_id: payment.user_id.to_string(),
        pg_token,
    };
    match app.provider.approve(&request).await {
        Ok(approved) => settle(app, &payment, &approved).await?,
        Err(CallError::Refused { code, message, .. }) if is_harmless(code) => {
            let detail = format!("{code} {message}");
            transaction!(app, txn => back(txn, app, id, &detail).await)?;
            let ko = "결제 승인 정보가 올바르지 않습니다.";
            return Err(Problem::new(Code::Invalid, &["pgToken"], ko, "The provider does not know this token.").into());
        }
        Err(error @ CallError::Refused { .. }) => {
            let detail = error.to_string();
            transaction!(app, txn => fail(txn, app, id, &detail).await)?;
            return Err(failed());
        }
        Err(error @ CallError::Unreachable(_)) => {
            let detail = error.to_string();
            transaction!(app, txn => back(txn, app, id, &detail).await)?;
            return Err(Error::Unavailable(detail));
        }
        Err(error @ CallError::InDoubt(_)) => {
            let detail = error.to_string();
            transaction!(app, txn => doubt(txn, app, id, &detail).await)?;
            return Err(in_doubt());
        }
    }
    current(app, id).await
}

/// The token was wrong, or the person has not agreed yet: nothing happened, and the right call may still come.
fn is_harmless(code: i64) -> bool {
    matches!(code, -701 | -706 | -707 | -708)
}

/// `Some` for the one caller that is to make the call; `None` if it was done before.
async fn begin(app: &App, id: PaymentId) -> Result<Option<Model>> {
    let begun = transaction!(app, txn => {
        let payment = state::lock(txn, id).await?;
        if payment.status == PaymentStatus::Ready {
            let now = app.clock.now();
            let since = state::step(txn, app, &payment, Step::BeginApprove, "").await?;
            // If this process dies now, the reconciler finds out.
            let grace = TimeDelta::seconds(i64::try_from(app.config.booking.payment_grace_seconds).unwrap_or(60));
            jobs::enqueue(txn, &app.ids, now, now + grace, &ReconcilePayment::of(id, since)).await?;
        }
        Ok(payment)
    })?;
    match begun.status {
        PaymentStatus::Ready => Ok(Some(Model { status: PaymentStatus::Approving, ..begun })),
        PaymentStatus::Approving | PaymentStatus::Pending => Err(in_doubt()),
        PaymentStatus::Failed | PaymentStatus::Expired => Err(failed()),
        PaymentStatus::Approved | PaymentStatus::Canceling | PaymentStatus::Canceled => Ok(None),
    }
}

pub(super) fn failed() -> Error {
    let ko = "결제가 완료되지 않았습니다. 다시 예매해 주세요.";
    Problem::new(Code::PaymentFailed, &[], ko, "The payment was not completed. Book again.").into()
}

fn in_doubt() -> Error {
    let ko = "결제 결과를 확인하고 있습니다. 곧 알려 드리겠습니다.";
    Problem::new(Code::PaymentInDoubt, &[], ko, "The payment is being checked. You will be told soon.").into()
}

async fn current(app: &App, id: PaymentId) -> Result<Model> {
    query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::fault("a payment is never removed"))
}

/// Compares what was taken with what was due, then confirms.
async fn settle(app: &App, payment: &Model, approved: &Approved) -> Result<()> {
    let is_ours = approved.total_amount == payment.amount
        && payment.tid.as_deref() == Some(approved.tid.as_str())
        && approved.partner_order_id == payment.id.to_string();
    let id = payment.id;
    if is_ours {
        let detail = format!("aid {} amount {}", approved.aid, approved.total_amount);
        return transaction!(app, txn => taken(txn, app, id, &detail).await);
    }
    tracing::error!(payment = %id, taken = approved.total_amount, due = payment.amount, "the provider took another amount");
    let detail = format!("took {} instead of {}", approved.total_amount, payment.amount);
    transaction!(app, txn => doubt(txn, app, id, &detail).await)?;
    Err(in_doubt())
}

/// The money is here, in the right amount: the booking is confirmed, or, if its seats are gone, the money goes back.
pub(super) async fn taken(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let peek = query::by_id(txn, id).await?.ok_or_else(|| Error::fault("no such payment"))?;
    let booking_id = peek.booking_id.ok_or_else(|| Error::fault("a payment of nothing"))?;
    let booking = booking::query::by_id(txn, booking_id).await?.ok_or_else(|| Error::fault("no such booking"))?;
    // The event first: its cancellation waits until this sale is there for it to see, or is seen here.
    let event = event::query::lock_shared(txn, booking.event_id).await?;
    let booking = booking::state::lock(txn, booking_id).await?.ok_or_else(|| Error::fault("no such booking"))?;
    let payment = state::lock(txn, id).await?;
    match payment.status {
        PaymentStatus::Approving | PaymentStatus::Failed | PaymentStatus::Expired => {}
        // Somebody else settled it.
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approved
        | PaymentStatus::Canceling
        | PaymentStatus::Canceled => return Ok(()),
    }
    let is_on = event.is_some_and(|event| event.status == EventStatus::Scheduled);
    let step = match booking.status {
        BookingStatus::Held if is_on => Some(booking::model::Step::Confirm),
        BookingStatus::Expired if is_on => {
            let again = booking::hold_again::hold_again(txn, &booking).await?;
            again.then_some(booking::model::Step::Revive)
        }
        BookingStatus::Held
        | BookingStatus::Expired
        | BookingStatus::Confirmed
        | BookingStatus::Canceling
        | BookingStatus::Canceled => None,
    };
    if let Some(step) = step {
        state::step(txn, app, &payment, Step::Approve, detail).await?;
        return booking::confirm::confirm(txn, app, &booking, step).await;
    }
    state::step(txn, app, &payment, Step::BeginCancel, "taken, but there is nothing to sell any more").await?;
    if booking.status == BookingStatus::Held {
        booking::release::release(txn, app, &booking).await?;
    }
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
}

/// The provider said no for good: the hold goes back.
pub(super) async fn fail(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    fail_since(txn, app, id, detail, None).await.map(drop)
}

/// The same, unless the payment has changed since: it may have been stepped back, and be on its way again. True if it
/// failed now.
pub(super) async fn fail_since(
    txn: &impl ConnectionTrait,
    app: &App,
    id: PaymentId,
    detail: &str,
    since: Option<DateTime<Utc>>,
) -> Result<bool> {
    let peek = query::by_id(txn, id).await?.ok_or_else(|| Error::fault("no such payment"))?;
    let booking = match peek.booking_id {
        Some(id) => booking::state::lock(txn, id).await?,
        None => None,
    };
    let payment = state::lock(txn, id).await?;
    let is_open = matches!(payment.status, PaymentStatus::Approving | PaymentStatus::Ready | PaymentStatus::Pending);
    if !is_open || since.is_some_and(|since| since != payment.changed_at) {
        return Ok(false);
    }
    state::step(txn, app, &payment, Step::Fail, detail).await?;
    if let Some(booking) = booking.filter(|booking| booking.status == BookingStatus::Held) {
        booking::release::release(txn, app, &booking).await?;
    }
    Ok(true)
}

/// Nothing was taken, and the right call may still come. A hold that ran out meanwhile was left alone by the job that
/// expires it, so that job is planned again.
async fn back(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let payment = state::lock(txn, id).await?;
    if payment.status != PaymentStatus::Approving {
        return Ok(());
    }
    state::step(txn, app, &payment, Step::StepBack, detail).await?;
    let Some(booking_id) = payment.booking_id else { return Ok(()) };
    let booking = booking::query::by_id(txn, booking_id).await?;
    let Some(expires_at) = booking.and_then(|booking| booking.expires_at) else { return Ok(()) };
    jobs::enqueue(txn, &app.ids, app.clock.now(), expires_at, &ExpireBooking { booking_id }).await.map(drop)
}

/// Leaves it `APPROVING` and has the provider asked at once.
async fn doubt(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let now = app.clock.now();
    state::log(txn, app, id, now, "ApproveInDoubt", detail).await?;
    jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
}
