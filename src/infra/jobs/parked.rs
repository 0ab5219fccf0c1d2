//! What is parked waits for a person, and a person is told.

use super::{Job, Lane, enqueue};
use crate::{app::App, error::Result};
use entity::{
    ids::JobId,
    job::{Entity, Model},
};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};

/// Tells people of one parked job.
#[derive(Debug, Serialize, Deserialize)]
pub struct AlertParkedJob {
    job_id: JobId,
}

/// In the transaction that parks it. Nobody is told of telling that failed: it would go on for ever.
pub async fn plan(txn: &impl ConnectionTrait, app: &App, job: &Model) -> Result<()> {
    if job.name == AlertParkedJob::NAME {
        return Ok(());
    }
    let now = app.clock.now();
    enqueue(txn, &app.ids, now, now, &AlertParkedJob { job_id: job.id }).await.map(drop)
}

impl Job for AlertParkedJob {
    const NAME: &'static str = "alert_parked_job";
    const LANE: Lane = Lane::Alert;

    async fn run(self, app: &App) -> Result<()> {
        let Some(job) = Entity::find_by_id(self.job_id).one(app.db.reads()).await? else { return Ok(()) };
        if job.parked_at.is_none() {
            return Ok(());
        }
        let why = job.last_error.unwrap_or_default();
        let text = format!("The job {} ({}) is parked after {} attempts: {why}", job.id, job.name, job.attempts);
        app.alert.send(&text).await
    }
}
