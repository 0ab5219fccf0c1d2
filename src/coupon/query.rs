//! Reads of coupons.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use chrono::{DateTime, Utc};
use entity::{
    coupon,
    enums::UserCouponStatus,
    ids::{CouponId, TypedId, UserCouponId, UserId},
    user_coupon::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QuerySelect, QueryTrait};
use std::collections::HashMap;

pub async fn by_code(db: &impl ConnectionTrait, code: &str) -> Result<Option<coupon::Model>> {
    let found = coupon::Entity::find().filter(coupon::Column::Code.eq(super::model::normal_code(code))).one(db).await?;
    Ok(found.filter(|row| row.deleted_at.is_none()))
}

/// A coupon in somebody's hands.
pub async fn in_hand(db: &impl ConnectionTrait, id: UserCouponId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// A person's own piece of a coupon.
pub async fn of_person(db: &impl ConnectionTrait, owner: UserId, id: CouponId) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::UserId.eq(owner)).filter(Column::CouponId.eq(id)).one(db).await?)
}

/// All of them, withdrawn ones too, newest first.
pub async fn page(db: &impl ConnectionTrait, window: &Window) -> Result<Page<coupon::Model>> {
    let sorting = Sorting {
        at: Some(coupon::Column::CreatedAt),
        id: coupon::Column::Id,
        order: Order::Desc,
        key: |row: &coupon::Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, coupon::Entity::find(), &sorting, window).await
}

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[CouponId]) -> Result<HashMap<CouponId, coupon::Model>> {
    let rows = coupon::Entity::find().filter(coupon::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A person's own; with `usable_at`, only those that could be used then.
pub async fn page_of(
    db: &impl ConnectionTrait,
    owner: UserId,
    usable_at: Option<DateTime<Utc>>,
    window: &Window,
) -> Result<Page<Model>> {
    let sorting = Sorting {
        at: Some(Column::IssuedAt),
        id: Column::Id,
        order: Order::Desc,
        key: |row: &Model| Key { at: page::moment(row.issued_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    let mut select = Entity::find().filter(Column::UserId.eq(owner));
    if let Some(now) = usable_at {
        let valid = coupon::Entity::find()
            .select_only()
            .column(coupon::Column::Id)
            .filter(coupon::Column::DeletedAt.is_null())
            .filter(coupon::Column::ValidFrom.lte(now))
            .filter(coupon::Column::ValidUntil.gt(now));
        select = select
            .filter(Column::Status.eq(UserCouponStatus::Available))
            .filter(Column::CouponId.in_subquery(valid.into_query()));
    }
    page::read(db, select, &sorting, window).await
}
