//! "Your booking is confirmed."

use super::store::{Facts, News, tell};
use crate::{app::App, booking, error::Result, event, infra::jobs::Job};
use entity::{enums::NotificationKind, ids::BookingId};
use serde::{Deserialize, Serialize};

/// As the versions before [`crate::booking::follow::FollowSale`] left it: only done, never written any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct TellConfirmed {
    booking_id: BookingId,
}

impl Job for TellConfirmed {
    const NAME: &'static str = "tell_confirmed";

    async fn run(self, app: &App) -> Result<()> {
        tell_all(app, vec![self.booking_id]).await
    }
}

/// The same of what one transaction sold.
#[derive(Debug, Serialize, Deserialize)]
pub struct TellAllConfirmed {
    booking_ids: Vec<BookingId>,
}

impl Job for TellAllConfirmed {
    const NAME: &'static str = "tell_all_confirmed";

    async fn run(self, app: &App) -> Result<()> {
        tell_all(app, self.booking_ids).await
    }
}

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
