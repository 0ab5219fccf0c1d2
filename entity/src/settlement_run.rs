//! How far the settlement of a month got.

use crate::enums::SettlementRunStatus;
use crate::ids::SettlementRunId;
use sea_orm::entity::prelude::*;

/// A row of `settlement_run`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettlementRunId,
    pub period: String,
    pub status: SettlementRunStatus,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub progress: String,
    pub started_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
