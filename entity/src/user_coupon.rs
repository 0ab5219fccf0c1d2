//! A coupon in somebody's hands.

use crate::enums::UserCouponStatus;
use crate::ids::{CouponId, UserCouponId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `user_coupon`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_coupon")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserCouponId,
    pub user_id: UserId,
    pub coupon_id: CouponId,
    pub status: UserCouponStatus,
    pub issued_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
