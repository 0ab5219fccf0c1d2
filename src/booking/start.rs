//! `bookingStart`: seats, coupon and points are set aside in one short transaction; the payment is prepared after it.

use super::{confirm, expire::ExpireBooking, hold, idempotency, idempotency::Key, model, model::Price};
use crate::{
    app::App,
    error::{Code, Error, More, Problem, Problems, Result},
    event,
    infra::jobs,
    payment, transaction, user,
    user::viewer::Buyer,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking, booking_line, coupon,
    enums::{BookingStatus, PaymentPurpose, PaymentStatus, UserCouponStatus},
    ids::{BookingId, EventId, TicketTypeId, UserCouponId},
    ticket_type, user_coupon,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeMap;

/// More than ten of a kind at once is a reseller.
const MOST_SEATS: i64 = 50;

#[derive(Clone, Debug)]
pub struct Start {
    pub event_id: EventId,
    /// In the order of the input.
    pub lines: Vec<(TicketTypeId, i32)>,
    pub user_coupon_id: Option<UserCouponId>,
    pub points: i64,
    pub expected_total: Option<i64>,
    pub return_url: Option<String>,
    pub idempotency_key: String,
}

pub async fn start(app: &App, buyer: Buyer, input: Start) -> Result<BookingId> {
    let wanted = wanted(app, &input)?;
    let what = format!(
        "{:?}",
        (&input.event_id, &wanted, &input.user_coupon_id, input.points, &input.expected_total, &input.return_url)
    );
    let key = Key::new(buyer.id(), &input.idempotency_key, "bookingStart", &what)?;
    let id = match key.seen(app.db.reads()).await? {
        Some(answer) => answer.parse()?,
        None => {
            let held = transaction!(app, txn => hold(txn, app, buyer, &input, &wanted, &key).await);
            match held {
                Err(error) if idempotency::lost_to_twin(&error) => {
                    let answer = key.seen(app.db.reads()).await?;
                    answer.ok_or(error)?.parse()?
                }
                other => other?,
            }
        }
    };
    payment::prepare::prepare(app, id).await?;
    Ok(id)
}

/// The lines added up by ticket type, in id order: the order in which their rows are locked.
fn wanted(app: &App, input: &Start) -> Result<BTreeMap<TicketTypeId, i32>> {
    let mut problems = Problems::default();
    let mut wanted: BTreeMap<TicketTypeId, i32> = BTreeMap::new();
    problems.add_if(input.lines.is_empty(), || {
        Problem::new(Code::TooShort, &["lines"], "티켓을 골라 주세요.", "Choose at least one ticket.")
    });
    for (index, (id, quantity)) in input.lines.iter().enumerate() {
        problems.range(&["lines", &index.to_string(), "quantity"], i64::from(*quantity), 1, MOST_SEATS);
        let sum = wanted.entry(*id).or_default();
        *sum = sum.saturating_add(*quantity);
    }
    let seats: i64 = wanted.values().map(|quantity| i64::from(*quantity)).sum();
    if problems.is_empty() {
        problems.range(&["lines"], seats, 1, MOST_SEATS);
    }
    problems.range(&["points"], input.points, 0, i64::from(u32::MAX));
    if let Some(url) = &input.return_url {
        payment::return_url::check(app, url, &mut problems);
    }
    problems.check()?;
    Ok(wanted)
}

async fn hold(
    txn: &impl ConnectionTrait,
    app: &App,
    buyer: Buyer,
    input: &Start,
    wanted: &BTreeMap<TicketTypeId, i32>,
    key: &Key,
) -> Result<BookingId> {
    let now = app.clock.now();
    let id: BookingId = app.ids.next();
    user::query::lock_present(txn, buyer.id()).await?;
    key.store(txn, &id.to_string(), now).await?;
    check_event(txn, input.event_id, now).await?;
    let seats = lock_seats(txn, input, wanted).await?;
    check_limits(txn, buyer, &seats, wanted).await?;
    let price = price(txn, buyer, input, wanted, &seats, now).await?;
    take(txn, buyer, input, wanted, &price).await?;
    let hold_minutes = i64::try_from(app.config.booking.hold_minutes).unwrap_or(15);
    let booking = booking::Model {
        id,
        user_id: buyer.id(),
        event_id: input.event_id,
        status: BookingStatus::Held,
        original_amount: price.original,
        coupon_discount: price.coupon,
        points_used: price.points,
        amount_due: price.due,
        user_coupon_id: input.user_coupon_id,
        expires_at: Some(now + TimeDelta::minutes(hold_minutes)),
        cancel_reason: None,
        created_at: now,
        confirmed_at: None,
        closed_at: None,
    };
    write(txn, &booking, &seats, wanted).await?;
    if price.due == 0 {
        confirm::confirm(txn, app, &booking, model::Step::Confirm).await?;
    } else {
        let expires_at = booking.expires_at.unwrap_or(now);
        jobs::enqueue(txn, &app.ids, now, expires_at, &ExpireBooking { booking_id: id }).await?;
        write_payment(txn, app, &booking, input.return_url.clone(), now).await?;
    }
    if seats.iter().any(|row| wanted.get(&row.id) == Some(&row.remaining)) {
        event::index::enqueue(txn, app, input.event_id).await?;
    }
    Ok(id)
}

async fn check_event(txn: &impl ConnectionTrait, id: EventId, now: DateTime<Utc>) -> Result<()> {
    let event = event::query::lock_shared(txn, id).await?.ok_or_else(|| Error::not_found(&["eventId"]))?;
    if event::model::is_open(event.status, event.booking_opens_at, event.booking_closes_at, now) {
        return Ok(());
    }
    let ko = "예매 기간이 아닙니다.";
    Err(Problem::new(Code::BookingClosed, &["eventId"], ko, "Booking is not open.").into())
}

async fn lock_seats(
    txn: &impl ConnectionTrait,
    input: &Start,
    wanted: &BTreeMap<TicketTypeId, i32>,
) -> Result<Vec<ticket_type::Model>> {
    let seats = ticket_type::Entity::find()
        .filter(ticket_type::Column::EventId.eq(input.event_id))
        .filter(ticket_type::Column::Id.is_in(wanted.keys().copied()))
        .order_by_asc(ticket_type::Column::Id)
        .lock_exclusive()
        .all(txn)
        .await?;
    for (index, (id, _)) in input.lines.iter().enumerate() {
        if !seats.iter().any(|row| row.id == *id) {
            return Err(Error::not_found(&["lines", &index.to_string(), "ticketTypeId"]));
        }
    }
    let lacking = |row: &&ticket_type::Model| wanted.get(&row.id).is_some_and(|quantity| row.remaining < *quantity);
    let lacking: Vec<TicketTypeId> = seats.iter().filter(lacking).map(|row| row.id).collect();
    if lacking.is_empty() { Ok(seats) } else { Err(hold::sold_out(lacking)) }
}

async fn check_limits(
    txn: &impl ConnectionTrait,
    buyer: Buyer,
    seats: &[ticket_type::Model],
    wanted: &BTreeMap<TicketTypeId, i32>,
) -> Result<()> {
    for row in seats {
        let (Some(limit), Some(quantity)) = (row.per_person_limit, wanted.get(&row.id)) else { continue };
        let has = super::query::seats_of(txn, buyer.id(), row.id).await?;
        if has + i64::from(*quantity) > i64::from(limit) {
            let ko = format!("한 사람이 {limit}장까지 예매할 수 있습니다.");
            let en = format!("One person may hold at most {limit}.");
            return Err(Problem::new(Code::LimitExceeded, &["lines"], ko, en).into());
        }
    }
    Ok(())
}

async fn price(
    txn: &impl ConnectionTrait,
    buyer: Buyer,
    input: &Start,
    wanted: &BTreeMap<TicketTypeId, i32>,
    seats: &[ticket_type::Model],
    now: DateTime<Utc>,
) -> Result<Price> {
    let lines = seats.iter().map(|row| (row.price, wanted.get(&row.id).copied().unwrap_or_default()));
    let original = model::original(lines).ok_or_else(|| Error::fault("the price does not fit"))?;
    let discount = match input.user_coupon_id {
        Some(id) => Some(discount(txn, buyer, id, original, now).await?),
        None => None,
    };
    let price = model::price(original, discount, input.points);
    if input.user_coupon_id.is_some() && price.coupon == 0 {
        // It would be used up for nothing.
        return Err(unusable());
    }
    match input.expected_total {
        Some(expected) if expected != price.due => {
            let ko = format!("결제 금액이 {}원으로 바뀌었습니다.", price.due);
            let en = format!("The total is {} won now.", price.due);
            let problem = Problem::new(Code::AmountChanged, &["expectedTotal"], ko, en);
            Err(problem.with(More::ExpectedTotal(price.due)).into())
        }
        _ => Ok(price),
    }
}

async fn discount(
    txn: &impl ConnectionTrait,
    buyer: Buyer,
    id: UserCouponId,
    original: i64,
    now: DateTime<Utc>,
) -> Result<model::Discount> {
    let own = user_coupon::Entity::find_by_id(id).one(txn).await?.filter(|row| row.user_id == buyer.id());
    let own = own.ok_or_else(|| Error::not_found(&["userCouponId"]))?;
    let row = coupon::Entity::find_by_id(own.coupon_id).one(txn).await?;
    let row = row.ok_or_else(|| Error::not_found(&["userCouponId"]))?;
    let is_usable = own.status == UserCouponStatus::Available
        && row.deleted_at.is_none()
        && (row.valid_from..row.valid_until).contains(&now)
        && original >= row.minimum_purchase;
    if is_usable {
        return Ok(model::Discount { kind: row.discount_kind, value: row.discount_value, cap: row.discount_cap });
    }
    Err(unusable())
}

fn unusable() -> Error {
    let ko = "이 예매에 쓸 수 없는 쿠폰입니다.";
    Problem::new(Code::CouponUnusable, &["userCouponId"], ko, "The coupon cannot be used for this booking.").into()
}

async fn take(
    txn: &impl ConnectionTrait,
    buyer: Buyer,
    input: &Start,
    wanted: &BTreeMap<TicketTypeId, i32>,
    price: &Price,
) -> Result<()> {
    for (id, quantity) in wanted {
        if !hold::take_seats(txn, *id, *quantity).await? {
            return Err(hold::sold_out(vec![*id]));
        }
    }
    if let Some(id) = input.user_coupon_id {
        use UserCouponStatus::{Available, Held};
        if !hold::move_coupon(txn, id, Available, Held, None).await? {
            return Err(unusable());
        }
    }
    if !hold::hold_points(txn, buyer.id(), price.points).await? {
        let ko = "포인트가 부족합니다.";
        return Err(Problem::new(Code::InsufficientPoints, &["points"], ko, "Not enough points.").into());
    }
    Ok(())
}

async fn write(
    txn: &impl ConnectionTrait,
    booking: &booking::Model,
    seats: &[ticket_type::Model],
    wanted: &BTreeMap<TicketTypeId, i32>,
) -> Result<()> {
    let row = booking::ActiveModel::from(booking.clone()).reset_all();
    booking::Entity::insert(row).exec_without_returning(txn).await?;
    let lines = seats.iter().map(|row| {
        let line = booking_line::Model {
            booking_id: booking.id,
            ticket_type_id: row.id,
            unit_price: row.price,
            quantity: wanted.get(&row.id).copied().unwrap_or_default(),
        };
        booking_line::ActiveModel::from(line).reset_all()
    });
    booking_line::Entity::insert_many(lines).exec_without_returning(txn).await?;
    Ok(())
}

/// The intent, written with the hold: whatever happens next, the row says that money was to be taken.
async fn write_payment(
    txn: &impl ConnectionTrait,
    app: &App,
    booking: &booking::Model,
    return_url: Option<String>,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = entity::payment::Model {
        id: app.ids.next(),
        purpose: PaymentPurpose::Booking,
        user_id: booking.user_id,
        booking_id: Some(booking.id),
        status: PaymentStatus::Pending,
        amount: booking.amount_due,
        canceled_amount: 0,
        tid: None,
        pc_url: None,
        mobile_url: None,
        app_url: None,
        return_url,
        failure: None,
        created_at: now,
        changed_at: now,
        approved_at: None,
        canceled_at: None,
    };
    let row = entity::payment::ActiveModel::from(row).reset_all();
    entity::payment::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}
