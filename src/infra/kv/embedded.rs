//! The embedded twin: rows of the table `kv`. A row past its time counts as absent; the sweeper removes it later.

use super::KvError;
use crate::error::{Error, Result as UseResult};
use crate::infra::{clock::Clock, db::Db, ids::Ids};
use crate::transaction;
use chrono::{DateTime, Utc};
use entity::kv::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use std::{sync::Arc, time::Duration};

/// Durable, in the product's own database.
#[derive(Clone, Debug)]
pub struct EmbeddedKv {
    db: Db,
    ids: Ids,
    clock: Arc<dyn Clock>,
}

/// What the `transaction!` macro asks of its first argument.
impl EmbeddedKv {
    pub fn new(db: Db, ids: Ids, clock: Arc<dyn Clock>) -> Self {
        Self { db, ids, clock }
    }

    fn expiry(&self, ttl: Option<Duration>) -> Option<DateTime<Utc>> {
        ttl.map(|ttl| self.clock.now() + ttl)
    }

    fn alive(&self) -> Condition {
        Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(self.clock.now()))
    }

    pub async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        let row = Entity::find_by_id(key).filter(self.alive()).one(self.db.reads()).await;
        row.map(|row| row.map(|row| row.value)).map_err(|error| KvError(error.to_string()))
    }

    pub async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<(), KvError> {
        let row = self.row(key, value, ttl);
        known(transaction!(self, txn => upsert(txn, row.clone()).await))
    }

    pub async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool, KvError> {
        let row = self.row(key, value, ttl);
        known(transaction!(self, txn => {
            let dead = Condition::all().add(Column::Key.eq(key)).add(self.alive().not());
            Entity::delete_many().filter(dead).exec(txn).await?;
            let keep = OnConflict::column(Column::Key).do_nothing_on([Column::Key]).to_owned();
            let written = Entity::insert(row.clone()).on_conflict(keep).exec_without_returning(txn).await?;
            Ok(written == 1)
        }))
    }

    pub async fn take(&self, key: &str) -> Result<Option<String>, KvError> {
        known(transaction!(self, txn => {
            let found = Entity::find_by_id(key).filter(self.alive()).lock_exclusive().one(txn).await?;
            let removed = Entity::delete_by_id(key).exec(txn).await?.rows_affected;
            Ok(found.filter(|_| removed == 1).map(|row| row.value))
        }))
    }

    pub async fn delete(&self, key: &str) -> Result<bool, KvError> {
        self.take(key).await.map(|found| found.is_some())
    }

    pub async fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        new: &str,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        let expires_at = self.expiry(ttl);
        known(transaction!(self, txn => {
            // Locked and compared here, because MySQL does not count a row that already had the new value.
            let found = Entity::find_by_id(key).filter(self.alive()).lock_exclusive().one(txn).await?;
            if found.is_none_or(|row| row.value != expected) {
                return Ok(false);
            }
            Entity::update_many()
                .col_expr(Column::Value, Expr::value(new))
                .col_expr(Column::ExpiresAt, Expr::value(expires_at))
                .filter(Column::Key.eq(key))
                .exec(txn)
                .await?;
            Ok(true)
        }))
    }

    fn row(&self, key: &str, value: &str, ttl: Option<Duration>) -> ActiveModel {
        ActiveModel { key: Set(key.into()), value: Set(value.into()), expires_at: Set(self.expiry(ttl)) }
    }
}

async fn upsert(txn: &impl ConnectionTrait, row: ActiveModel) -> UseResult<()> {
    let over = OnConflict::column(Column::Key).update_columns([Column::Value, Column::ExpiresAt]).to_owned();
    Entity::insert(row).on_conflict(over).exec_without_returning(txn).await?;
    Ok(())
}

fn known<T>(result: Result<T, Error>) -> Result<T, KvError> {
    result.map_err(|error| KvError(error.to_string()))
}
