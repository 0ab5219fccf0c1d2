//! What comes again and again: one row for each schedule, whose id is made from its name, so that any number of nodes
//! plan it once.

use crate::{app::App, error::Result, transaction};
use chrono::{DateTime, Utc};
use entity::{
    ids::JobId,
    job::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, SqlErr, sea_query::Expr};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Plans every schedule that is not planned yet, to be done now. Called at the start of each node.
pub async fn plan_schedules(app: &App) -> Result<()> {
    for name in app.jobs.schedules() {
        let id = id_of(name);
        if Entity::find_by_id(id).one(app.db.reads()).await?.is_none() {
            plan(app, id, name).await?;
        }
    }
    Ok(())
}

async fn plan(app: &App, id: JobId, name: &str) -> Result<()> {
    let now = app.clock.now();
    transaction!(app, txn => {
        let row = ActiveModel {
            id: Set(id),
            name: Set(name.to_owned()),
            lane: Set(app.jobs.lane(name).number()),
            payload: Set("null".to_owned()),
            run_at: Set(now),
            attempts: Set(0),
            faults: Set(0),
            created_at: Set(now),
            ..ActiveModel::default()
        };
        match Entity::insert(row).exec_without_returning(txn).await {
            // Another node was a moment earlier.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(()),
            planned => planned.map(drop).map_err(Into::into),
        }
    })
}

fn id_of(name: &str) -> JobId {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, from)| *byte = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
}

/// Done for now. Not planned again by a node whose lease ran out meanwhile: then another one has it.
pub(super) async fn again(app: &App, job: &Model, every: Duration) -> Result<()> {
    let run_at = app.clock.now() + every;
    transaction!(app, txn => {
        Ok(Entity::update_many()
            .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
            .col_expr(Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::LastError, Expr::value(None::<String>))
            .col_expr(Column::Attempts, Expr::value(0))
            .col_expr(Column::RunAt, Expr::value(run_at))
            // An older version may have planned it for another one.
            .col_expr(Column::Lane, Expr::value(app.jobs.lane(&job.name).number()))
            .filter(Column::Id.eq(job.id))
            .filter(Column::Attempts.eq(job.attempts + 1))
            .filter(Column::LeaseOwner.eq(app.node.as_ref()))
            .exec(txn)
            .await?)
    })
    .map(drop)
}
