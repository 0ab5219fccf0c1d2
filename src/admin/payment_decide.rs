//! `adminPaymentDecide`: somebody who looked says what became of a payment that the provider gives no readable account of.
//!
//! The provider is asked once more, and what it says goes before what anybody says; while it is away, nobody's word counts.
//! Only then the word of the admin is written down and gone by, with its row of the audit log, in one transaction.

use super::{
    audit::{self, Actor},
    payment_change, payment_reconcile, reason,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    payment::{
        decide,
        decide::model::{Account, Unfit, Verdict, way},
        query, stuck,
    },
    transaction,
};
use chrono::{DateTime, Utc};
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

/// In the audit log.
const ACTION: &str = "payment.decide";

/// What an admin says.
#[derive(Clone, Debug)]
pub struct Word {
    pub payment: PaymentId,
    pub verdict: Verdict,
    pub reason: String,
}

/// Whose word it went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    Admin,
    Provider,
}

/// Goes by the provider's account if there is one, and by the admin's word otherwise.
pub async fn ask_or_go_by_word(app: &App, by: Actor, word: &Word) -> Result<(Model, DecidedBy)> {
    let reason = reason::check(&word.reason)?;
    let id = word.payment;
    let before = found(app, id).await?;
    check(app, &before, word.verdict)?;
    match decide::ask_first(app, &before).await? {
        None => return Err(away()),
        Some(Account::StillThere(won)) => return Err(still_there(won)),
        Some(Account::Tells) => {
            let claim = claim(word.verdict, &reason);
            let after = payment_reconcile::ask(app, by, before, ACTION, Some(claim)).await?;
            return Ok((after, DecidedBy::Provider));
        }
        Some(Account::Silent) => {}
    }
    if !transaction!(app, txn => write(txn, app, by, &before, word.verdict, &reason).await)? {
        return Err(too_late());
    }
    Ok((found(app, id).await?, DecidedBy::Admin))
}

async fn found(app: &App, id: PaymentId) -> Result<Model> {
    query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))
}

/// The decision with its row of the audit log; false, with nothing written, if somebody was faster.
async fn write(
    txn: &impl ConnectionTrait,
    app: &App,
    by: Actor,
    before: &Model,
    verdict: Verdict,
    reason: &str,
) -> Result<bool> {
    let id = before.id;
    let detail = format!("{verdict:?} by {}: {reason}", by.admin);
    if !decide::go_by_word(txn, app, before, verdict, &detail).await? {
        return Ok(false);
    }
    let after = query::by_id(txn, id).await?.ok_or_else(|| Error::fault("a payment is never removed"))?;
    let change = payment_change::change(ACTION, before, &after, false, Some(claim(verdict, reason)));
    audit::write(txn, app, by, change).await?;
    Ok(true)
}

fn claim(verdict: Verdict, reason: &str) -> Value {
    match verdict {
        Verdict::NotTaken => json!({ "outcome": "NOT_TAKEN", "reason": reason }),
        Verdict::Returned(amount) => json!({ "outcome": "RETURNED", "takenAmount": amount, "reason": reason }),
        Verdict::Taken(amount) => json!({ "outcome": "TAKEN", "takenAmount": amount, "reason": reason }),
    }
}

/// In doubt for so long that people were told: before, the call may still be out, and the reconciler has hardly begun.
fn check(app: &App, payment: &Model, verdict: Verdict) -> Result<()> {
    way(payment.status, payment.amount, payment.taken_amount, verdict).map_err(|unfit| unfit_for(payment, unfit))?;
    let from = payment.changed_at + stuck::patience(app);
    if app.clock.now() > from { Ok(()) } else { Err(too_early(from)) }
}

fn unfit_for(payment: &Model, unfit: Unfit) -> Error {
    let (path, ko, en) = match unfit {
        Unfit::NotInDoubt if payment.status == PaymentStatus::Pending => (
            "paymentId",
            "결제 페이지가 없어 돈이 빠져나갈 수 없습니다. 시간이 지나면 저절로 만료됩니다.".to_owned(),
            "It has no page, so that nobody can have paid: it lapses by itself.".to_owned(),
        ),
        Unfit::NotInDoubt => (
            "paymentId",
            "결과를 모르는 결제가 아닙니다.".to_owned(),
            "Nothing about this payment is in doubt.".to_owned(),
        ),
        Unfit::OnItsWayBack => (
            "outcome",
            "환불 중인 결제입니다. RETURNED로만 결정할 수 있습니다.".to_owned(),
            "The money is on its way back: all that can be said of it is RETURNED.".to_owned(),
        ),
        Unfit::AnotherAmount(taken) => (
            "takenAmount",
            format!("{taken}원이 결제되었습니다. 전액이 환불된 뒤에 결정해 주세요."),
            format!("{taken} won were taken: decide when all of it is back."),
        ),
    };
    Problem::new(Code::NotAllowed, &[path], ko, en).into()
}

fn too_early(from: DateTime<Utc>) -> Error {
    let from = from.format("%Y-%m-%dT%H:%M:%SZ");
    let ko = format!("아직 결제사에 확인하고 있습니다. {from} 뒤에 결정할 수 있습니다.");
    let en = format!("The provider is still being asked. It can be decided after {from}.");
    Problem::new(Code::NotAllowed, &["paymentId"], ko, en).into()
}

fn away() -> Error {
    let ko = "결제사가 응답하지 않습니다. 다시 응답할 때 결정해 주세요.";
    let en = "The provider does not answer. Decide when it answers again.";
    Problem::new(Code::NotAllowed, &["paymentId"], ko, en).into()
}

fn still_there(won: i64) -> Error {
    let ko = format!("결제사에 아직 {won}원이 남아 있습니다. 결제사에서 환불한 뒤에 결정해 주세요.");
    let en = format!("The provider says that {won} won are still there: decide when they are given back there.");
    Problem::new(Code::NotAllowed, &["outcome"], ko, en).into()
}

fn too_late() -> Error {
    let ko = "그 사이에 결제 상태가 바뀌었습니다. 다시 확인해 주세요.";
    Problem::new(Code::NotAllowed, &["paymentId"], ko, "The payment has changed meanwhile: look again.").into()
}
