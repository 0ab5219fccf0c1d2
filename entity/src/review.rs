//! What a holder says after the event: one for each person and event.

use crate::ids::{EventId, ReviewId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `review`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewId,
    pub event_id: EventId,
    pub user_id: UserId,
    pub rating: i32,
    #[sea_orm(column_type = "Text")]
    pub content: String,
    pub like_count: i32,
    pub created_at: DateTimeUtc,
    pub edited_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
