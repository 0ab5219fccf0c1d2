//! One booking's share; its key keeps a booking from being settled twice.

use crate::ids::{BookingId, SettlementId};
use sea_orm::entity::prelude::*;

/// A row of `settlement_line`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub booking_id: BookingId,
    pub settlement_id: SettlementId,
    pub amount: i64,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
