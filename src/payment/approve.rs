//! KakaoPay `approve`: `APPROVING` is written first, then the call, then its outcome in one transaction with what was
//! paid for: the booking with its points, coupon and tickets, or the points of a charge.

use super::{
    begin,
    begin::{Begun, begin},
    model::Step,
    purpose, query,
    reconcile::ReconcilePayment,
    state,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    infra::{
        jobs,
        kakaopay::{ApproveRequest, Approved, CallError},
    },
    transaction,
};
use chrono::{DateTime, Utc};
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use sea_orm::ConnectionTrait;

/// In the log of a payment: its call was made, and nobody knows what became of it.
pub(super) const IN_DOUBT: &str = "ApproveInDoubt";

/// Takes the money that somebody agreed to on the provider's page. Called again, it answers what has become of it.
pub async fn approve(app: &App, id: PaymentId, pg_token: String) -> Result<Model> {
    let begun = match begin(app, id).await? {
        Begun::Underway => {
            // Perhaps with a token that somebody made up: once that is refused, this one is still to be tried.
            begin::wait(app, id).await?;
            begin(app, id).await?
        }
        begun => begun,
    };
    match begun {
        Begun::Ours(payment) => call(app, *payment, pg_token).await?,
        Begun::Underway => return Err(in_doubt()),
        Begun::Over => {}
    }
    query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::fault("a payment is never removed"))
}

async fn call(app: &App, payment: Model, pg_token: String) -> Result<()> {
    let id = payment.id;
    let Some(tid) = payment.tid.clone() else { return Err(Error::fault("a payment that is ready has a tid")) };
    let request = ApproveRequest {
        tid,
        partner_order_id: payment.id.to_string(),
        partner_user_id: payment.user_id.to_string(),
        pg_token,
    };
    match app.provider.approve(&request).await {
        Ok(approved) => settle(app, &payment, &approved).await,
        Err(CallError::Refused { code, message, .. }) if is_harmless(code) => {
            let detail = format!("{code} {message}");
            transaction!(app, txn => back(txn, app, id, &detail).await)?;
            let ko = "결제 승인 정보가 올바르지 않습니다.";
            Err(Problem::new(Code::Invalid, &["pgToken"], ko, "The provider does not know this token.").into())
        }
        Err(error @ CallError::Refused { .. }) => {
            let detail = error.to_string();
            transaction!(app, txn => fail(txn, app, id, &detail).await)?;
            Err(failed())
        }
        Err(error @ CallError::Unreachable(_)) => {
            let detail = error.to_string();
            transaction!(app, txn => back(txn, app, id, &detail).await)?;
            Err(Error::Unavailable(detail))
        }
        Err(error @ (CallError::InDoubt(_) | CallError::Unreadable(_))) => {
            let detail = error.to_string();
            transaction!(app, txn => doubt(txn, app, id, &detail).await)?;
            Err(in_doubt())
        }
    }
}

/// The token was wrong, or the person has not agreed yet: nothing happened, and the right call may still come.
fn is_harmless(code: i64) -> bool {
    matches!(code, -701 | -706 | -707 | -708)
}

pub(super) fn failed() -> Error {
    let ko = "결제가 완료되지 않았습니다. 다시 시도해 주세요.";
    Problem::new(Code::PaymentFailed, &[], ko, "The payment was not completed. Try again.").into()
}

pub(super) fn in_doubt() -> Error {
    let ko = "결제 결과를 확인하고 있습니다. 곧 알려 드리겠습니다.";
    Problem::new(Code::PaymentInDoubt, &[], ko, "The payment is being checked. You will be told soon.").into()
}

/// Compares what was taken with what was due, then confirms.
async fn settle(app: &App, payment: &Model, approved: &Approved) -> Result<()> {
    let is_ours = approved.total_amount == payment.amount
        && payment.tid.as_deref() == Some(approved.tid.as_str())
        && approved.partner_order_id == payment.id.to_string();
    let id = payment.id;
    if is_ours {
        let detail = format!("aid {} amount {}", approved.aid, approved.total_amount);
        return transaction!(app, txn => purpose::taken(txn, app, id, &detail).await);
    }
    tracing::error!(payment = %id, taken = approved.total_amount, due = payment.amount, "the provider took another amount");
    let detail = format!("took {} instead of {}", approved.total_amount, payment.amount);
    transaction!(app, txn => doubt(txn, app, id, &detail).await)?;
    Err(in_doubt())
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
    let (locked, payment) = purpose::lock(txn, id).await?;
    let is_open = matches!(payment.status, PaymentStatus::Approving | PaymentStatus::Ready | PaymentStatus::Pending);
    if !is_open || since.is_some_and(|since| since != payment.changed_at) {
        return Ok(false);
    }
    state::step(txn, app, &payment, Step::Fail, detail).await?;
    purpose::let_go(txn, app, &locked).await?;
    Ok(true)
}

/// Nothing was taken, and the right call may still come.
async fn back(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let payment = state::lock(txn, id).await?;
    if payment.status != PaymentStatus::Approving {
        return Ok(());
    }
    state::step(txn, app, &payment, Step::StepBack, detail).await?;
    purpose::wait_again(txn, app, &payment).await
}

/// Leaves it `APPROVING` and has the provider asked at once.
async fn doubt(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let now = app.clock.now();
    state::log(txn, app, id, now, IN_DOUBT, detail).await?;
    jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
}
