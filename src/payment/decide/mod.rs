//! What somebody who looked says of a payment that the provider gives no readable account of. It goes the way that the
//! provider's own answer would have taken, in one transaction, and only from the very state that was looked at.
//!
//! The provider may be read again one day and say something else. Of a payment that is given up it is asked a few times
//! more, each time until it answers, and money that shows up is sold or goes back like any that comes late; `compare` names
//! whatever else differs.

pub mod model;

use super::{ask, cancel, model::Step, purpose, query, reconcile::ReconcilePayment, state, wrong};
use crate::{
    app::App,
    error::{Error, Result},
    infra::jobs,
};
use chrono::TimeDelta;
use entity::{
    ids::PaymentId,
    payment::Model,
    payment_event::{self, Column, Entity},
};
use model::{Account, Verdict, Way, account, way};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

/// In the log of a payment: somebody decided it, and what was said.
const DECIDED: &str = "Decided";
/// After what was said not to be taken is given up, the provider is asked again: it may say something else by then. Of the
/// jobs that asked before, one that is about the approval alone ends with it.
const LATE_CHECKS: [TimeDelta; 3] = [TimeDelta::minutes(10), TimeDelta::days(1), TimeDelta::days(7)];

/// What the provider has to say of it before anybody else has; `None` while it cannot be reached.
pub async fn ask_first(app: &App, payment: &Model) -> Result<Option<Account>> {
    match ask::order(app, payment).await {
        Ok(answer) => Ok(Some(account(payment.status, payment.taken_amount, &answer))),
        Err(Error::Unavailable(why)) => {
            tracing::warn!(payment = %payment.id, why, "a payment is not decided: the provider cannot be asked");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// False, with nothing done, if it is not any more as it was `before`: somebody was faster, or the provider was.
pub async fn go_by_word(
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
    match way {
        Way::Fail => {
            let now = state::step(txn, app, &payment, Step::Fail, detail).await?;
            purpose::let_go(txn, app, &locked).await?;
            for later in LATE_CHECKS {
                jobs::enqueue(txn, &app.ids, now, now + later, &ReconcilePayment::now(id)).await?;
            }
        }
        Way::Keep => purpose::taken(txn, app, id, detail).await?,
        Way::SendBack(amount) => wrong::send_back(txn, app, id, amount, detail).await?,
        Way::Forget(amount) => {
            wrong::send_back(txn, app, id, amount, detail).await?;
            cancel::returned(txn, app, id, amount).await?;
        }
        Way::Close(amount) => cancel::returned(txn, app, id, amount).await?,
    }
    // At the very moment of the change, so that whoever reads it sees whether it went on since.
    let now = query::by_id(txn, id).await?.ok_or_else(|| Error::fault("a payment is never removed"))?;
    state::log(txn, app, id, now.changed_at, DECIDED, detail).await?;
    Ok(true)
}

/// What was said of it and when, if somebody decided it. It went on since if it has changed later than that.
pub async fn last_word(db: &impl ConnectionTrait, id: PaymentId) -> Result<Option<payment_event::Model>> {
    let found = Entity::find().filter(Column::PaymentId.eq(id)).filter(Column::Step.eq(DECIDED));
    Ok(found.order_by_desc(Column::At).order_by_desc(Column::Id).one(db).await?)
}
