//! `adminJobRetry`: a parked job is due again, with all its attempts before it.

use super::audit::{self, Actor, Change};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    transaction,
};
use chrono::{DateTime, Utc};
use entity::{
    ids::JobId,
    job::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::json;

pub async fn retry(app: &App, by: Actor, id: JobId) -> Result<Model> {
    transaction!(app, txn => retry_in(txn, app, by, id).await)
}

async fn retry_in(txn: &impl ConnectionTrait, app: &App, by: Actor, id: JobId) -> Result<Model> {
    let job = Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or_else(|| Error::not_found(&["jobId"]))?;
    let now = app.clock.now();
    let none = || Expr::value(None::<DateTime<Utc>>);
    let again = Entity::update_many()
        .col_expr(Column::ParkedAt, none())
        .col_expr(Column::LeaseUntil, none())
        .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::Faults, Expr::value(0))
        .col_expr(Column::RunAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::ParkedAt.is_not_null())
        .exec(txn)
        .await?;
    if again.rows_affected == 0 {
        let (ko, en) = ("멈춘 작업이 아닙니다.", "The job is not parked: it runs by itself.");
        return Err(Problem::new(Code::NotAllowed, &["jobId"], ko, en).into());
    }
    // Not its last error: that may say whom a letter was for.
    let before = json!({ "name": job.name, "attempts": job.attempts, "parkedAt": job.parked_at });
    let change = Change::new("job.retry", "job", id).before(before).after(json!({ "attempts": 0, "runAt": now }));
    audit::write(txn, app, by, change).await?;
    Ok(Model { parked_at: None, lease_until: None, lease_owner: None, attempts: 0, faults: 0, run_at: now, ..job })
}
