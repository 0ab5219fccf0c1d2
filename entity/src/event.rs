//! A performance or an exhibition.

use crate::enums::{EventCategory, EventStatus};
use crate::ids::{EventId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    pub artist_id: UserId,
    pub title: String,
    /// Markdown.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// SHA-256 of everything that the artist entered: tells a double submit.
    pub content_hash: String,
    pub venue_name: String,
    pub venue_address: String,
    pub category: EventCategory,
    pub status: EventStatus,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub booking_opens_at: DateTimeUtc,
    pub booking_closes_at: DateTimeUtc,
    pub cancelable_until: DateTimeUtc,
    /// When its start was last moved; null if it never was.
    pub starts_moved_at: Option<DateTimeUtc>,
    pub lowest_price: i64,
    pub highest_price: i64,
    pub rating_sum: i64,
    pub review_count: i32,
    /// Grows with every edit; the search index refuses to go back.
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub canceled_at: Option<DateTimeUtc>,
    /// When an admin took it out of sight; it is canceled too, unless it had ended.
    pub removed_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
