//! Seats, coupon and points set aside, then used or given back.

use crate::enums::BookingStatus;
use crate::ids::{BookingId, EventId, UserCouponId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `booking`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingId,
    pub user_id: UserId,
    pub event_id: EventId,
    pub status: BookingStatus,
    pub original_amount: i64,
    pub coupon_discount: i64,
    pub points_used: i64,
    pub amount_due: i64,
    pub user_coupon_id: Option<UserCouponId>,
    /// Null once it is no longer held.
    pub expires_at: Option<DateTimeUtc>,
    pub cancel_reason: Option<String>,
    pub created_at: DateTimeUtc,
    pub confirmed_at: Option<DateTimeUtc>,
    /// When it was canceled or expired.
    pub closed_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
