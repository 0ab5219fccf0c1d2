//! Append-only: every intent before a call to the provider and every outcome after it, without secrets.

use crate::ids::{PaymentEventId, PaymentId};
use sea_orm::entity::prelude::*;

/// A row of `payment_event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentEventId,
    pub payment_id: PaymentId,
    pub at: DateTimeUtc,
    pub step: String,
    #[sea_orm(column_type = "Text")]
    pub detail: String,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
