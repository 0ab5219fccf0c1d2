//! Reads of the ledger.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use entity::{
    ids::{TypedId, UserId},
    point_account, point_entry,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter};

/// What can be spent now: the balance without what holds have set aside.
pub async fn spendable(db: &impl ConnectionTrait, user: UserId) -> Result<i64> {
    let account = point_account::Entity::find_by_id(user).one(db).await?;
    Ok(account.map_or(0, |account| account.balance - account.held))
}

pub async fn entries(db: &impl ConnectionTrait, user: UserId, window: &Window) -> Result<Page<point_entry::Model>> {
    let sorting = Sorting {
        at: Some(point_entry::Column::CreatedAt),
        id: point_entry::Column::Id,
        order: Order::Desc,
        key: |row: &point_entry::Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, point_entry::Entity::find().filter(point_entry::Column::UserId.eq(user)), &sorting, window).await
}
