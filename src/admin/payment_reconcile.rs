//! `adminPaymentReconcile`: asks the provider now instead of at the reconciler's next turn.
//!
//! The row of the audit log is written when the answer is known, also if there was none. A crash before it loses that row and
//! nothing else: what was done by then is what the reconciler does by itself, and is in the payment's own log.

use super::audit::{self, Actor, Change};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    infra::jobs::Job,
    payment::{
        model::{is_in_doubt, may_be_taken},
        query,
        reconcile::ReconcilePayment,
    },
    transaction,
};
use chrono::TimeDelta;
use entity::{ids::PaymentId, payment::Model};
use serde_json::json;

pub async fn reconcile(app: &App, by: Actor, id: PaymentId) -> Result<Model> {
    let missing = || Error::not_found(&["paymentId"]);
    let before = query::by_id(app.db.reads(), id).await?.ok_or_else(missing)?;
    let is_in_doubt = is_in_doubt(before.status, before.changed_at, app.clock.now(), grace(app));
    // Given up is not known for ever: somebody may have heard from the fan, or from the provider.
    let was_given_up = may_be_taken(before.status) && before.tid.is_some();
    if !is_in_doubt && !was_given_up {
        let (ko, en) = ("확인할 것이 없는 결제입니다.", "Nothing about this payment is in doubt.");
        return Err(Problem::new(Code::NotAllowed, &["paymentId"], ko, en).into());
    }
    let asked = ReconcilePayment::now(id).run(app).await;
    let after = query::by_id(app.db.reads(), id).await?.ok_or_else(missing)?;
    let has_answered = asked.is_ok();
    transaction!(app, txn => {
        let change = Change::new("payment.reconcile", "payment", id)
            .before(json!({ "status": before.status, "changedAt": before.changed_at }))
            .after(json!({ "status": after.status, "changedAt": after.changed_at, "hasAnswered": has_answered }));
        audit::write(txn, app, by, change).await
    })?;
    asked.map(|()| after)
}

/// How long a payment may wait for its page before that is in doubt.
pub fn grace(app: &App) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(app.config.booking.payment_grace_seconds).unwrap_or(20))
}

/// How long a payment may be in doubt before people are told.
pub fn patience(app: &App) -> TimeDelta {
    TimeDelta::minutes(i64::try_from(app.config.alert.payment_stuck_minutes).unwrap_or(10))
}
