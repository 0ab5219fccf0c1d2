//! What an artist is paid for a month.

use crate::ids::{SettlementId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `settlement`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettlementId,
    pub artist_id: UserId,
    /// Business month, `2026-10`.
    pub period: String,
    pub gross: i64,
    pub fee: i64,
    pub net: i64,
    pub booking_count: i32,
    pub created_at: DateTimeUtc,
    pub paid_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
