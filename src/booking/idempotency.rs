//! Idempotency keys: stored with the input's hash, in the transaction of their effect. The same key and input give
//! the same answer; another input is refused.

use crate::error::{Code, Error, Fault, Problem, Problems, Result};
use chrono::{DateTime, Utc};
use entity::{
    idempotency_key::{ActiveModel, Column, Entity, Model},
    ids::UserId,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryTrait, SqlErr,
    sea_query::SelectStatement,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A key with what it is used for.
#[derive(Clone, Debug)]
pub struct Key {
    pub user: UserId,
    pub key: String,
    pub operation: &'static str,
    pub input_hash: String,
}

impl Key {
    /// The input is hashed as JSON: the same for as long as its fields keep their names, whatever a release does to the
    /// Rust around them.
    pub fn new(user: UserId, key: &str, operation: &'static str, input: &Value) -> Result<Self> {
        let mut problems = Problems::default();
        problems.length(&["idempotencyKey"], key, 1, 128);
        problems.check()?;
        let input_hash = data_encoding::HEXLOWER.encode(&Sha256::digest(input.to_string().as_bytes()));
        Ok(Self { user, key: key.trim().to_owned(), operation, input_hash })
    }

    /// What this key was answered before, if it was.
    pub async fn seen(&self, db: &impl ConnectionTrait) -> Result<Option<String>> {
        let Some(row) = Entity::find_by_id((self.user, self.key.clone())).one(db).await? else { return Ok(None) };
        if row.operation == self.operation && row.input_hash == self.input_hash {
            return Ok(Some(row.answer));
        }
        Err(reused())
    }

    /// Claims the key. First in the transaction, so that its twin waits here and not behind half the work.
    pub async fn store(&self, txn: &impl ConnectionTrait, answer: &str, now: DateTime<Utc>) -> Result<()> {
        match Entity::insert(self.row(answer.to_owned(), now)).exec_without_returning(txn).await {
            Err(error) => Err(claimed(error)),
            Ok(_) => Ok(()),
        }
    }

    fn row(&self, answer: String, created_at: DateTime<Utc>) -> ActiveModel {
        let Self { user, key, operation, input_hash } = self.clone();
        let operation = operation.to_owned();
        ActiveModel::from(Model { user_id: user, key, operation, input_hash, answer, created_at }).reset_all()
    }
}

/// The rows that claim keys, each with its answer, in one order everywhere: two groups that share keys never wait for each other.
pub fn rows(mut keys: Vec<(&Key, String)>, now: DateTime<Utc>) -> Vec<ActiveModel> {
    keys.sort_by(|(one, _), (other, _)| (one.user, &one.key).cmp(&(other.user, &other.key)));
    keys.into_iter().map(|(key, answer)| key.row(answer, now)).collect()
}

/// Those of the keys that were used, for whatever it was: rows of [`Model`].
pub fn select_used<'a>(keys: impl Iterator<Item = &'a Key>) -> SelectStatement {
    let any = keys.fold(Condition::any(), |any, key| {
        any.add(Condition::all().add(Column::UserId.eq(key.user)).add(Column::Key.eq(key.key.as_str())))
    });
    Entity::find().filter(any).into_query()
}

/// The table has one unique index: its key.
fn claimed(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Fault::Twin.into(),
        _ => error.into(),
    }
}

pub fn reused() -> Error {
    let ko = "이 키는 다른 요청에 이미 쓰였습니다.";
    let en = "This key was used for another request.";
    Problem::new(Code::IdempotencyKeyReused, &["idempotencyKey"], ko, en).into()
}

/// Whether a transaction failed because its twin was a moment earlier: then the answer is there to be read.
pub fn lost_to_twin(error: &Error) -> bool {
    matches!(error, Error::Fault(Fault::Twin))
}

/// The same of writes that were sent together: all that is unique there besides keys are ids and codes made a moment before.
pub fn lost_in_batch(error: Error) -> Error {
    match error {
        Error::Fault(Fault::Database(error)) => claimed(error),
        error => error,
    }
}
