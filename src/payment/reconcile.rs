//! Whatever was left in doubt: ask the provider, then finish, refund or give up. An answer that we cannot read decides
//! nothing.

use super::{approve, ask, ask::Answer, cancel, decide, purpose, query, state};
use crate::{
    app::App,
    error::{Error, Result},
    infra::{
        jobs,
        jobs::{Job, Lane},
        kakaopay::Money,
    },
    transaction,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use serde::{Deserialize, Serialize};

/// After a payment was given up in doubt, it is asked about again: soon, because a slow provider does it a moment later,
/// and once when the provider's own time is over too.
const LATE_CHECKS: [TimeDelta; 4] =
    [TimeDelta::seconds(15), TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::minutes(20)];

#[derive(Debug, Serialize, Deserialize)]
pub struct ReconcilePayment {
    payment_id: PaymentId,
    /// The approval that it is about, by the microsecond of its beginning; a later one has a job of its own.
    #[serde(default)]
    since: Option<i64>,
}

impl ReconcilePayment {
    /// About whatever state the payment is in.
    pub const fn now(payment_id: PaymentId) -> Self {
        Self { payment_id, since: None }
    }

    /// About the approval that began then.
    pub const fn of(payment_id: PaymentId, since: DateTime<Utc>) -> Self {
        Self { payment_id, since: Some(since.timestamp_micros()) }
    }
}

impl Job for ReconcilePayment {
    const NAME: &'static str = "reconcile_payment";
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let Some(payment) = query::by_id(app.db.reads(), self.payment_id).await? else { return Ok(()) };
        if self.since.is_some_and(|since| since != payment.changed_at.timestamp_micros()) {
            return Ok(());
        }
        match ask_now(app, payment).await? {
            // Somebody has decided it: this question ends here, and `compare` goes on to look. A provider that is away
            // has not answered, and is asked again.
            Heard::Unreadable(why) if is_given_up_by_word(app, self.payment_id).await? => {
                tracing::warn!(payment = %self.payment_id, %why, "decided, and still not to be read");
                Ok(())
            }
            heard => heard.account(),
        }
    }
}

/// What the provider answered.
#[derive(Debug)]
pub enum Heard {
    /// An account, which was gone by.
    Account,
    /// Something that decides nothing.
    Unreadable(Error),
}

impl Heard {
    /// An error if it was no account.
    pub fn account(self) -> Result<()> {
        match self {
            Self::Account => Ok(()),
            Self::Unreadable(why) => Err(why),
        }
    }
}

/// Asks, and goes by the answer. An error: there was none, or the money that is to go back has not.
pub async fn ask_now(app: &App, payment: Model) -> Result<Heard> {
    match payment.status {
        PaymentStatus::Approving | PaymentStatus::Failed | PaymentStatus::Expired => ask_and_settle(app, payment).await,
        PaymentStatus::Canceling => cancel::cancel(app, payment).await.map(|()| Heard::Account),
        PaymentStatus::Pending | PaymentStatus::Ready | PaymentStatus::Approved | PaymentStatus::Canceled => {
            Ok(Heard::Account)
        }
    }
}

/// Because somebody said that nothing was taken.
async fn is_given_up_by_word(app: &App, id: PaymentId) -> Result<bool> {
    let (db, failed) = (app.db.reads(), PaymentStatus::Failed);
    let is_given_up = query::by_id(db, id).await?.is_some_and(|payment| payment.status == failed);
    Ok(is_given_up && decide::last_word(db, id).await?.is_some())
}

async fn ask_and_settle(app: &App, payment: Model) -> Result<Heard> {
    if payment.tid.is_none() {
        return Ok(Heard::Account);
    }
    let order = match ask::order(app, &payment).await? {
        Answer::Order(order) => order,
        Answer::Unknown => return unreadable(app, &payment, "no such payment").await,
        // It may answer better later on, and is asked for as long as it takes.
        Answer::Unreadable(what) => return Ok(Heard::Unreadable(Error::Unavailable(format!("kakaopay: {what}")))),
    };
    let (id, detail) = (payment.id, format!("reconciled: {order}"));
    match order.money() {
        Money::Taken { amount, returned: 0 } if amount == payment.amount => {
            transaction!(app, txn => purpose::taken(txn, app, id, &detail).await)?;
        }
        // Another amount than was due, or somebody gave some of it back: all of it goes back.
        Money::Taken { amount, .. } => {
            transaction!(app, txn => super::wrong::send_back(txn, app, id, amount, &detail).await)?;
        }
        Money::Never => give_up(app, &payment, &detail, false).await?,
        Money::NotYet => give_up(app, &payment, &detail, true).await?,
        Money::Unreadable => return unreadable(app, &payment, &order.to_string()).await,
    }
    Ok(Heard::Account)
}

/// Nobody knows where the money is. What is in doubt stays so and is told after a while (`stuck`); what was given up keeps
/// nothing any more, so that its job is parked in the end, and that is told, unless somebody has decided it.
async fn unreadable(app: &App, payment: &Model, said: &str) -> Result<Heard> {
    let (id, now) = (payment.id, app.clock.now());
    transaction!(app, txn => state::log(txn, app, id, now, "OrderUnreadable", said).await)?;
    let what = format!("kakaopay: {id} is {:?}, and asked about it: {said}", payment.status);
    let may_wait = payment.status == PaymentStatus::Approving || is_given_up_by_word(app, id).await?;
    Ok(Heard::Unreadable(if may_wait { Error::Unavailable(what) } else { Error::fault(what) }))
}

/// Nothing was taken: the hold goes back. If the provider might still take it, it is asked again.
async fn give_up(app: &App, payment: &Model, detail: &str, may_still_come: bool) -> Result<()> {
    if payment.status != PaymentStatus::Approving {
        return Ok(());
    }
    let id = payment.id;
    transaction!(app, txn => {
        let has_failed = approve::fail_since(txn, app, id, detail, Some(payment.changed_at)).await?;
        if has_failed && may_still_come {
            let now = app.clock.now();
            for later in LATE_CHECKS {
                jobs::enqueue(txn, &app.ids, now, now + later, &ReconcilePayment::now(id)).await?;
            }
        }
        Ok(())
    })
}
