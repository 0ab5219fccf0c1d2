//! What a key was used for: written in the transaction of its effect.

use crate::ids::UserId;
use sea_orm::entity::prelude::*;

/// A row of `idempotency_key`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub operation: String,
    pub input_hash: String,
    /// The id of what was made.
    pub answer: String,
    pub created_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
