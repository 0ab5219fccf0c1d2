//! The embedded twin: rows of the table `kv`. A row past its time counts as absent; the sweeper removes it later.

use super::{KvError, Tally, gather::Gather};
use crate::error::{Error, Fault, Result as UseResult};
use crate::infra::{
    clock::Clock,
    db::{Db, padded},
    ids::Ids,
};
use crate::transaction;
use chrono::{DateTime, Utc};
use entity::kv::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryResult, QuerySelect, QueryTrait,
    SqlErr,
    sea_query::{Expr, OnConflict},
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Durable, in the product's own database.
#[derive(Clone, Debug)]
pub struct EmbeddedKv {
    db: Db,
    ids: Ids,
    clock: Arc<dyn Clock>,
    gather: Gather,
}

impl EmbeddedKv {
    pub fn new(db: Db, ids: Ids, clock: Arc<dyn Clock>) -> Self {
        Self { db, ids, clock, gather: Gather::default() }
    }

    fn expiry(&self, ttl: Option<Duration>) -> Option<DateTime<Utc>> {
        ttl.map(|ttl| self.clock.now() + ttl)
    }

    fn alive(&self) -> Condition {
        Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(self.clock.now()))
    }

    pub async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        self.gather.get(key, |keys| self.read(keys)).await
    }

    async fn read(&self, keys: Vec<String>) -> Result<HashMap<String, String>, KvError> {
        let select = Entity::find().select_only().columns([Column::Key, Column::Value]);
        let select = select.filter(Column::Key.is_in(padded(keys))).filter(self.alive()).into_query();
        let pair = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        let rows = self.db.read_apart(&select).await;
        let found: Result<_, DbErr> = rows.and_then(|rows| rows.iter().map(pair).collect());
        found.map_err(|error| KvError(error.to_string()))
    }

    pub async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<(), KvError> {
        let row = self.row(key, value, ttl);
        known(transaction!(self, txn => upsert(txn, row.clone()).await))
    }

    pub async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool, KvError> {
        let row = self.row(key, value, ttl);
        let written = transaction!(self, txn => {
            let dead = Condition::all().add(Column::Key.eq(key)).add(self.alive().not());
            Entity::delete_many().filter(dead).exec(txn).await?;
            insert_new(txn, row.clone()).await
        });
        match written {
            Err(Error::Fault(Fault::Twin)) => Ok(false),
            written => known(written).map(|()| true),
        }
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
            // Locked and compared here: how many rows an update hit depends on the database and its client's flags.
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

    pub async fn compare_and_delete(&self, key: &str, expected: &str) -> Result<bool, KvError> {
        known(transaction!(self, txn => {
            let found = Entity::find_by_id(key).filter(self.alive()).lock_exclusive().one(txn).await?;
            if found.is_none_or(|row| row.value != expected) {
                return Ok(false);
            }
            Ok(Entity::delete_by_id(key).exec(txn).await?.rows_affected == 1)
        }))
    }

    pub async fn count(&self, key: &str, most: u32, ttl: Duration) -> Result<Tally, KvError> {
        loop {
            match transaction!(self, txn => self.count_in(txn, key, most, ttl).await) {
                // The first two of a counter at once: the other one has begun it.
                Err(Error::Fault(Fault::Twin)) => {}
                counted => return known(counted),
            }
        }
    }

    async fn count_in(&self, txn: &impl ConnectionTrait, key: &str, most: u32, ttl: Duration) -> UseResult<Tally> {
        // The dead are seen, too: one look and one write in every case.
        let found = Entity::find_by_id(key).lock_exclusive().one(txn).await?;
        let Some(row) = found else {
            insert_new(txn, self.row(key, "1", Some(ttl))).await?;
            return Ok(Tally { is_counted: true, left: ttl });
        };
        let ends = row.expires_at.ok_or_else(|| Error::fault("a counter without an end"))?;
        let left = (ends - self.clock.now()).to_std().unwrap_or_default();
        if left.is_zero() {
            set_count(txn, key, 1, Some(self.clock.now() + ttl)).await?;
            return Ok(Tally { is_counted: true, left: ttl });
        }
        let count: u32 = row.value.parse().map_err(|_| Error::fault("a counter that is no number"))?;
        if count < most {
            set_count(txn, key, count + 1, row.expires_at).await?;
        }
        Ok(Tally { is_counted: count < most, left })
    }

    pub async fn uncount(&self, key: &str) -> Result<(), KvError> {
        known(transaction!(self, txn => {
            let found = Entity::find_by_id(key).filter(self.alive()).lock_exclusive().one(txn).await?;
            let Some(row) = found else { return Ok(()) };
            match row.value.parse::<u32>() {
                Ok(count @ 1..) => set_count(txn, key, count - 1, row.expires_at).await,
                _ => Ok(()),
            }
        }))
    }

    /// Removes what is past its time.
    pub async fn sweep(&self) -> Result<u64, KvError> {
        let now = self.clock.now();
        known(transaction!(self, txn => {
            Ok(Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(txn).await?.rows_affected)
        }))
    }

    fn row(&self, key: &str, value: &str, ttl: Option<Duration>) -> ActiveModel {
        ActiveModel { key: Set(key.into()), value: Set(value.into()), expires_at: Set(self.expiry(ttl)) }
    }
}

/// `Twin` if it is there already.
async fn insert_new(txn: &impl ConnectionTrait, row: ActiveModel) -> UseResult<()> {
    // No `ON CONFLICT`: what MySQL then says of the number of rows depends on its client's flags.
    match Entity::insert(row).exec_without_returning(txn).await {
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Err(Fault::Twin.into()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

async fn set_count(txn: &impl ConnectionTrait, key: &str, count: u32, until: Option<DateTime<Utc>>) -> UseResult<()> {
    let update = Entity::update_many().col_expr(Column::Value, Expr::value(count.to_string()));
    let update = update.col_expr(Column::ExpiresAt, Expr::value(until));
    update.filter(Column::Key.eq(key)).exec(txn).await?;
    Ok(())
}

async fn upsert(txn: &impl ConnectionTrait, row: ActiveModel) -> UseResult<()> {
    let over = OnConflict::column(Column::Key).update_columns([Column::Value, Column::ExpiresAt]).to_owned();
    Entity::insert(row).on_conflict(over).exec_without_returning(txn).await?;
    Ok(())
}

fn known<T>(result: Result<T, Error>) -> Result<T, KvError> {
    result.map_err(|error| KvError(error.to_string()))
}
