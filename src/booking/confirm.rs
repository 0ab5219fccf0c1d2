//! What was set aside becomes used, and each seat a ticket: inside the transaction that knows the booking is paid.

use super::{follow::FollowSale, hold, model::Step, query, state};
use crate::{app::App, error::Result, infra::jobs, point};
use chrono::{DateTime, Utc};
use entity::{
    booking,
    enums::{TicketStatus, UserCouponStatus},
    ids::TicketTypeId,
    ticket,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};

pub async fn confirm(txn: &impl ConnectionTrait, app: &App, booking: &booking::Model, step: Step) -> Result<()> {
    let now = app.clock.now();
    state::step(txn, booking, step, now).await?;
    if let Some(id) = booking.user_coupon_id {
        use UserCouponStatus::{Held, Used};
        let moved = hold::move_coupon(txn, id, Held, Used, Some(now)).await?;
        hold::one(u64::from(moved), "coupon used")?;
    }
    point::ledger::spend_held(txn, app, booking.user_id, booking.points_used, &booking.id.to_string()).await?;
    let lines = query::lines(txn, &[booking.id]).await?;
    let lines = lines.iter().map(|line| (line.ticket_type_id, line.quantity));
    let tickets = tickets(app, booking, lines, now);
    ticket::Entity::insert_many(tickets).exec_without_returning(txn).await?;
    let follow = FollowSale { event_id: booking.event_id, booking_ids: vec![booking.id] };
    jobs::enqueue(txn, &app.ids, now, now, &follow).await.map(drop)
}

/// One for each seat.
pub fn tickets(
    app: &App,
    booking: &booking::Model,
    lines: impl Iterator<Item = (TicketTypeId, i32)>,
    now: DateTime<Utc>,
) -> Vec<ticket::ActiveModel> {
    let seats = lines.flat_map(|(ticket_type_id, quantity)| (0..quantity).map(move |_| ticket_type_id));
    let one = |ticket_type_id| {
        let row = ticket::Model {
            id: app.ids.next(),
            booking_id: booking.id,
            event_id: booking.event_id,
            ticket_type_id,
            user_id: booking.user_id,
            code: app.ids.ticket_code(),
            status: TicketStatus::Valid,
            created_at: now,
        };
        ticket::ActiveModel::from(row).reset_all()
    };
    seats.map(one).collect()
}
