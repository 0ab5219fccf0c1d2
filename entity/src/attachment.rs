//! A stored file of a user, an event or a review.

use crate::enums::AttachmentOwnerKind;
use crate::ids::{AnyId, AttachmentId};
use sea_orm::entity::prelude::*;

/// A row of `attachment`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attachment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttachmentId,
    pub owner_kind: AttachmentOwnerKind,
    pub owner_id: AnyId,
    pub position: i32,
    pub object_key: String,
    pub content_type: String,
    pub byte_size: i64,
    pub created_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
