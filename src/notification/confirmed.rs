//! "Your booking is confirmed."

use super::store::{Facts, News, tell};
use crate::{app::App, booking, error::Result, event, infra::jobs::Job};
use entity::{enums::NotificationKind, ids::BookingId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct TellConfirmed {
    pub booking_id: BookingId,
}

impl Job for TellConfirmed {
    const NAME: &'static str = "tell_confirmed";

    async fn run(self, app: &App) -> Result<()> {
        about(app, self.booking_id, NotificationKind::PaymentConfirmed).await
    }
}

/// Tells a booking's owner something about it, once.
pub(super) async fn about(app: &App, id: BookingId, kind: NotificationKind) -> Result<()> {
    let db = app.db.reads();
    let Some(booking) = booking::query::by_id(db, id).await? else { return Ok(()) };
    let Some(event) = event::query::by_id(db, booking.event_id).await? else { return Ok(()) };
    let facts = Facts::of(&event, booking.amount_due);
    let news = News { kind, subject: id.to_string(), event_id: Some(event.id), facts };
    tell(app, &[booking.user_id], &news).await
}
