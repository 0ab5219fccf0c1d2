//! What follows when something is sold: the event is listed anew, and people are told.

use crate::{app::App, error::Result, event::index, infra::jobs::Job, notification::confirmed};
use entity::ids::{BookingId, EventId};
use serde::{Deserialize, Serialize};

/// One row for all that a transaction sold: a row for each of them, and another one for the list, would be a third of what a
/// single booking writes.
#[derive(Debug, Serialize, Deserialize)]
pub struct FollowSale {
    pub event_id: EventId,
    pub booking_ids: Vec<BookingId>,
}

impl Job for FollowSale {
    const NAME: &'static str = "follow_sale";

    /// The list first: it must not wait for somebody who cannot be told.
    async fn run(self, app: &App) -> Result<()> {
        index::enqueue_once(app, self.event_id).await?;
        confirmed::tell_all(app, self.booking_ids).await
    }
}
