//! Objects that no row names are removed, at least once: after their row was deleted, and a day after an upload that
//! got no row.

use super::{model::Owner, query};
use crate::{
    app::App,
    error::{Error, Result},
    infra::{
        blob::Key,
        jobs::{self, Job},
    },
};
use chrono::TimeDelta;
use entity::attachment::Entity;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};

/// Far longer than an upload may take from its first transaction to its last.
const UNUSED: TimeDelta = TimeDelta::days(1);

#[derive(Debug, Serialize, Deserialize)]
pub struct RemoveObject {
    key: String,
}

impl Job for RemoveObject {
    const NAME: &'static str = "remove_object";

    async fn run(self, app: &App) -> Result<()> {
        if query::has_key(app.db.reads(), &self.key).await? {
            return Ok(());
        }
        let key: Key = self.key.parse().map_err(|error| Error::fault(format!("{}: {error}", self.key)))?;
        app.blob.delete(&key).await
    }
}

/// In the transaction that deletes the row.
pub async fn now(txn: &impl ConnectionTrait, app: &App, key: String) -> Result<()> {
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &RemoveObject { key }).await.map(drop)
}

/// In the transaction that ends the owner.
pub async fn all_of(txn: &impl ConnectionTrait, app: &App, owner: Owner) -> Result<()> {
    for row in query::of(txn, owner).await? {
        Entity::delete_by_id(row.id).exec(txn).await?;
        now(txn, app, row.object_key).await?;
    }
    Ok(())
}

/// Before the object is written: whatever happens then, it does not stay without a row.
pub async fn if_unused(txn: &impl ConnectionTrait, app: &App, key: String) -> Result<()> {
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now + UNUSED, &RemoveObject { key }).await.map(drop)
}
