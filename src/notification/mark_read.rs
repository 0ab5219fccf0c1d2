//! `notificationsMarkRead`.

use super::query;
use crate::{
    app::App,
    error::{Code, Problem, Result},
    page::Key,
    transaction,
    user::viewer::Buyer,
};
use entity::notification::{Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// Answers how many are unread then.
pub async fn mark_read(app: &App, buyer: Buyer, through: Option<&str>) -> Result<u64> {
    let through = through.map(|cursor| {
        Key::decode(cursor).map(|key| key.at).ok_or_else(|| {
            Problem::new(Code::Invalid, &["through"], "커서가 올바르지 않습니다.", "Not a cursor of this feed.")
        })
    });
    let through = through.transpose()?.unwrap_or(i64::MAX);
    transaction!(app, txn => {
        Entity::update_many()
            .col_expr(Column::ReadAt, Expr::value(app.clock.now()))
            .filter(Column::UserId.eq(buyer.id()))
            .filter(Column::ReadAt.is_null())
            .filter(Column::Seq.lte(through))
            .exec(txn)
            .await?;
        Ok(())
    })?;
    query::unread_count(app.db.reads(), buyer.id()).await
}
