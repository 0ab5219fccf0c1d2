//! Who came, and what they said: bookings whose rows add up like those of real ones.

use super::{
    words,
    world::{World, pick},
};
use crate::infra::{ids::Ids, kakaopay::sandbox};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking, booking_line,
    enums::{BookingStatus, PaymentPurpose, PaymentStatus, TicketStatus},
    event, kv, payment, review, ticket, ticket_type, user,
};

/// Sells some seats of the event, and has those who came to a past one review it.
pub(super) fn come(
    world: &mut World,
    ids: &Ids,
    mut event: event::Model,
    mut seats: Vec<ticket_type::Model>,
    fans: &[user::Model],
    now: DateTime<Utc>,
    is_demo_fans: bool,
) {
    event.lowest_price = seats.iter().map(|row| row.price).min().unwrap_or(0);
    event.highest_price = seats.iter().map(|row| row.price).max().unwrap_or(0);
    let is_over = event.ends_at <= now;
    let first = usize::try_from(ids.below(20)).unwrap_or(0);
    let count = usize::try_from(ids.below(7)).unwrap_or(0);
    let guests = fans.iter().skip(1 + first).take(count);
    let demo_fan = fans.first().filter(|_| is_demo_fans);
    for fan in demo_fan.into_iter().chain(guests) {
        if let Some(seat) = seats.first_mut() {
            buy(world, ids, &event, seat, fan, now);
        }
        if is_over && ids.below(2) == 0 {
            let review = review(ids, &event, fan);
            event.rating_sum += i64::from(review.rating);
            event.review_count += 1;
            world.reviews.push(review);
        }
    }
    world.events.push(event);
    world.ticket_types.append(&mut seats);
}

fn buy(
    world: &mut World,
    ids: &Ids,
    event: &event::Model,
    seat: &mut ticket_type::Model,
    fan: &user::Model,
    now: DateTime<Utc>,
) {
    seat.remaining -= 1;
    let at = event.starts_at.min(now) - TimeDelta::days(2);
    let row = booking::Model {
        id: ids.at(at),
        user_id: fan.id,
        event_id: event.id,
        status: BookingStatus::Confirmed,
        original_amount: seat.price,
        coupon_discount: 0,
        points_used: 0,
        amount_due: seat.price,
        user_coupon_id: None,
        expires_at: None,
        cancel_reason: None,
        created_at: at,
        confirmed_at: Some(at),
        closed_at: None,
    };
    world.lines.push(booking_line::Model {
        booking_id: row.id,
        ticket_type_id: seat.id,
        unit_price: seat.price,
        quantity: 1,
    });
    world.tickets.push(ticket::Model {
        id: ids.at(at),
        booking_id: row.id,
        event_id: event.id,
        ticket_type_id: seat.id,
        user_id: fan.id,
        code: ids.ticket_code(),
        status: TicketStatus::Valid,
        created_at: at,
    });
    if seat.price > 0 {
        let payment = paid(ids, &row, at);
        if let Some((key, value)) = sandbox::taken(&payment, &event.title) {
            world.kv.push(kv::Model { key, value, expires_at: None });
        }
        world.payments.push(payment);
    }
    world.bookings.push(row);
}

fn paid(ids: &Ids, booking: &booking::Model, at: DateTime<Utc>) -> payment::Model {
    payment::Model {
        id: ids.at(at),
        purpose: PaymentPurpose::Booking,
        user_id: booking.user_id,
        booking_id: Some(booking.id),
        status: PaymentStatus::Approved,
        amount: booking.amount_due,
        taken_amount: Some(booking.amount_due),
        canceled_amount: 0,
        tid: Some(format!("TDEMO{}", ids.code())),
        pc_url: None,
        mobile_url: None,
        app_url: None,
        return_url: None,
        failure: None,
        created_at: at,
        changed_at: at,
        approved_at: Some(at),
        canceled_at: None,
    }
}

fn review(ids: &Ids, event: &event::Model, fan: &user::Model) -> review::Model {
    let (rating, content) = pick(ids, &words::REVIEWS).copied().unwrap_or((5, "좋았습니다. 또 가고 싶어요."));
    review::Model {
        id: ids.next(),
        event_id: event.id,
        user_id: fan.id,
        rating,
        content: content.to_owned(),
        like_count: 0,
        created_at: event.ends_at + TimeDelta::hours(3),
        edited_at: None,
    }
}
