//! Holds come to an end. Unlike the others these rules look at the clock and at the outbox, and each is more than one
//! statement: what seems to break them is looked at once more.

use super::Outcome;
use crate::{
    app::App,
    booking::{expire::ExpireBooking, query::undoubted},
    error::{Error, Result},
    infra::jobs::Job,
};
use chrono::TimeDelta;
use entity::{
    booking::{Column, Model},
    ids::BookingId,
    job,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;

/// Their slugs, and in words.
pub(super) const RULES: [(&str, &str); 2] = [
    ("holds_end_in_time", "no hold is over for a minute unless its payment is in doubt"),
    ("holds_have_their_job", "each hold has the job that ends it"),
];

/// Due holds are released within two seconds; a worker that comes back after an outage has this long.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// For one list of ids in a statement.
const PART: usize = 500;

pub(super) async fn check(app: &App) -> Result<Vec<Outcome>> {
    let db = app.db.reads();
    let (holds, jobs) = (undoubted().all(db).await?, jobs(app).await?);
    let over = app.clock.now() - PATIENCE;
    let is_late = |hold: &&Model| hold.expires_at.is_none_or(|expires_at| expires_at < over);
    let late: Vec<BookingId> = holds.iter().filter(is_late).map(|hold| hold.id).collect();
    let mut endless = Vec::new();
    for hold in &holds {
        if !jobs.contains(&payload(hold.id)?) {
            endless.push(hold.id);
        }
    }
    let broken = [still(app, &late).await?, still(app, &endless).await?];
    let outcomes = RULES.into_iter().zip(broken);
    Ok(outcomes.map(|((slug, rule), broken)| Outcome { slug, rule, broken }).collect())
}

async fn jobs(app: &App) -> Result<HashSet<String>> {
    let rows: Vec<String> = job::Entity::find()
        .select_only()
        .column(job::Column::Payload)
        .filter(job::Column::Name.eq(ExpireBooking::NAME))
        .filter(job::Column::ParkedAt.is_null())
        .into_tuple()
        .all(app.db.reads())
        .await?;
    Ok(rows.into_iter().collect())
}

fn payload(booking_id: BookingId) -> Result<String> {
    serde_json::to_string(&ExpireBooking { booking_id }).map_err(|error| Error::fault(error.to_string()))
}

/// How many of them still stand so: between two readings a hold is paid, or released together with its job.
async fn still(app: &App, ids: &[BookingId]) -> Result<i64> {
    let mut count = 0;
    for part in ids.chunks(PART) {
        let rows = undoubted().filter(Column::Id.is_in(part.iter().copied())).all(app.db.reads()).await?;
        count += rows.len();
    }
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}
