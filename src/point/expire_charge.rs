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
        let asked = ask(app, &payment).await?;
        transaction!(app, txn => end(txn, app, payment.id, &asked).await)
    }
}

/// Without an approve call of ours the provider takes nothing; that it did not is asked all the same.
struct Asked {
    was_taken: bool,
    /// For the log of the payment.
    said: String,
}

async fn ask(app: &App, payment: &Model) -> Result<Asked> {
    let Some(order) = payment::ask::order(app, payment).await? else {
        return Ok(Asked { was_taken: false, said: "the provider knows no such payment".to_owned() });
    };
    let was_taken = match order.money() {
        Money::Taken { .. } => true,
        Money::NotYet | Money::Never => false,
        Money::Unreadable => {
            return Err(Error::Unavailable(format!("kakaopay: asked about {}: {order}", payment.id)));
        }
    };
    Ok(Asked { was_taken, said: order.to_string() })
}

async fn end(txn: &impl ConnectionTrait, app: &App, id: PaymentId, asked: &Asked) -> Result<()> {
    let payment = payment::state::lock(txn, id).await?;
    match payment.status {
        PaymentStatus::Ready if asked.was_taken => {
            let why = format!("taken without being asked for: {}", asked.said);
            payment::state::step(txn, app, &payment, Step::BeginApprove, &why).await?;
            let now = app.clock.now();
            jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
        }
        PaymentStatus::Pending | PaymentStatus::Ready => {
            let why = format!("nobody paid in time: {}", asked.said);
            payment::state::step(txn, app, &payment, Step::Lapse, &why).await.map(drop)
        }
        PaymentStatus::Approving
        | PaymentStatus::Approved
        | PaymentStatus::Canceling
        | PaymentStatus::Canceled
        | PaymentStatus::Failed
        | PaymentStatus::Expired => Ok(()),
    }
}
