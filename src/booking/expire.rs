//! A hold past its time is released, exactly once, by whichever node claims the job. A hold whose payment is in doubt
//! is not: the reconciler asks the provider first, and then releases or confirms it.

use super::{release, state};
use crate::{app::App, error::Result, infra::jobs::Job, payment, transaction};
use entity::{enums::BookingStatus, ids::BookingId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireBooking {
    pub booking_id: BookingId,
}

impl Job for ExpireBooking {
    const NAME: &'static str = "expire_booking";

    async fn run(self, app: &App) -> Result<()> {
        transaction!(app, txn => {
            let Some(booking) = state::lock(txn, self.booking_id).await? else { return Ok(()) };
            let is_over = booking.expires_at.is_some_and(|expires_at| expires_at <= app.clock.now());
            if booking.status != BookingStatus::Held || !is_over {
                return Ok(());
            }
            if payment::state::lapse(txn, app, booking.id).await? {
                release::release(txn, app, &booking).await?;
            }
            Ok(())
        })
    }
}
