//! Idempotency keys: stored with the input's hash, in the transaction of their effect. The same key and input give
//! the same answer; another input is refused.

use crate::error::{Code, Error, Fault, Problem, Problems, Result};
use chrono::{DateTime, Utc};
use entity::{
    idempotency_key::{ActiveModel, Entity, Model},
    ids::UserId,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, SqlErr};
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
    pub fn new(user: UserId, key: &str, operation: &'static str, input: &str) -> Result<Self> {
        let mut problems = Problems::default();
        problems.length(&["idempotencyKey"], key, 1, 128);
        problems.check()?;
        let input_hash = data_encoding::HEXLOWER.encode(&Sha256::digest(input.as_bytes()));
        Ok(Self { user, key: key.trim().to_owned(), operation, input_hash })
    }

    /// What this key was answered before, if it was.
    pub async fn seen(&self, db: &impl ConnectionTrait) -> Result<Option<String>> {
        let Some(row) = Entity::find_by_id((self.user, self.key.clone())).one(db).await? else { return Ok(None) };
        if row.operation == self.operation && row.input_hash == self.input_hash {
            return Ok(Some(row.answer));
        }
        let ko = "이 키는 다른 요청에 이미 쓰였습니다.";
        let en = "This key was used for another request.";
        Err(Problem::new(Code::IdempotencyKeyReused, &["idempotencyKey"], ko, en).into())
    }

    /// Claims the key. First in the transaction, so that its twin waits here and not behind half the work.
    pub async fn store(&self, txn: &impl ConnectionTrait, answer: &str, now: DateTime<Utc>) -> Result<()> {
        let row = Model {
            user_id: self.user,
            key: self.key.clone(),
            operation: self.operation.to_owned(),
            input_hash: self.input_hash.clone(),
            answer: answer.to_owned(),
            created_at: now,
        };
        match Entity::insert(ActiveModel::from(row).reset_all()).exec_without_returning(txn).await {
            // The table has one unique index: its key.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(Fault::Twin.into())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }
}

/// Whether a transaction failed because its twin was a moment earlier: then the answer is there to be read.
pub fn lost_to_twin(error: &Error) -> bool {
    matches!(error, Error::Fault(Fault::Twin))
}
