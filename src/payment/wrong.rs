//! The provider took another amount than was due: nothing is sold for it, and all of it goes back.

use super::{model::Step, query, reconcile::ReconcilePayment, state};
use crate::{
    app::App,
    booking,
    error::{Error, Result},
    infra::jobs,
};
use entity::{
    enums::{BookingStatus, PaymentStatus},
    ids::PaymentId,
};
use sea_orm::ConnectionTrait;

pub async fn send_back(txn: &impl ConnectionTrait, app: &App, id: PaymentId, taken: i64) -> Result<()> {
    let peek = query::by_id(txn, id).await?.ok_or_else(|| Error::fault("no such payment"))?;
    let booking = match peek.booking_id {
        Some(id) => booking::state::lock(txn, id).await?,
        None => None,
    };
    let payment = state::lock(txn, id).await?;
    if !matches!(payment.status, PaymentStatus::Approving | PaymentStatus::Failed | PaymentStatus::Expired) {
        return Ok(());
    }
    let detail = format!("took {taken} instead of {}", payment.amount);
    state::step(txn, app, &payment, Step::BeginCancel, &detail).await?;
    if let Some(booking) = booking.filter(|booking| booking.status == BookingStatus::Held) {
        booking::release::release(txn, app, &booking).await?;
    }
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
}
