//! One like for each person and review.

use crate::ids::{ReviewId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `review_like`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review_like")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub review_id: ReviewId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub created_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
