//! What was granted is written: as many statements for a hundred bookings as for one.

use super::{
    guess::{self, Guess},
    model::Desk,
    request::Request,
};
use crate::{
    app::App,
    booking::{confirm, expire::ExpireBooking, follow::FollowSale, hold, idempotency, model::Price},
    error::Result,
    event::index::IndexEvent,
    infra::{
        db::{Batch, Line},
        jobs,
    },
    point,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking, booking_line,
    enums::{BookingStatus, PaymentPurpose, PaymentStatus, UserCouponStatus},
    ids::{BookingId, EventId, TicketTypeId, UserCouponId, UserId},
    job, payment,
    ticket_type::{self, Column as Type},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QueryTrait,
    Statement, sea_query::ExprTrait,
};
use std::collections::BTreeMap;

/// A booking that is granted.
#[derive(Debug)]
pub struct New<'a> {
    request: &'a Request,
    pub booking: booking::Model,
}

impl<'a> New<'a> {
    /// Held; what is free is sold at once, and was never held in anybody's eyes.
    pub fn of(app: &App, event_id: EventId, request: &'a Request, price: Price, now: DateTime<Utc>) -> Self {
        let hold_minutes = i64::try_from(app.config.booking.hold_minutes).unwrap_or(15);
        let is_free = price.due == 0;
        let booking = booking::Model {
            id: app.ids.next(),
            user_id: request.buyer,
            event_id,
            status: if is_free { BookingStatus::Confirmed } else { BookingStatus::Held },
            original_amount: price.original,
            coupon_discount: price.coupon,
            points_used: price.points,
            amount_due: price.due,
            user_coupon_id: request.user_coupon_id,
            expires_at: (!is_free).then(|| now + TimeDelta::minutes(hold_minutes)),
            cancel_reason: None,
            created_at: now,
            confirmed_at: is_free.then_some(now),
            closed_at: None,
        };
        Self { request, booking }
    }

    fn is_free(&self) -> bool {
        self.booking.amount_due == 0
    }

    fn wanted(&self) -> impl Iterator<Item = (TicketTypeId, i32)> + use<'a> {
        self.request.wanted.iter().map(|(id, quantity)| (*id, *quantity))
    }
}

/// Writes the bookings of one group, and commits. The caller has locked the stock, and knows that there is enough of
/// everything.
pub async fn all(
    line: &mut Line,
    app: &App,
    (desk, taken): (&Desk, &BTreeMap<TicketTypeId, i32>),
    new: &[&New<'_>],
    now: DateTime<Utc>,
) -> Result<()> {
    let backend = line.get_database_backend();
    let is_last = |(id, quantity): (_, &i32)| desk.seats.get(id).is_some_and(|seats| seats.remaining == *quantity);
    let has_sold_out = taken.iter().any(is_last);
    let seats = taken.iter().map(|(id, quantity)| take_seats(backend, *id, *quantity)).collect();
    let batch = together(line, app, desk, seats, new, has_sold_out, now)?;
    if new.iter().all(|one| one.booking.user_coupon_id.is_none() && one.booking.points_used == 0) {
        return line.commit_with(batch).await.map_err(idempotency::lost_in_batch);
    }
    batch.send(&*line).await.map_err(idempotency::lost_in_batch)?;
    take_coupons(&*line, new, now).await?;
    hold::hold_points_of(&*line, &points(new)).await?;
    let paid_by_points = new.iter().filter(|one| one.is_free() && one.booking.points_used > 0);
    let spent = paid_by_points.map(|one| (one.booking.user_id, one.booking.points_used, one.booking.id.to_string()));
    point::ledger::spend_all_held(&*line, app, spent.collect()).await?;
    line.commit().await
}

/// The same without having asked anything: the database makes sure of the guess.
pub async fn guessed(
    line: &mut Line,
    app: &App,
    (guess, desk): (&Guess, &Desk),
    new: &[&New<'_>],
    now: DateTime<Utc>,
) -> Result<()> {
    let (backend, buyers) = (line.get_database_backend(), new.iter().map(|one| one.booking.user_id).collect());
    let Some(event_id) = new.first().map(|first| first.booking.event_id) else { return Ok(()) };
    let taken = taken(new);
    let seats = taken.iter().map(|(id, quantity)| guess.take_seats(backend, (*id, *quantity), &buyers)).collect();
    let batch = together(line, app, desk, seats, new, false, now)?;
    line.at_once(&guess::locks(backend, event_id, &buyers), batch).await.map_err(idempotency::lost_in_batch)
}

/// What every booking writes. Keys come first: a twin waits there, and not behind half the work.
fn together(
    line: &Line,
    app: &App,
    desk: &Desk,
    seats: Vec<Statement>,
    new: &[&New<'_>],
    has_sold_out: bool,
    now: DateTime<Utc>,
) -> Result<Batch> {
    let mut batch = line.batch(new.len());
    let keys = new.iter().map(|one| (&one.request.key, one.booking.id.to_string())).collect();
    batch.insert(idempotency::rows(keys, now))?;
    for take in seats {
        batch.write(take, 1)?;
    }
    // By person: each row locks its person's, and two groups must not do so crosswise.
    let mut sorted: Vec<&New<'_>> = new.to_vec();
    sorted.sort_by_key(|one| one.booking.user_id);
    batch.insert(sorted.iter().map(|one| one.booking.clone().into_active_model().reset_all()))?;
    batch.insert(lines(desk, new))?;
    let due = sorted.iter().filter(|one| !one.is_free());
    batch.insert(due.map(|one| payment(app, one, now)))?;
    let free = new.iter().filter(|one| one.is_free());
    batch.insert(free.flat_map(|one| confirm::tickets(app, &one.booking, one.wanted(), now)))?;
    batch.insert(jobs(app, new, has_sold_out, now)?)?;
    Ok(batch)
}

/// How many of each.
pub fn taken(new: &[&New<'_>]) -> BTreeMap<TicketTypeId, i32> {
    let mut taken: BTreeMap<TicketTypeId, i32> = BTreeMap::new();
    for (id, quantity) in new.iter().flat_map(|one| one.wanted()) {
        *taken.entry(id).or_default() += quantity;
    }
    taken
}

/// Row locks do not exist on every database: the write is guarded by a CHECK of the column, which makes too few an error. (A
/// guard in its WHERE would only make it hit nothing, which is seen too late when the COMMIT comes along.)
fn take_seats(backend: DbBackend, id: TicketTypeId, quantity: i32) -> Statement {
    let left = Type::Remaining.into_expr().sub(quantity);
    let take = ticket_type::Entity::update_many().col_expr(Type::Remaining, left).filter(Type::Id.eq(id));
    take.build(backend)
}

async fn take_coupons(txn: &impl ConnectionTrait, new: &[&New<'_>], now: DateTime<Utc>) -> Result<()> {
    use UserCouponStatus::{Available, Held, Used};
    for (is_free, to, used_at) in [(false, Held, None), (true, Used, Some(now))] {
        let of = new.iter().filter(|one| one.is_free() == is_free);
        let ids: Vec<UserCouponId> = of.filter_map(|one| one.booking.user_coupon_id).collect();
        if !ids.is_empty() {
            let count = ids.len();
            hold::all(hold::move_coupons(txn, ids, Available, to, used_at).await?, count, "coupons taken")?;
        }
    }
    Ok(())
}

fn points(new: &[&New<'_>]) -> BTreeMap<UserId, i64> {
    let mut points: BTreeMap<UserId, i64> = BTreeMap::new();
    for one in new.iter().filter(|one| one.booking.points_used > 0) {
        *points.entry(one.booking.user_id).or_default() += one.booking.points_used;
    }
    points
}

fn lines(desk: &Desk, new: &[&New<'_>]) -> Vec<booking_line::ActiveModel> {
    let of = |one: &&New<'_>| {
        let booking_id = one.booking.id;
        let line = |(ticket_type_id, quantity)| {
            let unit_price = desk.seats.get(&ticket_type_id).map_or(0, |seats| seats.price);
            let line = booking_line::Model { booking_id, ticket_type_id, unit_price, quantity };
            line.into_active_model().reset_all()
        };
        one.wanted().map(line).collect::<Vec<_>>()
    };
    new.iter().flat_map(of).collect()
}

/// The intent, written with the hold: whatever happens next, the row says that money was to be taken.
fn payment(app: &App, one: &New<'_>, now: DateTime<Utc>) -> payment::ActiveModel {
    let row = payment::Model {
        id: app.ids.next(),
        purpose: PaymentPurpose::Booking,
        user_id: one.booking.user_id,
        booking_id: Some(one.booking.id),
        status: PaymentStatus::Pending,
        amount: one.booking.amount_due,
        taken_amount: None,
        canceled_amount: 0,
        tid: None,
        pc_url: None,
        mobile_url: None,
        app_url: None,
        return_url: one.request.return_url.clone(),
        failure: None,
        created_at: now,
        changed_at: now,
        approved_at: None,
        canceled_at: None,
    };
    row.into_active_model().reset_all()
}

fn jobs(app: &App, new: &[&New<'_>], has_sold_out: bool, now: DateTime<Utc>) -> Result<Vec<job::ActiveModel>> {
    let mut rows = Vec::with_capacity(new.len() + 2);
    for one in new {
        if let Some(expires_at) = one.booking.expires_at {
            let expire = ExpireBooking { booking_id: one.booking.id };
            rows.push(jobs::row(&app.ids, now, expires_at, &expire)?.1);
        }
    }
    let Some(event_id) = new.first().map(|first| first.booking.event_id) else { return Ok(rows) };
    let booking_ids: Vec<BookingId> = new.iter().filter(|one| one.is_free()).map(|one| one.booking.id).collect();
    if !booking_ids.is_empty() {
        rows.push(jobs::row(&app.ids, now, now, &FollowSale { event_id, booking_ids })?.1);
    }
    if has_sold_out {
        // Not behind all who are to be told.
        rows.push(jobs::row(&app.ids, now, now, &IndexEvent { event_id })?.1);
    }
    Ok(rows)
}
