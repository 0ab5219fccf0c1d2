//! `bookingCancel`: the check comes first, the money second, the seats last.

use super::{
    idempotency,
    idempotency::Key,
    model::{Step, may_cancel},
    query, refund, release, state,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Problems, Result},
    event,
    infra::jobs,
    payment, transaction,
    user::viewer::Buyer,
};
use chrono::TimeDelta;
use entity::{booking, enums::BookingStatus, ids::BookingId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

pub async fn cancel(app: &App, buyer: Buyer, id: BookingId, reason: Option<String>, key: &str) -> Result<BookingId> {
    let mut problems = Problems::default();
    problems.length(&["reason"], reason.as_deref().unwrap_or_default(), 0, 200);
    problems.check()?;
    let key = Key::new(buyer.id(), key, "bookingCancel", &json!({ "bookingId": id, "reason": reason }))?;
    if key.seen(app.db.reads()).await?.is_none() {
        let begun = transaction!(app, txn => begin(txn, app, buyer, id, reason.clone(), &key).await);
        match begun {
            Err(error) if idempotency::lost_to_twin(&error) => {
                // The same key: read what it was used for, and refuse another use.
                key.seen(app.db.reads()).await?;
            }
            other => other?,
        }
    }
    // A refund that cannot be finished now is finished by its job.
    if let Err(error) = refund::refund(app, id).await {
        tracing::warn!(booking = %id, %error, "the refund goes on in the background");
    }
    Ok(id)
}

async fn begin(
    txn: &impl ConnectionTrait,
    app: &App,
    buyer: Buyer,
    id: BookingId,
    reason: Option<String>,
    key: &Key,
) -> Result<()> {
    let now = app.clock.now();
    key.store(txn, &id.to_string(), now).await?;
    let booking = state::lock(txn, id).await?.filter(|row| row.user_id == buyer.id());
    let booking = booking.ok_or_else(|| Error::not_found(&["bookingId"]))?;
    keep_reason(txn, &booking, reason).await?;
    match booking.status {
        BookingStatus::Held => give_up(txn, app, &booking).await,
        BookingStatus::Confirmed => {
            let event = event::query::by_id(txn, booking.event_id).await?;
            if event.is_none_or(|event| !may_cancel(&booking, &event, now)) {
                let ko = "취소할 수 있는 시간이 지났습니다.";
                return Err(not_cancelable(ko, "The time for canceling is over."));
            }
            begin_refund(txn, app, &booking).await
        }
        BookingStatus::Canceling | BookingStatus::Canceled | BookingStatus::Expired => {
            Err(not_cancelable("이미 취소되었거나 만료된 예매입니다.", "The booking is canceled or expired already."))
        }
    }
}

/// From here on the refund happens, whatever becomes of this process.
pub async fn begin_refund(txn: &impl ConnectionTrait, app: &App, booking: &booking::Model) -> Result<()> {
    let now = app.clock.now();
    state::step(txn, booking, Step::BeginCancel, now).await?;
    query::void_tickets(txn, booking.id).await?;
    payment::state::begin_cancel(txn, app, booking.id).await?;
    let grace = TimeDelta::seconds(i64::try_from(app.config.booking.payment_grace_seconds).unwrap_or(20));
    jobs::enqueue(txn, &app.ids, now, now + grace, &refund::RefundBooking { booking_id: booking.id }).await?;
    Ok(())
}

async fn give_up(txn: &impl ConnectionTrait, app: &App, booking: &booking::Model) -> Result<()> {
    if payment::state::lapse(txn, app, booking.id).await? {
        return release::release(txn, app, booking).await;
    }
    let ko = "결제를 확인하고 있습니다. 잠시 뒤에 다시 시도해 주세요.";
    let en = "The payment is being checked. Try again in a moment.";
    Err(Problem::new(Code::PaymentInDoubt, &["bookingId"], ko, en).into())
}

async fn keep_reason(txn: &impl ConnectionTrait, booking: &booking::Model, reason: Option<String>) -> Result<()> {
    booking::Entity::update_many()
        .col_expr(booking::Column::CancelReason, Expr::value(reason))
        .filter(booking::Column::Id.eq(booking.id))
        .exec(txn)
        .await?;
    Ok(())
}

fn not_cancelable(ko: &'static str, en: &'static str) -> Error {
    Problem::new(Code::NotCancelable, &["bookingId"], ko, en).into()
}
