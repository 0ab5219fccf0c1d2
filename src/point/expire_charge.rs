//! A charge that nobody paid lapses. Unlike a hold it keeps nothing from anybody, so there is time to ask the provider
//! first, however long the provider is away.

use crate::{
    app::App,
    error::{Error, Result},
    infra::{
        jobs,
        jobs::{Job, Lane},
        kakaopay::Money,
    },
    payment::{self, model::Step, reconcile::ReconcilePayment},
    transaction,
};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireCharge {
    payment_id: PaymentId,
}

/// To be done when the time to pay is over.
pub async fn plan(txn: &impl ConnectionTrait, app: &App, payment: &Model) -> Result<()> {
    let minutes = i64::try_from(app.config.points.charge_minutes).unwrap_or(15);
    let (now, due) = (app.clock.now(), payment.created_at + TimeDelta::minutes(minutes));
    jobs::enqueue(txn, &app.ids, now, due, &ExpireCharge { payment_id: payment.id }).await.map(drop)
}

impl Job for ExpireCharge {
    const NAME: &'static str = "expire_charge";
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let Some(payment) = payment::query::by_id(app.db.reads(), self.payment_id).await? else { return Ok(()) };
        let is_waiting = matches!(payment.status, PaymentStatus::Pending | PaymentStatus::Ready);
        if !is_waiting {
            return Ok(());
        }
        let was_taken = was_taken(app, &payment).await?;
        transaction!(app, txn => end(txn, app, payment.id, was_taken).await)
    }
}

/// Without an approve call of ours the provider takes nothing; that it did not is asked all the same.
async fn was_taken(app: &App, payment: &Model) -> Result<bool> {
    let Some(order) = payment::ask::order(app, payment).await? else { return Ok(false) };
    match order.money() {
        Money::Taken { .. } => Ok(true),
        Money::NotYet | Money::Never => Ok(false),
        Money::Unreadable => Err(Error::Unavailable(format!("kakaopay: asked about {}: {order}", payment.id))),
    }
}

async fn end(txn: &impl ConnectionTrait, app: &App, id: PaymentId, was_taken: bool) -> Result<()> {
    let payment = payment::state::lock(txn, id).await?;
    match payment.status {
        PaymentStatus::Ready if was_taken => {
            payment::state::step(txn, app, &payment, Step::BeginApprove, "taken without being asked for").await?;
            let now = app.clock.now();
            jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
        }
        PaymentStatus::Pending | PaymentStatus::Ready => {
            payment::state::step(txn, app, &payment, Step::Lapse, "nobody paid in time").await.map(drop)
        }
        PaymentStatus::Approving
        | PaymentStatus::Approved
        | PaymentStatus::Canceling
        | PaymentStatus::Canceled
        | PaymentStatus::Failed
        | PaymentStatus::Expired => Ok(()),
    }
}
