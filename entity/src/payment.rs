//! One attempt to take money, and what became of it.

use crate::enums::{PaymentPurpose, PaymentStatus};
use crate::ids::{BookingId, PaymentId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `payment`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentId,
    pub purpose: PaymentPurpose,
    pub user_id: UserId,
    pub booking_id: Option<BookingId>,
    pub status: PaymentStatus,
    pub amount: i64,
    /// What the provider took; null as long as nothing is known to be taken.
    pub taken_amount: Option<i64>,
    pub canceled_amount: i64,
    /// The provider's id.
    pub tid: Option<String>,
    pub pc_url: Option<String>,
    pub mobile_url: Option<String>,
    pub app_url: Option<String>,
    pub return_url: Option<String>,
    /// Why it failed, for people.
    pub failure: Option<String>,
    pub created_at: DateTimeUtc,
    /// When the status last changed; how long it has been in doubt.
    pub changed_at: DateTimeUtc,
    pub approved_at: Option<DateTimeUtc>,
    pub canceled_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
