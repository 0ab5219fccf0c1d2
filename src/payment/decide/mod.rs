//! What somebody who looked says of a payment that the provider gives no readable account of. It goes the way that the
//! provider's own answer would have taken, in one transaction, and only from the very state that was looked at.
//!
//! The provider may be read again one day and say something else. While a payment is given up, its jobs still ask, and money
//! that shows up is sold or goes back like any that comes late; `compare` names whatever else differs.

pub mod model;

use super::{ask, cancel, model::Step, purpose, reconcile::ReconcilePayment, state, wrong};
use crate::{
    app::App,
    error::{Error, Result},
    infra::{jobs, kakaopay::Money},
};
use chrono::TimeDelta;
use entity::{
    enums::PaymentStatus,
    ids::PaymentId,
    payment::Model,
    payment_event::{self, Column, Entity},
};
use model::{Verdict, Way, way};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

/// In the log of a payment: somebody decided it, and what was said.
const DECIDED: &str = "Decided";
/// After what was said not to be taken is given up, the provider is asked once more.
const LATE_CHECK: TimeDelta = TimeDelta::days(1);

/// Whether the provider gives an account of it, so that nobody has to decide.
pub async fn can_be_read(app: &App, payment: &Model) -> Result<bool> {
    let order = match ask::order(app, payment).await {
        Err(Error::Unavailable(why)) => {
            tracing::warn!(payment = %payment.id, why, "a payment is decided that the provider cannot be asked about");
            return Ok(false);
        }
        order => order?,
    };
    Ok(order.is_some_and(|order| match payment.status {
        PaymentStatus::Canceling => cancel::taken(payment, &order).is_some(),
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approving
        | PaymentStatus::Approved
        | PaymentStatus::Canceled
        | PaymentStatus::Failed
        | PaymentStatus::Expired => order.money() != Money::Unreadable,
    }))
}

/// False, with nothing done, if it is not any more as it was `before`: somebody was faster, or the provider was.
pub async fn decide(
    txn: &impl ConnectionTrait,
    app: &App,
    before: &Model,
    verdict: Verdict,
    detail: &str,
) -> Result<bool> {
    let id = before.id;
    let (locked, payment) = purpose::lock_to_sell(txn, id).await?;
    if (payment.status, payment.changed_at) != (before.status, before.changed_at) {
        return Ok(false);
    }
    let Ok(way) = way(payment.status, payment.amount, payment.taken_amount, verdict) else { return Ok(false) };
    state::log(txn, app, id, app.clock.now(), DECIDED, detail).await?;
    match way {
        Way::Fail => {
            let now = state::step(txn, app, &payment, Step::Fail, detail).await?;
            purpose::let_go(txn, app, &locked).await?;
            jobs::enqueue(txn, &app.ids, now, now + LATE_CHECK, &ReconcilePayment::now(id)).await?;
        }
        Way::Keep => purpose::taken(txn, app, id, detail).await?,
        Way::SendBack(amount) => wrong::send_back(txn, app, id, amount, detail).await?,
        Way::Forget(amount) => {
            wrong::send_back(txn, app, id, amount, detail).await?;
            cancel::returned(txn, app, id, amount).await?;
        }
        Way::Close(amount) => cancel::returned(txn, app, id, amount).await?,
    }
    Ok(true)
}

/// What was said of it, if somebody decided it.
pub async fn said(db: &impl ConnectionTrait, id: PaymentId) -> Result<Option<String>> {
    let found = Entity::find().filter(Column::PaymentId.eq(id)).filter(Column::Step.eq(DECIDED));
    let last = found.order_by_desc(Column::At).order_by_desc(Column::Id).one(db).await?;
    Ok(last.map(|row: payment_event::Model| row.detail))
}
