//! `attachmentReorder`: all of an owner's files, in the order that the caller wants.

use super::{model::Owner, owner::own, query};
use crate::{
    app::App,
    error::{Code, Problem, Result},
    transaction,
    user::viewer::Buyer,
};
use entity::{
    attachment::{Column, Entity, Model},
    ids::AttachmentId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// The files in their new order.
pub async fn reorder(app: &App, buyer: Buyer, owner: Owner, order: &[AttachmentId]) -> Result<Vec<Model>> {
    transaction!(app, txn => {
        own(txn, buyer, owner, &["ownerId"]).await?;
        check(&query::of(txn, owner).await?, order)?;
        // No two files have one place, not even for a moment: first to places that none has, then to the right ones.
        for (position, id) in (0..).zip(order) {
            place(txn, *id, -1 - position).await?;
        }
        for (position, id) in (0..).zip(order) {
            place(txn, *id, position).await?;
        }
        query::of(txn, owner).await
    })
}

/// Each of them, once: who did not see one that came meanwhile would put it to a place by chance.
fn check(rows: &[Model], order: &[AttachmentId]) -> Result<()> {
    let mut left: Vec<AttachmentId> = rows.iter().map(|row| row.id).collect();
    for (index, id) in order.iter().enumerate() {
        let place = left.iter().position(|known| known == id);
        let place = place.ok_or_else(|| Problem::not_found(&["attachmentIds", &index.to_string()]))?;
        left.swap_remove(place);
    }
    if left.is_empty() {
        return Ok(());
    }
    let ko = "모든 파일을 한 번씩 넣어 주세요.";
    Err(Problem::new(Code::Invalid, &["attachmentIds"], ko, "Name each of the files, once.").into())
}

async fn place(txn: &impl ConnectionTrait, id: AttachmentId, position: i32) -> Result<()> {
    Entity::update_many().col_expr(Column::Position, Expr::value(position)).filter(Column::Id.eq(id)).exec(txn).await?;
    Ok(())
}
