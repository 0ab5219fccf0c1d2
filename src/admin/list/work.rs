//! The jobs, and what of them is stuck.

use super::one_of;
use crate::{
    error::Result,
    infra::jobs::Lane,
    page::{self, Key, Page, Sorting, Window},
};
use chrono::{DateTime, Utc};
use entity::{
    ids::{JobId, TypedId},
    job::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter};
use serde_json::Value;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Parked,
    Queued,
    Running,
}

pub fn state(job: &Model, now: DateTime<Utc>) -> JobState {
    if job.parked_at.is_some() {
        JobState::Parked
    } else if job.lease_until.is_some_and(|until| until >= now) {
        JobState::Running
    } else {
        JobState::Queued
    }
}

pub fn is_parked() -> Condition {
    Condition::all().add(Column::ParkedAt.is_not_null())
}

/// Its time has come, whether a worker has it by now or not. The lanes are named because the index begins with them.
pub fn is_due(now: DateTime<Utc>) -> Condition {
    let is_ours = Column::Lane.is_in(Lane::ALL.map(Lane::number));
    Condition::all().add(is_ours).add(Column::ParkedAt.is_null()).add(Column::RunAt.lte(now))
}

/// Which jobs; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    pub ids: Option<Vec<JobId>>,
    pub state: Option<JobState>,
    pub name: Option<String>,
}

/// By when they are due: what has waited longest first.
pub async fn jobs(db: &impl ConnectionTrait, now: DateTime<Utc>, filter: Jobs, window: &Window) -> Result<Page<Model>> {
    let is_going = || Condition::all().add(Column::ParkedAt.is_null());
    let is_free = || Condition::any().add(Column::LeaseUntil.is_null()).add(Column::LeaseUntil.lt(now));
    let all = one_of(Column::Id, filter.ids).add_option(filter.name.map(|name| Column::Name.eq(name)));
    let all = all.add_option(filter.state.map(|state| match state {
        JobState::Parked => is_parked(),
        JobState::Queued => is_going().add(is_free()),
        JobState::Running => is_going().add(Column::LeaseUntil.gte(now)),
    }));
    let sorting = Sorting {
        at: Some(Column::RunAt),
        id: Column::Id,
        order: Order::Asc,
        key: |row: &Model| Key { at: page::moment(row.run_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, Entity::find().filter(all), &sorting, window).await
}

/// What a job is about, as an admin may see it: ids, numbers and flags. Some carry an address or what a code is made of; texts
/// that are not ids are left out.
pub fn shown(payload: &str) -> String {
    let value = serde_json::from_str(payload).map_or(Value::Null, veiled);
    value.to_string()
}

fn veiled(value: Value) -> Value {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(&text).is_err() => Value::String("…".to_owned()),
        Value::Array(items) => items.into_iter().map(veiled).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, veiled(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_job_shows_its_ids_and_no_text() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        for (payload, shown) in [
            (format!(r#"{{"booking_id":"{id}"}}"#), format!(r#"{{"booking_id":"{id}"}}"#)),
            (
                r#"{"email":"mina@example.kr","is_english":true}"#.to_owned(),
                r#"{"email":"…","is_english":true}"#.to_owned(),
            ),
            (r#"[["secret"],7]"#.to_owned(), r#"[["…"],7]"#.to_owned()),
            ("null".to_owned(), "null".to_owned()),
            ("not json".to_owned(), "null".to_owned()),
        ] {
            assert_eq!(super::shown(&payload), shown);
        }
    }
}
