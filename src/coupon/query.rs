//! Reads of coupons.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use entity::{
    coupon,
    enums::UserCouponStatus,
    ids::{CouponId, TypedId, UserId},
    user_coupon::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter};
use std::collections::HashMap;

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[CouponId]) -> Result<HashMap<CouponId, coupon::Model>> {
    let rows = coupon::Entity::find().filter(coupon::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

pub async fn page_of(
    db: &impl ConnectionTrait,
    owner: UserId,
    usable_only: bool,
    window: &Window,
) -> Result<Page<Model>> {
    let sorting = Sorting {
        at: Column::IssuedAt,
        id: Column::Id,
        order: Order::Desc,
        key: |row: &Model| Key { at: page::moment(row.issued_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    let mut select = Entity::find().filter(Column::UserId.eq(owner));
    if usable_only {
        select = select.filter(Column::Status.eq(UserCouponStatus::Available));
    }
    page::read(db, select, &sorting, window).await
}
