//! One person's coupon or points, and two bookings that want them: of the same event, or of two.

use super::{Outcomes, must};
use crate::{
    Result,
    ask::{Caller, at_once, refusal},
    cluster::Cluster,
    show::{BOOKED, Show},
};
use entity::{
    booking,
    enums::{BookingStatus, UserCouponStatus},
    ids::UserCouponId,
    point_account, user_coupon,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

const FANS: usize = 4;

/// Each fan's two bookings, which name the same coupon: one is sold, the other one refused.
pub async fn one_coupon(cluster: &Cluster) -> Result<Outcomes> {
    let fans = cluster.fans(FANS).await?;
    let mut own: Vec<UserCouponId> = Vec::new();
    for fan in &fans {
        own.push(cluster.world.give_coupon(&fan.who).await?);
    }
    let wishes: Vec<Value> = own.iter().map(|id| json!({ "userCouponId": id.to_string() })).collect();
    let ended = two_bookings(cluster, &fans, &wishes, "COUPON_UNUSABLE").await?;
    for id in own {
        let row = user_coupon::Entity::find_by_id(id).one(cluster.world.app.db.reads()).await?;
        must("the coupon", &row.map(|row| row.status), &Some(UserCouponStatus::Used))?;
    }
    Ok(ended)
}

/// Each fan's two bookings, which want all points: one is sold, the other one refused.
pub async fn one_balance(cluster: &Cluster) -> Result<Outcomes> {
    let fans = cluster.fans(FANS).await?;
    for fan in &fans {
        cluster.world.give_points(&fan.who, 1_000).await?;
    }
    let wishes = vec![json!({ "points": 1_000 }); FANS];
    let ended = two_bookings(cluster, &fans, &wishes, "INSUFFICIENT_POINTS").await?;
    for fan in fans {
        let row = point_account::Entity::find_by_id(fan.who.id).one(cluster.world.app.db.reads()).await?;
        must("balance and held", &row.map(|row| (row.balance, row.held)), &Some((0, 0)))?;
    }
    Ok(ended)
}

async fn two_bookings(cluster: &Cluster, fans: &[Caller], wishes: &[Value], refused: &str) -> Result<Outcomes> {
    let shows = [cluster.publish(5_000, 50).await?, cluster.publish(5_000, 50).await?];
    let mut clicks = Vec::new();
    for (place, (fan, wish)) in fans.iter().zip(wishes).enumerate() {
        // Two of one event are decided in one group, or in two; two of two events meet at the coupon or the points.
        let second = if place % 2 == 0 { &shows[0] } else { &shows[1] };
        for (click, show) in [&shows[0], second].into_iter().enumerate() {
            clicks.push((cluster.at(click, &fan.who), wanting(show, click, wish)));
        }
    }
    let asking = clicks.iter().cloned().map(|(click, input)| async move {
        let booked = click.mutate("bookingStart", BOOKED, &input).await?;
        if refusal(&booked).is_empty() {
            must("what who paid is told", &click.pay(&booked).await?.as_str(), &"APPROVED")?;
        }
        Ok(booked)
    });
    let payloads = at_once(asking).await?;
    cluster.settle().await?;
    for (fan, pair) in fans.iter().zip(payloads.chunks(2)) {
        let mut codes: Vec<&str> = pair.iter().map(refusal).collect();
        codes.sort_unstable();
        must("what the two bookings were told", &codes, &vec!["", refused])?;
        let of_fan = booking::Entity::find().filter(booking::Column::UserId.eq(fan.who.id));
        let rows = of_fan.all(cluster.world.app.db.reads()).await?;
        let states: Vec<BookingStatus> = rows.iter().map(|row| row.status).collect();
        must("the fan's bookings", &states, &vec![BookingStatus::Confirmed])?;
    }
    Ok(vec![("sold", fans.len()), ("refused", payloads.len() - fans.len())])
}

fn wanting(show: &Show, click: usize, wish: &Value) -> Value {
    let mut input = show.booking(1, &format!("b{click}"));
    if let (Some(input), Some(wish)) = (input.as_object_mut(), wish.as_object()) {
        input.extend(wish.clone());
    }
    input
}
