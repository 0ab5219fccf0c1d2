//! Many rows that ask for the same are done once.

use super::{Job, run::is_free};
use crate::{
    app::App,
    error::{Error, Result},
    transaction,
};
use entity::{
    ids::JobId,
    job::{Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

/// In one go; the next one follows with the next row.
const MOST: u64 = 500;

/// Removes the rows that wait for the same as the one that runs: they were committed before, so what it reads from now on
/// has what they stand for. It must be called before the first reading; the row that runs stays until it is done.
pub async fn absorb<J: Job>(app: &App, job: &J) -> Result<()> {
    let payload = serde_json::to_string(job).map_err(|error| Error::fault(error.to_string()))?;
    let now = app.clock.now();
    let waiting = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Lane.eq(J::LANE.number()))
        .filter(Column::Name.eq(J::NAME))
        .filter(Column::Payload.eq(payload))
        .filter(Column::ParkedAt.is_null())
        .filter(Column::RunAt.lte(now))
        .filter(is_free(now));
    let ids: Vec<JobId> = waiting.limit(MOST).into_tuple().all(app.db.reads()).await?;
    if ids.is_empty() {
        return Ok(());
    }
    transaction!(app, txn => {
        Ok(Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).filter(is_free(now)).exec(txn).await?)
    })
    .map(drop)
}
