//! Making coupons, and getting one.

use super::{
    graphql::{CouponKind, CouponNode, DiscountKind, UserCouponNode},
    issue, manage,
    model::{Changes, Draft},
    query,
};
use crate::{
    admin::audit::Actor,
    error::{Error, Result},
    graphql::{ctx::Ctx, door::answer, scalars::Won},
    payload,
};
use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use entity::ids::CouponId;

/// What is to be given away.
#[derive(InputObject)]
pub struct CouponCreateInput {
    /// 1 to 100 characters.
    pub name: String,
    /// How it is given out.
    pub kind: CouponKind,
    /// Whether `discountValue` is won or percent.
    pub discount_kind: DiscountKind,
    /// Won, or percent: 1 to 100.
    pub discount_value: Won,
    /// The most that a percentage takes off; no such limit if it is left out.
    pub discount_cap: Option<Won>,
    /// The least that a booking must cost.
    #[graphql(default_with = "Won(0)")]
    pub minimum_purchase: Won,
    /// From when it is given out and can be used.
    pub valid_from: DateTime<Utc>,
    /// Until when it is given out and can be used.
    pub valid_until: DateTime<Utc>,
    /// How many there are: 1 to 1,000,000.
    pub quantity: i32,
    /// What people type to find it: 3 to 40 letters, digits, `-` and `_`. One is made up if it is left out.
    pub code: Option<String>,
    /// 1 to 128 characters. Sent again with the same input, it answers the coupon that was made, and makes no other.
    pub idempotency_key: Option<String>,
}

/// What is to be changed; what is left out stays. Only what hurts nobody who holds one.
#[derive(InputObject)]
pub struct CouponUpdateInput {
    /// Which coupon.
    pub coupon_id: ID,
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// Not earlier than it is now.
    pub valid_until: Option<DateTime<Utc>>,
    /// Not fewer than were given out.
    pub quantity: Option<i32>,
}

/// What is to be withdrawn.
#[derive(InputObject)]
pub struct CouponDeleteInput {
    /// Which coupon.
    pub coupon_id: ID,
}

/// What one wants to have.
#[derive(InputObject)]
pub struct CouponIssueInput {
    /// Which coupon.
    pub coupon_id: ID,
}

payload! {
    /// The new coupon.
    CouponCreatePayload {
        /// As it is now.
        coupon: CouponNode,
    }
}

payload! {
    /// The changed coupon.
    CouponUpdatePayload {
        /// As it is now.
        coupon: CouponNode,
    }
}

payload! {
    /// What is gone.
    CouponDeletePayload {
        /// The id of the coupon that is gone.
        deleted_coupon_id: ID,
    }
}

payload! {
    /// A coupon in one's hands.
    CouponIssuePayload {
        /// It can be used in a booking at once.
        user_coupon: UserCouponNode,
    }
}

#[derive(Default)]
pub struct CouponMutation;

#[Object]
impl CouponMutation {
    /// Makes a coupon, which people then take with `couponIssue`. For admins.
    async fn coupon_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to give away.")] input: CouponCreateInput,
    ) -> async_graphql::Result<CouponCreatePayload> {
        let made = async { manage::create(ctx.app(), actor(ctx)?, &draft(input)).await };
        let payload = |row| CouponCreatePayload { coupon: Some(CouponNode(row)), user_errors: Vec::new() };
        answer(ctx, made.await.map(payload))
    }

    /// Changes a coupon's name, puts its end off, or changes how many there are. For admins.
    async fn coupon_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupon, and what of it.")] input: CouponUpdateInput,
    ) -> async_graphql::Result<CouponUpdatePayload> {
        let changed = async {
            let (actor, id) = (actor(ctx)?, parse(&input.coupon_id)?);
            let changes = Changes { name: input.name, valid_until: input.valid_until, quantity: input.quantity };
            manage::update(ctx.app(), actor, id, &changes).await
        };
        let payload = |row| CouponUpdatePayload { coupon: Some(CouponNode(row)), user_errors: Vec::new() };
        answer(ctx, changed.await.map(payload))
    }

    /// Withdraws a coupon: nobody gets one any more, and who has one cannot use it. Bookings that set one aside keep
    /// their price. For admins.
    async fn coupon_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupon.")] input: CouponDeleteInput,
    ) -> async_graphql::Result<CouponDeletePayload> {
        let gone = async { manage::delete(ctx.app(), actor(ctx)?, parse(&input.coupon_id)?).await };
        let payload = |id: CouponId| {
            let deleted_coupon_id = Some(ID(id.to_string()));
            CouponDeletePayload { deleted_coupon_id, user_errors: Vec::new() }
        };
        answer(ctx, gone.await.map(payload))
    }

    /// Takes a coupon: one for each person, first come, first served. A second time it is refused with `ALREADY_ISSUED`,
    /// which names the one that is there; so it is safe to send again.
    async fn coupon_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupon.")] input: CouponIssueInput,
    ) -> async_graphql::Result<CouponIssuePayload> {
        answer(ctx, coupon_issue(ctx, &input).await)
    }
}

fn actor(ctx: &Context<'_>) -> Result<Actor> {
    Ok(Actor { admin: ctx.admin()?.id(), address: ctx.request().address })
}

fn parse(id: &ID) -> Result<CouponId> {
    id.parse().map_err(|_| Error::not_found(&["couponId"]))
}

fn draft(input: CouponCreateInput) -> Draft {
    Draft {
        name: input.name,
        kind: input.kind.into(),
        discount_kind: input.discount_kind.into(),
        discount_value: input.discount_value.0,
        discount_cap: input.discount_cap.map(|won| won.0),
        minimum_purchase: input.minimum_purchase.0,
        valid_from: input.valid_from,
        valid_until: input.valid_until,
        quantity: input.quantity,
        code: input.code,
        idempotency_key: input.idempotency_key,
    }
}

async fn coupon_issue(ctx: &Context<'_>, input: &CouponIssueInput) -> Result<CouponIssuePayload> {
    let buyer = ctx.buyer()?;
    let (id, app) = (parse(&input.coupon_id)?, ctx.app().clone());
    let issued = ctx.app().outlive(async move { issue::issue(&app, buyer, id).await }).await?;
    let user_coupon = query::in_hand(ctx.app().db.reads(), issued).await?.map(UserCouponNode);
    Ok(CouponIssuePayload { user_coupon, user_errors: Vec::new() })
}
