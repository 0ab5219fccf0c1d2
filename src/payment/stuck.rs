//! A payment that is in doubt for too long is told to people, once: the reconciler goes on asking, but somebody should look.

use super::{query, state};
use crate::{
    app::App,
    error::Result,
    infra::{
        jobs,
        jobs::{Job, Lane},
    },
    transaction,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    enums::PaymentStatus,
    ids::PaymentId,
    payment::{Column, Entity, Model},
    payment_event,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// In the log of a payment: people were told that it is stuck in the status that it has had since before.
const TOLD: &str = "StuckTold";
/// In one round; the next ones follow a minute later.
const MOST: u64 = 100;

/// Looks for payments that are stuck.
#[derive(Debug, Serialize, Deserialize)]
pub struct WatchPayments;

impl Job for WatchPayments {
    const NAME: &'static str = "watch_payments";
    const LANE: Lane = Lane::Alert;
    const EVERY: Option<Duration> = Some(Duration::from_secs(60));

    async fn run(self, app: &App) -> Result<()> {
        for payment in stuck(app).await? {
            transaction!(app, txn => tell(txn, app, payment.id, payment.changed_at).await)?;
        }
        Ok(())
    }
}

/// How long a payment may be in doubt before people are told.
pub fn patience(app: &App) -> TimeDelta {
    TimeDelta::minutes(i64::try_from(app.config.alert.payment_stuck_minutes).unwrap_or(10))
}

/// In doubt (an old `PENDING` is: its page may be there) for too long, and nobody was told of it yet.
async fn stuck(app: &App) -> Result<Vec<Model>> {
    let told = Query::select()
        .expr(Expr::value(1))
        .from(payment_event::Entity)
        .and_where(Expr::col((payment_event::Entity, payment_event::Column::PaymentId)).equals((Entity, Column::Id)))
        .and_where(payment_event::Column::Step.eq(TOLD))
        .and_where(
            Expr::col((payment_event::Entity, payment_event::Column::At)).gte(Expr::col((Entity, Column::ChangedAt))),
        )
        .to_owned();
    let rows = Entity::find()
        .filter(Column::Status.is_in([PaymentStatus::Pending, PaymentStatus::Approving, PaymentStatus::Canceling]))
        .filter(Column::ChangedAt.lt(app.clock.now() - patience(app)))
        .filter(Condition::all().not().add(Expr::exists(told)))
        .order_by_asc(Column::ChangedAt)
        .limit(MOST)
        .all(app.db.reads())
        .await?;
    Ok(rows)
}

async fn tell(txn: &impl ConnectionTrait, app: &App, id: PaymentId, since: DateTime<Utc>) -> Result<()> {
    let payment = state::lock(txn, id).await?;
    // It went on meanwhile, or another node was faster.
    if payment.changed_at != since || was_told(txn, &payment).await? {
        return Ok(());
    }
    let now = app.clock.now();
    state::log(txn, app, id, now, TOLD, &format!("{:?} since {since}", payment.status)).await?;
    jobs::enqueue(txn, &app.ids, now, now, &AlertStuckPayment { payment_id: id }).await.map(drop)
}

async fn was_told(txn: &impl ConnectionTrait, payment: &Model) -> Result<bool> {
    use payment_event::Column;
    let found = payment_event::Entity::find()
        .filter(Column::PaymentId.eq(payment.id))
        .filter(Column::Step.eq(TOLD))
        .filter(Column::At.gte(payment.changed_at))
        .one(txn)
        .await?;
    Ok(found.is_some())
}

/// Tells people of one payment.
#[derive(Debug, Serialize, Deserialize)]
pub struct AlertStuckPayment {
    payment_id: PaymentId,
}

impl Job for AlertStuckPayment {
    const NAME: &'static str = "alert_stuck_payment";
    const LANE: Lane = Lane::Alert;

    async fn run(self, app: &App) -> Result<()> {
        let Some(payment) = query::by_id(app.db.reads(), self.payment_id).await? else { return Ok(()) };
        let minutes = (app.clock.now() - payment.changed_at).num_minutes();
        let text = format!(
            "{} over {} won ({:?}) has been {:?} for {minutes} min. It is asked about again and again; see the admin's payments, and decide it if the provider never tells.",
            payment.id, payment.amount, payment.purpose, payment.status,
        );
        app.alert.send(&text).await
    }
}
