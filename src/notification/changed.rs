//! "The event was moved": to everybody who booked it for another time.

use super::{
    query,
    store::{Facts, News, tell},
};
use crate::{app::App, booking, error::Result, event, infra::jobs::Job};
use entity::{
    enums::NotificationKind,
    event::Model,
    ids::{BookingId, EventId, UserId},
};
use serde::{Deserialize, Serialize};

/// To those who hold seats or tickets when it is moved.
#[derive(Debug, Serialize, Deserialize)]
pub struct TellChange {
    pub event_id: EventId,
    /// The edit that moved it.
    pub version: i64,
}

impl Job for TellChange {
    const NAME: &'static str = "tell_change";

    async fn run(self, app: &App) -> Result<()> {
        let Some(event) = event::query::by_id(app.db.reads(), self.event_id).await? else { return Ok(()) };
        let moved_at = event.starts_moved_at.unwrap_or_else(|| app.clock.now());
        let booked = query::booked_before(app.db.reads(), event.id, moved_at).await?;
        tell_moved(app, &event, &booked, self.version).await
    }
}

/// To one whose money came after it was moved, and who may have held nothing at that moment.
#[derive(Debug, Serialize, Deserialize)]
pub struct TellMoved {
    pub booking_id: BookingId,
}

impl Job for TellMoved {
    const NAME: &'static str = "tell_moved";

    async fn run(self, app: &App) -> Result<()> {
        let db = app.db.reads();
        let Some(booking) = booking::query::by_id(db, self.booking_id).await? else { return Ok(()) };
        let Some(event) = event::query::by_id(db, booking.event_id).await? else { return Ok(()) };
        tell_moved(app, &event, &[booking.user_id], event.version).await
    }
}

/// Each of them once for each move, whichever of the jobs comes first.
async fn tell_moved(app: &App, event: &Model, users: &[UserId], version: i64) -> Result<()> {
    let which = event.starts_moved_at.map_or(version, |at| at.timestamp_micros());
    let news = News {
        kind: NotificationKind::EventChanged,
        subject: format!("{}:{which}", event.id),
        event_id: Some(event.id),
        facts: Facts::of(event, 0),
    };
    tell(app, users, &news).await
}
