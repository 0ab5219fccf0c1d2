//! The life of one row: claimed, run, then removed, put off, or parked; given up, if it carries an address.

use super::{Lane, lease, parked, schedule};
use crate::transaction;
use crate::{app::App, error::Error, error::Result};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    ids::JobId,
    job::{Column, Entity, Model},
};
use futures_util::{StreamExt, stream};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::panic::AssertUnwindSafe;

/// How many rows are looked at in one round.
const BATCH: u64 = 64;

/// Does what is due now, and answers how many jobs were run.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut jobs = Vec::new();
    for lane in Lane::ALL {
        jobs.extend(due(app, lane, BATCH).await?);
    }
    let ran = stream::iter(jobs)
        .map(|job| async move {
            let mut ran = 0;
            for claimed in turn_over(app, &[], vec![job]).await? {
                let done = perform(app, claimed).await?;
                turn_over(app, done.as_slice(), Vec::new()).await?;
                ran += 1;
            }
            Ok::<usize, Error>(ran)
        })
        .buffer_unordered(app.config.worker.concurrency)
        .collect::<Vec<_>>()
        .await;
    ran.into_iter().sum()
}

/// Removes those that are done, and claims up to `most` jobs of a lane that are due.
pub(super) async fn next(app: &App, lane: Lane, done: &[JobId], most: usize) -> Result<Vec<Model>> {
    let jobs = due(app, lane, u64::try_from(most).unwrap_or(BATCH)).await?;
    turn_over(app, done, jobs).await
}

pub(super) fn is_free(now: DateTime<Utc>) -> Condition {
    Condition::any().add(Column::LeaseUntil.is_null()).add(Column::LeaseUntil.lt(now))
}

async fn due(app: &App, lane: Lane, most: u64) -> Result<Vec<Model>> {
    let now = app.clock.now();
    let rows = Entity::find()
        .filter(Column::Lane.eq(lane.number()))
        .filter(Column::ParkedAt.is_null())
        .filter(Column::RunAt.lte(now))
        .filter(is_free(now))
        .order_by_asc(Column::RunAt)
        .order_by_asc(Column::Id)
        .limit(most)
        .all(app.db.reads())
        .await?;
    Ok(rows)
}

/// Removes what is done, and answers those of `jobs` that no other node was quicker to take. One commit for all of it: it
/// costs more than the statements.
async fn turn_over(app: &App, done: &[JobId], jobs: Vec<Model>) -> Result<Vec<Model>> {
    if done.is_empty() && jobs.is_empty() {
        return Ok(jobs);
    }
    let now = app.clock.now();
    let until = now + TimeDelta::seconds(i64::try_from(app.config.worker.lease_seconds).unwrap_or(30));
    transaction!(app, txn => {
        if !done.is_empty() {
            Entity::delete_many().filter(Column::Id.is_in(done.iter().copied())).exec(txn).await?;
        }
        let mut claimed = Vec::new();
        for job in &jobs {
            let update = Entity::update_many()
                .col_expr(Column::LeaseOwner, Expr::value(app.node.as_ref()))
                .col_expr(Column::LeaseUntil, Expr::value(until))
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                .filter(Column::Id.eq(job.id))
                .filter(Column::Attempts.eq(job.attempts))
                .filter(is_free(now));
            if update.exec(txn).await?.rows_affected == 1 {
                claimed.push(job.clone());
            }
        }
        Ok(claimed)
    })
}

/// Runs it. Answers its id if it is done, and only its row is left to be removed.
pub(super) async fn perform(app: &App, job: Model) -> Result<Option<JobId>> {
    let attempt = job.attempts + 1;
    let outcome = match app.jobs.runner(&job.name) {
        Some(runner) => {
            let running = AssertUnwindSafe(runner(app.clone(), job.payload.clone()));
            let running = futures_util::FutureExt::catch_unwind(running);
            tokio::select! {
                outcome = running => outcome.unwrap_or_else(|_| Err(Error::fault("the job panicked"))),
                never = lease::renew(app, &job) => match never {},
            }
        }
        None => Err(Error::fault("no code knows a job of this name")),
    };
    match outcome {
        Ok(()) => match app.jobs.every(&job.name) {
            Some(every) => schedule::again(app, &job, every).await.map(|()| None),
            None => Ok(Some(job.id)),
        },
        Err(error) => {
            tracing::warn!(job = %job.id, name = job.name, attempt, %error, "job failed");
            put_off(app, &job, attempt, &error).await.map(|()| None)
        }
    }
}

/// 1 s, 2 s, 4 s … up to 10 min, with up to half as much again at random, so that failures do not come back in step.
async fn put_off(app: &App, job: &Model, attempt: i32, error: &Error) -> Result<()> {
    let now = app.clock.now();
    let most = i32::try_from(app.config.worker.max_attempts).unwrap_or(i32::MAX);
    // Somebody else is down, for however long: nothing is wrong with the job, and money may hang on it.
    let is_ours = !error.is_away();
    // A schedule that is parked would never come again.
    let may_park = is_ours && app.jobs.every(&job.name).is_none();
    let faults = job.faults + i32::from(is_ours);
    let parked_at = ((faults >= most || error.is_hopeless()) && may_park).then_some(now);
    if parked_at.is_some() && app.jobs.carries_address(&job.name) {
        return give_up(app, job, attempt).await;
    }
    let doublings = u32::try_from((attempt - 1).clamp(0, 20)).unwrap_or(0);
    let seconds = 2_i64.saturating_pow(doublings).clamp(1, 600);
    let jitter = i64::try_from(app.ids.below(u64::try_from(seconds * 500).unwrap_or(500))).unwrap_or(0);
    let run_at = now + TimeDelta::seconds(seconds) + TimeDelta::milliseconds(jitter);
    let message: String = error.to_string().chars().take(400).collect();
    transaction!(app, txn => {
        let put_off = Entity::update_many()
            .col_expr(Column::Faults, Expr::value(faults))
            .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
            .col_expr(Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::RunAt, Expr::value(run_at))
            .col_expr(Column::ParkedAt, Expr::value(parked_at))
            .col_expr(Column::LastError, Expr::value(message.clone()))
            .filter(Column::Id.eq(job.id))
            // Not if its lease ran out and another has it now.
            .filter(Column::Attempts.eq(attempt))
            .exec(txn)
            .await?;
        // A mailbox that is no more is no news for who runs this.
        if put_off.rows_affected == 1 && parked_at.is_some() && !error.is_hopeless() {
            parked::plan(txn, app, job).await?;
        }
        Ok(())
    })
}

/// The row goes, and the address with it: see [`super::Job::CARRIES_ADDRESS`].
async fn give_up(app: &App, job: &Model, attempt: i32) -> Result<()> {
    tracing::warn!(job = %job.id, name = job.name, attempt, "job given up");
    transaction!(app, txn => {
        let this = Entity::delete_many().filter(Column::Id.eq(job.id)).filter(Column::Attempts.eq(attempt));
        this.exec(txn).await?;
        Ok(())
    })
}
