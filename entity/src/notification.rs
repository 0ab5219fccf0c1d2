//! A row first, a push second. `seq` counts up for each person in commit order: it is the cursor.

use crate::enums::NotificationKind;
use crate::ids::{EventId, NotificationId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `notification`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationId,
    pub user_id: UserId,
    pub seq: i64,
    pub kind: NotificationKind,
    /// What it is about; with the kind, what makes it happen once.
    pub subject: String,
    pub event_id: Option<EventId>,
    /// JSON: the facts that the text is made of, in the reader's language.
    #[sea_orm(column_type = "Text")]
    pub data: String,
    pub created_at: DateTimeUtc,
    pub read_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
