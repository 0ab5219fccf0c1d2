//! `attachmentDelete`: the row now, the object soon.

use super::{model::Owner, owner::own, query, remove};
use crate::{
    app::App,
    error::{Error, Result},
    transaction,
    user::viewer::Buyer,
};
use entity::{attachment::Entity, ids::AttachmentId};
use sea_orm::EntityTrait;

const PATH: &[&str] = &["attachmentId"];

pub async fn delete(app: &App, buyer: Buyer, id: AttachmentId) -> Result<()> {
    transaction!(app, txn => {
        let row = query::by_id(txn, id).await?.ok_or_else(|| Error::not_found(PATH))?;
        own(txn, buyer, Owner::of(&row), PATH).await?;
        let deleted = Entity::delete_by_id(id).exec(txn).await?;
        if deleted.rows_affected == 0 {
            return Err(Error::not_found(PATH));
        }
        remove::now(txn, app, row.object_key).await
    })
}
