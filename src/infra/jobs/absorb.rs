//! Many rows that ask for the same are done once.

use super::{Job, run::is_free};
use crate::{
    app::App,
    error::{Error, Result},
    infra::db::padded,
    transaction,
};
use chrono::{DateTime, Utc};
use entity::{
    ids::JobId,
    job::{Column, Entity},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};

/// In one go; the next one follows with the next row.
const MOST: u64 = 500;

/// Removes the rows that wait for the same as the one that runs: they were committed before, so what it reads from now on
/// has what they stand for. It must be called before the first reading; the row that runs stays until it is done.
pub async fn absorb<J: Job>(app: &App, job: &J) -> Result<()> {
    let now = app.clock.now();
    let ids: Vec<JobId> = waiting(std::slice::from_ref(job), now)?.limit(MOST).into_tuple().all(app.db.reads()).await?;
    if ids.is_empty() {
        return Ok(());
    }
    transaction!(app, txn => remove(txn, &ids, now).await)
}

/// Whether a row waits for the same that nobody has begun. Whatever was committed before this is asked, it will find: it is
/// removed only by one that has not read yet. (One whose lease ran out may be under way all the same, and have read.)
pub async fn is_waiting<J: Job>(app: &App, job: &J) -> Result<bool> {
    let waiting = waiting(std::slice::from_ref(job), app.clock.now())?.filter(Column::LeaseUntil.is_null());
    let first: Option<JobId> = waiting.limit(1).into_tuple().one(app.db.reads()).await?;
    Ok(first.is_some())
}

/// Removes the rows that wait for these, in the transaction that has done what they ask for. One that runs already finds
/// it done.
pub async fn forget<J: Job>(txn: &impl ConnectionTrait, jobs: &[J], now: DateTime<Utc>) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    // Looked for first: a deletion by text would lock, on MySQL, whatever it passes.
    let mut ids: Vec<JobId> = waiting(jobs, now)?.into_tuple().all(txn).await?;
    ids.sort_unstable();
    remove(txn, &ids, now).await
}

fn waiting<J: Job>(jobs: &[J], now: DateTime<Utc>) -> Result<Select<Entity>> {
    let payloads = jobs.iter().map(|job| serde_json::to_string(job).map_err(|error| Error::fault(error.to_string())));
    Ok(Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Lane.eq(J::LANE.number()))
        .filter(Column::Name.eq(J::NAME))
        .filter(Column::Payload.is_in(padded(payloads.collect::<Result<Vec<_>>>()?)))
        .filter(Column::ParkedAt.is_null())
        .filter(Column::RunAt.lte(now))
        .filter(is_free(now)))
}

async fn remove(txn: &impl ConnectionTrait, ids: &[JobId], now: DateTime<Utc>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let of = padded(ids.iter().copied());
    Entity::delete_many().filter(Column::Id.is_in(of)).filter(is_free(now)).exec(txn).await?;
    Ok(())
}
