//! What the last check found of each rule of seats, money, points and coupons: one row for each, which every node shows.

use sea_orm::entity::prelude::*;

/// A row of `invariant_check`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invariant_check")]
pub struct Model {
    /// The rule's name for machines.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Rows that break it.
    pub broken: i64,
    pub checked_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
