//! "Your booking was canceled", by oneself or because the event was.

use super::confirmed::about;
use crate::{app::App, booking, error::Result, event, infra::jobs::Job};
use entity::{
    enums::{EventStatus, NotificationKind},
    ids::BookingId,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct TellCanceled {
    pub booking_id: BookingId,
}

impl Job for TellCanceled {
    const NAME: &'static str = "tell_canceled";

    async fn run(self, app: &App) -> Result<()> {
        let db = app.db.reads();
        let Some(booking) = booking::query::by_id(db, self.booking_id).await? else { return Ok(()) };
        let event = event::query::by_id(db, booking.event_id).await?;
        let kind = match event.map(|event| event.status) {
            Some(EventStatus::Canceled) => NotificationKind::EventCanceled,
            Some(EventStatus::Scheduled) | None => NotificationKind::BookingCanceled,
        };
        about(app, self.booking_id, kind).await
    }
}
