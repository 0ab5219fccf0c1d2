//! The rules, looked at by themselves: once for all nodes, every `audit.every_minutes`. What was found is a row for each rule,
//! so that whichever node is asked shows it. A rule that becomes broken is told to people once; broken anew, once more.
//!
//! The schedule comes every minute and looks whether it is time: another setting counts from the next start on, with nothing
//! to plan anew.

use super::{Outcome, check, named};
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
use entity::invariant_check::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, time::Duration};

/// Checks every rule, if it is time.
#[derive(Debug, Serialize, Deserialize)]
pub struct WatchInvariants;

impl Job for WatchInvariants {
    const NAME: &'static str = "watch_invariants";
    const EVERY: Option<Duration> = Some(Duration::from_secs(60));

    async fn run(self, app: &App) -> Result<()> {
        let minutes = i64::try_from(app.config.audit.every_minutes).unwrap_or(0);
        let now = app.clock.now();
        if minutes == 0 || last(app).await?.at.is_some_and(|at| now < at + TimeDelta::minutes(minutes)) {
            return Ok(());
        }
        let outcomes = check(app).await?;
        transaction!(app, txn => keep(txn, app, &outcomes, now).await)
    }
}

/// What the last check found.
#[derive(Debug, Default)]
pub struct LastCheck {
    /// Of each rule that this binary knows and that was checked: its slug, and the rows that break it.
    pub broken: Vec<(&'static str, i64)>,
    /// When; of rules that were checked apart, the earliest. `None` if there was no check yet.
    pub at: Option<DateTime<Utc>>,
}

pub async fn last(app: &App) -> Result<LastCheck> {
    let rows = Entity::find().all(app.db.reads()).await?;
    // Another version may know other rules.
    let found = named().filter_map(|(slug, _)| rows.iter().find(|row| row.slug == slug).map(|row| (slug, row)));
    let found: Vec<(&str, &Model)> = found.collect();
    Ok(LastCheck {
        at: found.iter().map(|(_, row)| row.checked_at).min(),
        broken: found.into_iter().map(|(slug, row)| (slug, row.broken)).collect(),
    })
}

async fn keep(txn: &impl ConnectionTrait, app: &App, outcomes: &[Outcome], now: DateTime<Utc>) -> Result<()> {
    let told = Entity::find().filter(Column::Broken.gt(0)).lock_exclusive().all(txn).await?;
    let told: HashSet<String> = told.into_iter().map(|row| row.slug).collect();
    let rows = outcomes.iter().map(|outcome| {
        let row = Model { slug: outcome.slug.to_owned(), broken: outcome.broken, checked_at: now };
        ActiveModel::from(row).reset_all()
    });
    let again = OnConflict::column(Column::Slug).update_columns([Column::Broken, Column::CheckedAt]).to_owned();
    Entity::insert_many(rows).on_conflict(again).exec_without_returning(txn).await?;
    for outcome in outcomes.iter().filter(|outcome| outcome.broken > 0 && !told.contains(outcome.slug)) {
        let alert = AlertBrokenRule { slug: outcome.slug.to_owned(), broken: outcome.broken };
        jobs::enqueue(txn, &app.ids, now, now, &alert).await?;
    }
    Ok(())
}

/// Tells people of one rule. Told also if it is kept again by then: it must always hold.
#[derive(Debug, Serialize, Deserialize)]
pub struct AlertBrokenRule {
    slug: String,
    broken: i64,
}

impl Job for AlertBrokenRule {
    const NAME: &'static str = "alert_broken_rule";
    const LANE: Lane = Lane::Alert;

    async fn run(self, app: &App) -> Result<()> {
        let Self { slug, broken } = self;
        let rule = named().find(|(known, _)| *known == slug).map_or("of another version", |(_, rule)| rule);
        let text =
            format!("The rule {slug} ({rule}) is broken by {broken} rows. `spotlight audit` checks all of them now.");
        app.alert.send(&text).await
    }
}
