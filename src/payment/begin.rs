//! The first half of an approval: `APPROVING` is written before the call is made, by the one caller who then makes it.

use super::{approve, model::Step, query, reconcile::ReconcilePayment, state};
use crate::{
    app::App,
    error::{Error, Fault, Result},
    infra::jobs,
    transaction,
};
use chrono::TimeDelta;
use entity::{
    enums::PaymentStatus,
    ids::PaymentId,
    payment::Model,
    payment_event::{Column, Entity},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::time::Duration;

/// Longer than a provider takes to refuse a token that somebody made up; whoever waits at a browser bears it.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Another node's commit rings no bell here.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) enum Begun {
    /// The caller is to make the call.
    Ours(Box<Model>),
    /// Somebody else is making it, or nobody knows what became of it.
    Underway,
    /// The money was taken before.
    Over,
}

pub(super) async fn begin(app: &App, id: PaymentId) -> Result<Begun> {
    let attempt = app.ids.uuid().simple().to_string();
    let before = match transaction!(app, txn => write(txn, app, id, &attempt).await) {
        Err(Error::Fault(Fault::CommitInDoubt(error))) => {
            // The token in hand is good for this one call: it is not thrown away because an answer got lost.
            if !is_written(app, id, &attempt).await? {
                return Err(Fault::CommitInDoubt(error).into());
            }
            let ours = query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))?;
            Model { status: PaymentStatus::Ready, ..ours }
        }
        read => read?,
    };
    match before.status {
        PaymentStatus::Ready => Ok(Begun::Ours(Box::new(Model { status: PaymentStatus::Approving, ..before }))),
        PaymentStatus::Approving => Ok(Begun::Underway),
        PaymentStatus::Pending => Err(approve::in_doubt()),
        PaymentStatus::Failed | PaymentStatus::Expired => Err(approve::failed()),
        PaymentStatus::Approved | PaymentStatus::Canceling | PaymentStatus::Canceled => Ok(Begun::Over),
    }
}

/// Answers the payment as it was before.
async fn write(txn: &impl ConnectionTrait, app: &App, id: PaymentId, attempt: &str) -> Result<Model> {
    let payment = state::lock(txn, id).await?;
    if payment.status == PaymentStatus::Ready {
        let now = app.clock.now();
        let since = state::step(txn, app, &payment, Step::BeginApprove, attempt).await?;
        // If this process dies now, the reconciler finds out.
        let grace = TimeDelta::seconds(i64::try_from(app.config.booking.payment_grace_seconds).unwrap_or(20));
        jobs::enqueue(txn, &app.ids, now, now + grace, &ReconcilePayment::of(id, since)).await?;
    }
    Ok(payment)
}

/// Whether this very attempt is in the log.
async fn is_written(app: &App, id: PaymentId, attempt: &str) -> Result<bool> {
    let found = Entity::find().filter(Column::PaymentId.eq(id)).filter(Column::Detail.eq(attempt));
    Ok(found.one(app.db.reads()).await?.is_some())
}

/// Waits until somebody else's call has come to something, for as long as patience lasts.
pub(super) async fn wait(app: &App, id: PaymentId) -> Result<()> {
    let mut bell = app.db.committed();
    let waiting = async {
        while is_underway(app, id).await? {
            tokio::select! {
                _rung = bell.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok::<(), Error>(())
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or(Ok(()))
}

/// Not if its outcome is known to be in doubt: that is for the reconciler, and takes longer than anybody waits here.
async fn is_underway(app: &App, id: PaymentId) -> Result<bool> {
    let db = app.db.reads();
    let Some(payment) = query::by_id(db, id).await? else { return Ok(false) };
    if payment.status != PaymentStatus::Approving {
        return Ok(false);
    }
    let doubted = Entity::find()
        .filter(Column::PaymentId.eq(id))
        .filter(Column::Step.eq(approve::IN_DOUBT))
        .filter(Column::At.gte(payment.changed_at));
    Ok(doubted.one(db).await?.is_none())
}
