//! Coupons as the API shows them.

use super::query;
use crate::{
    connection,
    error::Result,
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
        scalars::Won,
    },
};
use async_graphql::{Context, Enum, ID, Object, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{coupon, enums, ids::CouponId, user_coupon::Model};
use std::{collections::HashMap, sync::Arc};

/// How a coupon is given out.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::CouponKind")]
pub enum CouponKind {
    /// Few and wanted: who asks first is served first.
    Limited,
    /// Enough for everybody: in a rush one may be asked to try again.
    Standard,
}

/// How a coupon counts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::DiscountKind")]
pub enum DiscountKind {
    /// So many won.
    Fixed,
    /// So many percent, up to a cap.
    Percent,
}

/// Where a person's coupon is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::UserCouponStatus")]
pub enum UserCouponStatus {
    /// It can be used.
    Available,
    /// A booking that is not paid yet has it.
    Held,
    /// A paid booking used it.
    Used,
}

/// What was given away.
#[derive(Clone, Debug)]
pub struct CouponNode(pub coupon::Model);

/// What was given away.
#[Object(name = "Coupon")]
impl CouponNode {
    /// `cpn_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What people type to find it.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// How it is given out.
    async fn kind(&self) -> CouponKind {
        self.0.kind.into()
    }
    /// How many there are in all.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }
    /// How many are still to be had.
    async fn remaining(&self) -> i32 {
        self.0.remaining
    }
    /// When it was withdrawn; null if it was not.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.0.deleted_at
    }
    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Whether `discountValue` is won or percent.
    async fn discount_kind(&self) -> DiscountKind {
        self.0.discount_kind.into()
    }
    /// Won, or percent.
    async fn discount_value(&self) -> Won {
        Won(self.0.discount_value)
    }
    /// The most that a percentage takes off; null if there is no such limit.
    async fn discount_cap(&self) -> Option<Won> {
        self.0.discount_cap.map(Won)
    }
    /// The least that a booking must cost.
    async fn minimum_purchase(&self) -> Won {
        Won(self.0.minimum_purchase)
    }
    /// From when it is given out and can be used.
    async fn valid_from(&self) -> DateTime<Utc> {
        self.0.valid_from
    }
    /// Until when it is given out and can be used.
    async fn valid_until(&self) -> DateTime<Utc> {
        self.0.valid_until
    }
}

/// A coupon in somebody's hands.
#[derive(Clone, Debug)]
pub struct UserCouponNode(pub Model);

/// A coupon in somebody's hands.
#[Object(name = "UserCoupon")]
impl UserCouponNode {
    /// `ucp_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What it is; null if that cannot be read now.
    async fn coupon(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<CouponNode>> {
        match ctx.loaders().load_one(self.0.coupon_id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// Where it is.
    async fn status(&self) -> UserCouponStatus {
        self.0.status.into()
    }
    /// When it was given.
    async fn issued_at(&self) -> DateTime<Utc> {
        self.0.issued_at
    }
}

connection!(CouponConnection, CouponEdge, CouponNode, "coupons");

#[derive(Default)]
pub struct CouponQuery;

#[Object]
impl CouponQuery {
    /// A coupon by the code that people type, whatever its case; null if there is none, or if it was withdrawn.
    async fn coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "As it was typed.")] code: String,
    ) -> Option<async_graphql::Result<CouponNode>> {
        match query::by_code(ctx.app().db.reads(), &code).await {
            Ok(found) => found.map(|row| Ok(CouponNode(row))),
            Err(error) => Some(Err(error.into())),
        }
    }
}

connection!(UserCouponConnection, UserCouponEdge, UserCouponNode, "one's coupons");

impl Loader<CouponId> for Batch {
    type Value = CouponNode;
    type Error = Shared;

    async fn load(&self, keys: &[CouponId]) -> Result<HashMap<CouponId, CouponNode>, Shared> {
        let rows = query::by_ids(self.0.db.reads(), keys).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|(id, row)| (id, CouponNode(row))).collect())
    }
}
