//! What admins give away. `remaining` never falls below zero.

use crate::enums::{CouponKind, DiscountKind};
use crate::ids::CouponId;
use sea_orm::entity::prelude::*;

/// A row of `coupon`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "coupon")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CouponId,
    pub code: String,
    pub name: String,
    pub kind: CouponKind,
    pub discount_kind: DiscountKind,
    /// Won, or percent.
    pub discount_value: i64,
    /// The most that a percentage takes off.
    pub discount_cap: Option<i64>,
    pub minimum_purchase: i64,
    pub valid_from: DateTimeUtc,
    pub valid_until: DateTimeUtc,
    pub quantity: i32,
    pub remaining: i32,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
