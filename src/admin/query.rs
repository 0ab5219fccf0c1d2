//! Reads of admins.

use crate::error::Result;
use entity::{
    admin::{Column, Entity, Model},
    ids::AdminId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

pub async fn by_id(db: &impl ConnectionTrait, id: AdminId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub async fn by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::Email.eq(email)).one(db).await?)
}
