//! The ledger. One cause makes one entry; rows are never changed.

use crate::enums::PointEntryKind;
use crate::ids::{PointEntryId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `point_entry`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "point_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PointEntryId,
    pub user_id: UserId,
    pub kind: PointEntryKind,
    /// The id of the payment, booking or settlement behind it.
    pub cause: String,
    /// Positive in, negative out.
    pub amount: i64,
    pub balance_after: i64,
    pub created_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
