//! A job that takes long keeps its lease; one whose node is gone loses it, within the time of one lease.

use crate::{app::App, error::Result, transaction};
use chrono::TimeDelta;
use entity::job::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use std::{convert::Infallible, time::Duration};

/// For as long as it is polled.
pub(super) async fn renew(app: &App, job: &Model) -> Infallible {
    let third = Duration::from_millis(app.config.worker.lease_seconds.saturating_mul(1_000) / 3);
    loop {
        tokio::time::sleep(third).await;
        if let Err(error) = extend(app, job).await {
            tracing::warn!(job = %job.id, %error, "a lease is not renewed");
        }
    }
}

/// Not if it ran out and another node has it now.
async fn extend(app: &App, job: &Model) -> Result<()> {
    let life = TimeDelta::seconds(i64::try_from(app.config.worker.lease_seconds).unwrap_or(30));
    let until = app.clock.now() + life;
    transaction!(app, txn => {
        let update = Entity::update_many()
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .filter(Column::Id.eq(job.id))
            .filter(Column::LeaseOwner.eq(app.node.as_ref()))
            .filter(Column::Attempts.eq(job.attempts + 1));
        Ok(update.exec(txn).await?)
    })
    .map(drop)
}
