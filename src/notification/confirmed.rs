//! "Your booking is confirmed."

use super::store::{Facts, News, tell};
use crate::{app::App, booking, error::Result, event};
use entity::{enums::NotificationKind, ids::BookingId};

/// Whoever was told before it broke off is not told twice; whoever cannot be told keeps nobody else from it.
pub async fn tell_all(app: &App, ids: Vec<BookingId>) -> Result<()> {
    let mut all = Ok(());
    for id in ids {
        all = all.and(about(app, id, NotificationKind::PaymentConfirmed).await);
    }
    all
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
