//! `adminPaymentReconcile`: asks the provider now instead of at the reconciler's next turn.
//!
//! The row of the audit log is written when the answer is known, also if there was none. A crash before it loses that row and
//! nothing else: what was done by then is what the reconciler does by itself, and is in the payment's own log.

use super::{
    audit::{self, Actor},
    payment_change,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    payment::{
        model::{is_in_doubt, may_be_taken},
        query,
        reconcile::{self, Heard},
    },
    transaction,
};
use chrono::TimeDelta;
use entity::{ids::PaymentId, payment::Model};
use serde_json::Value;

pub async fn reconcile(app: &App, by: Actor, id: PaymentId) -> Result<Model> {
    let before = query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))?;
    let is_in_doubt = is_in_doubt(before.status, before.changed_at, app.clock.now(), grace(app));
    // Given up is not known for ever: somebody may have heard from the fan, or from the provider.
    let was_given_up = may_be_taken(before.status) && before.tid.is_some();
    if !is_in_doubt && !was_given_up {
        let (ko, en) = ("확인할 것이 없는 결제입니다.", "Nothing about this payment is in doubt.");
        return Err(Problem::new(Code::NotAllowed, &["paymentId"], ko, en).into());
    }
    ask(app, by, before, "payment.reconcile", None).await
}

/// Goes by the provider's answer. `claim` is what the admin said of the payment, if that was said.
pub(super) async fn ask(
    app: &App,
    by: Actor,
    before: Model,
    action: &'static str,
    claim: Option<Value>,
) -> Result<Model> {
    let id = before.id;
    let asked = reconcile::ask_now(app, before.clone()).await.and_then(Heard::account);
    let after = query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))?;
    transaction!(app, txn => {
        let change = payment_change::change(action, &before, &after, asked.is_ok(), claim.clone());
        audit::write(txn, app, by, change).await
    })?;
    asked.map(|()| after)
}

/// How long a payment may wait for its page before that is in doubt.
pub fn grace(app: &App) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(app.config.booking.payment_grace_seconds).unwrap_or(20))
}
