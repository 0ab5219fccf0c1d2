//! Reads of attachments.

use super::model::Owner;
use crate::error::Result;
use entity::{
    attachment::{Column, Entity, Model},
    ids::AttachmentId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

pub async fn by_id(db: &impl ConnectionTrait, id: AttachmentId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// In the owner's order.
pub async fn of(db: &impl ConnectionTrait, owner: Owner) -> Result<Vec<Model>> {
    of_all(db, &[owner]).await
}

/// In each owner's order.
pub async fn of_all(db: &impl ConnectionTrait, owners: &[Owner]) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(Column::OwnerKind.is_in(owners.iter().map(|owner| owner.kind())))
        .filter(Column::OwnerId.is_in(owners.iter().map(|owner| owner.id())))
        .order_by_asc(Column::OwnerId)
        .order_by_asc(Column::Position)
        .all(db)
        .await?;
    Ok(rows)
}

/// Whether a row names the object.
pub async fn has_key(db: &impl ConnectionTrait, key: &str) -> Result<bool> {
    Ok(Entity::find().filter(Column::ObjectKey.eq(key)).one(db).await?.is_some())
}
