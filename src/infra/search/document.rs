//! What the index knows of an event, and how it is told.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// One step of bringing the index up to date.
#[derive(Clone, Debug)]
pub enum Change {
    /// Puts the event in, or replaces it, unless the index holds a newer version.
    Upsert(Box<EventDocument>),
    /// Takes the event out.
    Delete(Uuid),
}

/// An event as the index sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDocument {
    pub id: Uuid,
    pub title: String,
    /// Markdown.
    pub content: String,
    pub venue_name: String,
    pub venue_address: String,
    pub artist_name: String,
    pub category: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub booking_opens_at: DateTime<Utc>,
    pub booking_closes_at: DateTime<Utc>,
    /// Won.
    pub lowest_price: i64,
    /// Won.
    pub highest_price: i64,
    /// Seats left, over all ticket types.
    pub remaining: i64,
    /// Seats sold, over all ticket types.
    pub booked: i64,
    pub created_at: DateTime<Utc>,
    /// Grows with every edit. The same version replaces (seats change without an edit), an older one does not.
    pub version: i64,
}
