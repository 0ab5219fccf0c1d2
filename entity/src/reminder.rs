//! One day and one hour before the start: planned once, sent once.

use crate::enums::ReminderKind;
use crate::ids::{EventId, ReminderId};
use sea_orm::entity::prelude::*;

/// A row of `reminder`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reminder")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReminderId,
    pub event_id: EventId,
    pub kind: ReminderKind,
    pub due_at: DateTimeUtc,
    pub sent_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
