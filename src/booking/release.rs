//! A hold that did not become a sale: everything that was set aside goes back, once.

use super::{hold, model::Step, query, state};
use crate::{app::App, error::Result, event::index};
use entity::{booking, enums::UserCouponStatus};
use sea_orm::ConnectionTrait;

/// The caller has locked the booking and knows that no money was or will be taken for it.
pub async fn release(txn: &impl ConnectionTrait, app: &App, booking: &booking::Model) -> Result<()> {
    state::step(txn, booking, Step::Lapse, app.clock.now()).await?;
    let lines = query::lines(txn, &[booking.id]).await?;
    hold::give_back_seats(txn, &lines).await?;
    if let Some(id) = booking.user_coupon_id {
        use UserCouponStatus::{Available, Held};
        let moved = hold::move_coupon(txn, id, Held, Available, None).await?;
        hold::one(u64::from(moved), "coupon given back")?;
    }
    hold::release_points(txn, booking).await?;
    index::enqueue(txn, app, booking.event_id).await
}
