//! A charge that nobody paid lapses. Unlike a hold it keeps nothing from anybody, so there is time to ask the provider
//! first. Asked in vain for as long as an alert waits, it is in doubt like any other payment: people are told of it, the
//! reconciler goes on asking, and an admin may decide it.

use crate::{
    app::App,
    error::{Error, Result},
    infra::{
        jobs,
        jobs::{Job, Lane},
        kakaopay::Money,
    },
    payment::{self, ask::Answer, model::Step, reconcile::ReconcilePayment, stuck},
    transaction,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireCharge {
    payment_id: PaymentId,
}

/// To be done when the time to pay is over.
pub async fn plan(txn: &impl ConnectionTrait, app: &App, payment: &Model) -> Result<()> {
    let (now, due) = (app.clock.now(), due(app, payment));
    jobs::enqueue(txn, &app.ids, now, due, &ExpireCharge { payment_id: payment.id }).await.map(drop)
}

fn due(app: &App, payment: &Model) -> DateTime<Utc> {
    payment.created_at + TimeDelta::minutes(i64::try_from(app.config.points.charge_minutes).unwrap_or(15))
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
    is_unpaid: bool,
    /// For the log of the payment.
    said: String,
}

async fn ask(app: &App, payment: &Model) -> Result<Asked> {
    match ask_once(app, payment).await {
        Err(Error::Unavailable(said)) if app.clock.now() > due(app, payment) + stuck::patience(app) => {
            Ok(Asked { is_unpaid: false, said })
        }
        asked => asked,
    }
}

async fn ask_once(app: &App, payment: &Model) -> Result<Asked> {
    let answer = payment::ask::order(app, payment).await?;
    let said = answer.to_string();
    let money = match &answer {
        Answer::Order(order) => order.money(),
        Answer::Unknown => Money::Never,
        Answer::Unreadable(_) => Money::Unreadable,
    };
    match money {
        Money::Taken { .. } => Ok(Asked { is_unpaid: false, said: format!("taken without being asked for: {said}") }),
        Money::NotYet | Money::Never => Ok(Asked { is_unpaid: true, said }),
        Money::Unreadable => Err(Error::Unavailable(format!("kakaopay: asked about {}: {said}", payment.id))),
    }
}

async fn end(txn: &impl ConnectionTrait, app: &App, id: PaymentId, asked: &Asked) -> Result<()> {
    let payment = payment::state::lock(txn, id).await?;
    match payment.status {
        PaymentStatus::Ready if !asked.is_unpaid => {
            payment::state::step(txn, app, &payment, Step::BeginApprove, &asked.said).await?;
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
