//! What a group is decided on, read in as many statements for a hundred requests as for one.

use super::{
    model::{Answer, Desk, OwnCoupon, Seats, Used},
    request::Request,
};
use crate::{
    booking::{idempotency, model::Discount, query},
    error::Result,
    event, user,
};
use chrono::{DateTime, Utc};
use entity::{
    coupon,
    enums::UserCouponStatus,
    ids::{CouponId, EventId, TicketTypeId, UserCouponId, UserId},
    point_account, ticket_type, user_coupon,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeSet, HashMap, HashSet};

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Inside the transaction that writes: buyers and the event shared, then ticket types, coupons and points, each in id order.
    pub is_locking: bool,
    /// The keys that were used before: only needed when one of the group may have been.
    pub has_keys: bool,
    pub now: DateTime<Utc>,
}

/// For requests that are all for this event.
pub async fn desk(db: &impl ConnectionTrait, id: EventId, group: &[Request], reading: Reading) -> Result<Desk> {
    let absent = absent(db, group, reading).await?;
    let event = match reading.is_locking {
        true => event::query::lock_shared(db, id).await?,
        false => event::query::by_id(db, id).await?,
    };
    let is_open = event
        .map(|event| event::model::is_open(event.status, event.booking_opens_at, event.booking_closes_at, reading.now));
    let types = ticket_types(db, id, group, reading).await?;
    let limited: Vec<TicketTypeId> =
        types.iter().filter(|row| row.per_person_limit.is_some()).map(|row| row.id).collect();
    let seats = types
        .into_iter()
        .map(|row| (row.id, Seats { price: row.price, remaining: row.remaining, limit: row.per_person_limit }));
    Ok(Desk {
        absent,
        is_open,
        seats: seats.collect(),
        has: has(db, group, &limited).await?,
        coupons: coupons(db, group, reading).await?,
        points: points(db, group, reading).await?,
        keys: if reading.has_keys { keys(db, group).await? } else { HashMap::new() },
    })
}

async fn absent(db: &impl ConnectionTrait, group: &[Request], reading: Reading) -> Result<HashSet<UserId>> {
    let buyers: BTreeSet<UserId> = group.iter().map(|request| request.buyer).collect();
    let present = match reading.is_locking {
        true => user::query::lock_all_present(db, buyers.clone()).await?,
        false => user::query::all_present(db, buyers.clone()).await?,
    };
    Ok(buyers.into_iter().filter(|buyer| !present.contains(buyer)).collect())
}

async fn ticket_types(
    db: &impl ConnectionTrait,
    id: EventId,
    group: &[Request],
    reading: Reading,
) -> Result<Vec<ticket_type::Model>> {
    let wanted: BTreeSet<TicketTypeId> = group.iter().flat_map(|request| request.wanted.keys().copied()).collect();
    let mut select = ticket_type::Entity::find()
        .filter(ticket_type::Column::EventId.eq(id))
        .filter(ticket_type::Column::Id.is_in(wanted))
        .order_by_asc(ticket_type::Column::Id);
    if reading.is_locking {
        select = select.lock_exclusive();
    }
    Ok(select.all(db).await?)
}

async fn has(
    db: &impl ConnectionTrait,
    group: &[Request],
    limited: &[TicketTypeId],
) -> Result<HashMap<(UserId, TicketTypeId), i64>> {
    let wants_limited = |request: &&Request| limited.iter().any(|id| request.wanted.contains_key(id));
    let buyers: BTreeSet<UserId> = group.iter().filter(wants_limited).map(|request| request.buyer).collect();
    if buyers.is_empty() { Ok(HashMap::new()) } else { query::seats_of(db, buyers, limited).await }
}

async fn coupons(
    db: &impl ConnectionTrait,
    group: &[Request],
    reading: Reading,
) -> Result<HashMap<UserCouponId, OwnCoupon>> {
    let ids: BTreeSet<UserCouponId> = group.iter().filter_map(|request| request.user_coupon_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let select = user_coupon::Entity::find().filter(user_coupon::Column::Id.is_in(ids));
    let mut select = select.order_by_asc(user_coupon::Column::Id);
    if reading.is_locking {
        select = select.lock_exclusive();
    }
    let owned = select.all(db).await?;
    let kinds: BTreeSet<CouponId> = owned.iter().map(|own| own.coupon_id).collect();
    let kinds = coupon::Entity::find().filter(coupon::Column::Id.is_in(kinds)).all(db).await?;
    let kinds: HashMap<CouponId, coupon::Model> = kinds.into_iter().map(|row| (row.id, row)).collect();
    let known = owned.into_iter().filter_map(|own| {
        let row = kinds.get(&own.coupon_id)?;
        let is_usable = own.status == UserCouponStatus::Available
            && row.deleted_at.is_none()
            && (row.valid_from..row.valid_until).contains(&reading.now);
        let discount = Discount { kind: row.discount_kind, value: row.discount_value, cap: row.discount_cap };
        let minimum_purchase = row.minimum_purchase;
        Some((own.id, OwnCoupon { owner: own.user_id, is_usable, minimum_purchase, discount }))
    });
    Ok(known.collect())
}

async fn points(db: &impl ConnectionTrait, group: &[Request], reading: Reading) -> Result<HashMap<UserId, i64>> {
    let payers: BTreeSet<UserId> =
        group.iter().filter(|request| request.points > 0).map(|request| request.buyer).collect();
    if payers.is_empty() {
        return Ok(HashMap::new());
    }
    let select = point_account::Entity::find().filter(point_account::Column::UserId.is_in(payers));
    let mut select = select.order_by_asc(point_account::Column::UserId);
    if reading.is_locking {
        select = select.lock_exclusive();
    }
    let accounts = select.all(db).await?;
    Ok(accounts.into_iter().map(|account| (account.user_id, account.balance - account.held)).collect())
}

pub async fn keys(db: &impl ConnectionTrait, group: &[Request]) -> Result<HashMap<(UserId, String), Used>> {
    let rows = idempotency::used(db, group.iter().map(|request| &request.key)).await?;
    let used = rows.into_iter().map(|row| {
        let (operation, input_hash, answer) = (row.operation, row.input_hash, Answer::Stored(row.answer));
        ((row.user_id, row.key), Used { operation, input_hash, answer })
    });
    Ok(used.collect())
}
