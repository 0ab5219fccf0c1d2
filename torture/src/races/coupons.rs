//! Who wants the same coupon.

use super::{
    Outcomes, must,
    rush::{Wish, rush, served},
};
use crate::{
    Result,
    ask::{at_once, refusal, text},
    cluster::Cluster,
};
use entity::{
    coupon,
    enums::CouponKind,
    ids::{CouponId, UserId},
    user_coupon,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::HashSet;

const OWN: &str = "userCoupon { id }";

fn wish(coupon: CouponId) -> Wish {
    let input = json!({ "couponId": coupon.to_string() });
    Wish { field: "couponIssue", wanted: OWN, input, none_left: "COUPON_EXHAUSTED" }
}

/// Who has one, each once, and how many are left.
async fn given(cluster: &Cluster, id: CouponId) -> Result<(HashSet<UserId>, i32)> {
    let db = cluster.world.app.db.reads();
    let own = user_coupon::Entity::find().filter(user_coupon::Column::CouponId.eq(id)).all(db).await?;
    let holders: HashSet<UserId> = own.iter().map(|row| row.user_id).collect();
    must("coupons of those who have one", &own.len(), &holders.len())?;
    let row = coupon::Entity::find_by_id(id).one(db).await?.ok_or("the coupon is gone")?;
    Ok((holders, row.remaining))
}

/// 32 fans, 8 of them too late, and three coupons: three have one each.
pub async fn last_one(cluster: &Cluster, kind: CouponKind) -> Result<Outcomes> {
    let (quantity, late) = (3, 8);
    let (coupon, fans) = (cluster.world.coupon(kind, quantity).await?, cluster.fans(32).await?);
    let wish = wish(coupon);
    let payloads = rush(&fans, late, &wish).await?;
    let (winners, refused) = served(&fans, &payloads, &wish)?;
    must("coupons that were answered", &i32::try_from(winners.len())?, &quantity)?;
    let (holders, left) = given(cluster, coupon).await?;
    must("who has a coupon", &holders, &winners.iter().map(|(fan, _)| fan.who.id).collect())?;
    must("coupons left", &left, &0)?;
    Ok(vec![("issued", winners.len()), ("told that none is left", refused)])
}

/// One fan asks twelve times, at all nodes: one coupon, and everybody else is told which one.
pub async fn one_fan(cluster: &Cluster, kind: CouponKind) -> Result<Outcomes> {
    let (coupon, fan) = (cluster.world.coupon(kind, 5).await?, cluster.fans(1).await?);
    let fan = fan.first().ok_or("no fan")?;
    let input = json!({ "couponId": coupon.to_string() });
    let asking = cluster.everywhere(&fan.who, 12).into_iter().map(|click| {
        let input = input.clone();
        async move { click.mutate("couponIssue", OWN, &input).await }
    });
    let payloads = at_once(asking).await?;
    let (got, others): (Vec<&Value>, Vec<&Value>) = payloads.iter().partition(|payload| refusal(payload).is_empty());
    must("clicks that got one", &got.len(), &1)?;
    let own = text(got.first().ok_or("none")?, "/userCoupon/id")?;
    for payload in &others {
        must("why another click got none", &refusal(payload), &"ALREADY_ISSUED")?;
        must("which one they have", &text(payload, "/userErrors/0/userCouponId")?, &own)?;
    }
    must("who has one, and what is left", &given(cluster, coupon).await?, &(HashSet::from([fan.who.id]), 4))?;
    Ok(vec![("issued", got.len()), ("told that they have it", others.len())])
}
