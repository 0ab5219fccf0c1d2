//! A hold that did not become a sale: everything that was set aside goes back, once.

use super::{hold, model::Step, query, state};
use crate::{app::App, error::Result, event::index};
use entity::{
    booking::Model,
    enums::{BookingStatus, UserCouponStatus},
    ids::{BookingId, UserCouponId},
};
use sea_orm::ConnectionTrait;

/// The caller has locked the booking and knows that no money was or will be taken for it.
pub async fn release(txn: &impl ConnectionTrait, app: &App, booking: &Model) -> Result<()> {
    release_all(txn, app, std::slice::from_ref(booking)).await
}

/// The same for several of one event, in as many statements for a hundred as for one.
pub async fn release_all(txn: &impl ConnectionTrait, app: &App, bookings: &[Model]) -> Result<()> {
    let Some(event_id) = bookings.first().map(|booking| booking.event_id) else { return Ok(()) };
    let ids: Vec<BookingId> = bookings.iter().map(|booking| booking.id).collect();
    state::step_all(txn, BookingStatus::Held, &ids, Step::Lapse, app.clock.now()).await?;
    hold::give_back_seats(txn, &query::lines(txn, &ids).await?).await?;
    let coupons: Vec<UserCouponId> = bookings.iter().filter_map(|booking| booking.user_coupon_id).collect();
    if !coupons.is_empty() {
        use UserCouponStatus::{Available, Held};
        let count = coupons.len();
        hold::all(hold::move_coupons(txn, coupons, Held, Available, None).await?, count, "coupons given back")?;
    }
    hold::release_points(txn, bookings).await?;
    index::enqueue(txn, app, event_id).await
}
