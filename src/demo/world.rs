//! Makes the rows: people, events with their seats, and who came.

use super::{ADMIN, ARTIST, FAN, audience, words};
use crate::{event::model::Draft, infra::ids::Ids};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{
    PasswordHash, admin, booking, booking_line, coupon,
    enums::{CouponKind, DiscountKind, EventStatus, PointEntryKind, Role, UserCouponStatus},
    event,
    ids::UserId,
    kv, payment, point_account, point_entry, review, ticket, ticket_type, user, user_coupon,
};

pub struct World {
    pub admin: admin::Model,
    pub users: Vec<user::Model>,
    pub accounts: Vec<point_account::Model>,
    pub entries: Vec<point_entry::Model>,
    pub coupons: Vec<coupon::Model>,
    pub user_coupons: Vec<user_coupon::Model>,
    pub events: Vec<event::Model>,
    pub ticket_types: Vec<ticket_type::Model>,
    pub bookings: Vec<booking::Model>,
    pub lines: Vec<booking_line::Model>,
    pub payments: Vec<payment::Model>,
    pub tickets: Vec<ticket::Model>,
    pub reviews: Vec<review::Model>,
    /// What the sandbox KakaoPay remembers of the payments.
    pub kv: Vec<kv::Model>,
}

/// Events to come, and events that are over.
const COMING: usize = 300;
const PAST: usize = 60;
/// What the demo fan can spend.
const POINTS: i64 = 50_000;

pub(super) fn pick<'a, T>(ids: &Ids, from: &'a [T]) -> Option<&'a T> {
    let index = ids.below(u64::try_from(from.len()).unwrap_or(1));
    from.get(usize::try_from(index).unwrap_or(0))
}

pub fn make(ids: &Ids, now: DateTime<Utc>, today: DateTime<Utc>, hash: &PasswordHash) -> World {
    let artists: Vec<user::Model> = words::ARTISTS
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let email = if index == 0 { ARTIST.to_owned() } else { format!("artist{index}@spotlight.test") };
            person(ids, &email, name, Role::Artist, now, hash)
        })
        .collect();
    let fans: Vec<user::Model> = words::NICKNAMES
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let email = if index == 0 { FAN.to_owned() } else { format!("fan{index}@spotlight.test") };
            person(ids, &email, name, Role::User, now, hash)
        })
        .collect();
    let fan = fans.first().map_or_else(|| ids.next(), |fan| fan.id);
    let coupons = coupons(ids, now);
    let users: Vec<user::Model> = artists.iter().chain(&fans).cloned().collect();
    let mut world = World {
        admin: admin::Model {
            id: ids.next(),
            email: ADMIN.to_owned(),
            password_hash: hash.clone(),
            totp_secret: None,
            totp_pending: None,
            totp_step: None,
            created_at: now,
        },
        accounts: users.iter().map(|row| account(row.id, fan)).collect(),
        entries: vec![gift(ids, fan, now)],
        user_coupons: coupons.iter().map(|row| in_hand(ids, fan, row, now)).collect(),
        coupons,
        users,
        events: Vec::new(),
        ticket_types: Vec::new(),
        bookings: Vec::new(),
        lines: Vec::new(),
        payments: Vec::new(),
        tickets: Vec::new(),
        reviews: Vec::new(),
        kv: Vec::new(),
    };
    fill(&mut world, ids, now, today, &artists, &fans);
    world
}

/// The first two start so that the demo fan's reminders come soon after the first start.
fn fill(
    world: &mut World,
    ids: &Ids,
    now: DateTime<Utc>,
    today: DateTime<Utc>,
    artists: &[user::Model],
    fans: &[user::Model],
) {
    for index in 0..(COMING + PAST) {
        let starts_at = match index {
            0 => now + TimeDelta::minutes(63),
            1 => now + TimeDelta::minutes(24 * 60 + 5),
            _ if index < COMING => today + TimeDelta::hours(day_and_hour(ids, 2, 120)),
            _ => today - TimeDelta::hours(day_and_hour(ids, 2, 90)),
        };
        let Some(artist) = artists.get(index % artists.len().max(1)) else { continue };
        let row = event(ids, artist.id, starts_at, now, index);
        let seats = seats(ids, &row);
        audience::come(world, ids, row, seats, fans, now, index < 2);
    }
}

/// In hours: so many days, and an afternoon or an evening.
fn day_and_hour(ids: &Ids, from: u64, to: u64) -> i64 {
    let days = from + ids.below(to - from);
    i64::try_from(days * 24 + ids.below(10)).unwrap_or(48)
}

fn person(ids: &Ids, email: &str, nickname: &str, role: Role, now: DateTime<Utc>, hash: &PasswordHash) -> user::Model {
    user::Model {
        id: ids.next(),
        email: Some(email.to_owned()),
        password_hash: Some(hash.clone()),
        nickname: nickname.to_owned(),
        birth_date: NaiveDate::from_ymd_opt(1995, 5, 5),
        phone_number: Some(format!("010-{:04}-{:04}", ids.below(10_000), ids.below(10_000))),
        location: Some("서울".to_owned()),
        role,
        language: "ko".to_owned(),
        is_reminded_by_mail: true,
        notification_count: 0,
        created_at: now - TimeDelta::days(120),
        withdrawn_at: None,
    }
}

fn account(user_id: UserId, fan: UserId) -> point_account::Model {
    point_account::Model { user_id, balance: if user_id == fan { POINTS } else { 0 }, held: 0 }
}

fn gift(ids: &Ids, fan: UserId, now: DateTime<Utc>) -> point_entry::Model {
    point_entry::Model {
        id: ids.next(),
        user_id: fan,
        kind: PointEntryKind::Adjustment,
        cause: "demo".to_owned(),
        amount: POINTS,
        balance_after: POINTS,
        created_at: now - TimeDelta::days(100),
    }
}

fn coupons(ids: &Ids, now: DateTime<Utc>) -> Vec<coupon::Model> {
    let make =
        |code: &str, name: &str, kind, discount_kind, discount_value, discount_cap, minimum_purchase, quantity| {
            coupon::Model {
                id: ids.next(),
                code: code.to_owned(),
                name: name.to_owned(),
                kind,
                discount_kind,
                discount_value,
                discount_cap,
                minimum_purchase,
                valid_from: now - TimeDelta::days(1),
                valid_until: now + TimeDelta::days(90),
                quantity,
                // The demo fan has one of each.
                remaining: quantity - 1,
                version: 1,
                created_at: now - TimeDelta::days(1),
                deleted_at: None,
            }
        };
    vec![
        make("WELCOME", "첫 관람 3,000원 할인", CouponKind::Standard, DiscountKind::Fixed, 3_000, None, 10_000, 10_000),
        make(
            "SPRING20",
            "봄맞이 20% 할인",
            CouponKind::Standard,
            DiscountKind::Percent,
            20,
            Some(8_000),
            15_000,
            1_000,
        ),
        make("FIRST50", "선착순 50명 반값", CouponKind::Limited, DiscountKind::Percent, 50, Some(15_000), 0, 50),
    ]
}

fn in_hand(ids: &Ids, fan: UserId, coupon: &coupon::Model, now: DateTime<Utc>) -> user_coupon::Model {
    user_coupon::Model {
        id: ids.next(),
        user_id: fan,
        coupon_id: coupon.id,
        status: UserCouponStatus::Available,
        issued_at: now,
        used_at: None,
    }
}

fn event(ids: &Ids, artist_id: UserId, starts_at: DateTime<Utc>, now: DateTime<Utc>, index: usize) -> event::Model {
    let category = words::CATEGORIES.get(index % words::CATEGORIES.len()).copied().unwrap_or(words::CATEGORIES[0]);
    let opening = pick(ids, &words::OPENINGS).copied().unwrap_or_default();
    let thing = pick(ids, words::things(category)).copied().unwrap_or_default();
    let (district, street, stage) = pick(ids, &words::PLACES).copied().unwrap_or_default();
    let content = pick(ids, &words::CONTENTS).copied().unwrap_or_default();
    let title = format!("{opening} {thing}");
    let draft = Draft {
        title: title.clone(),
        content: content.to_owned(),
        venue_name: stage.to_owned(),
        venue_address: format!("{district} {street}"),
        category,
        starts_at,
        ends_at: starts_at + TimeDelta::minutes(90),
        booking_opens_at: starts_at.min(now) - TimeDelta::days(30),
        booking_closes_at: starts_at,
        ticket_types: Vec::new(),
    };
    event::Model {
        id: ids.next(),
        artist_id,
        content_hash: draft.hash(),
        title,
        content: format!("# {}\n\n{}", draft.title, draft.content),
        venue_name: draft.venue_name,
        venue_address: draft.venue_address,
        category,
        status: EventStatus::Scheduled,
        starts_at,
        ends_at: draft.ends_at,
        booking_opens_at: draft.booking_opens_at,
        booking_closes_at: draft.booking_closes_at,
        cancelable_until: draft.booking_closes_at,
        starts_moved_at: None,
        lowest_price: 0,
        highest_price: 0,
        rating_sum: 0,
        review_count: 0,
        version: 1,
        created_at: draft.booking_opens_at,
        canceled_at: None,
        removed_at: None,
    }
}

/// One event in eight is free; the others have one or two prices.
fn seats(ids: &Ids, event: &event::Model) -> Vec<ticket_type::Model> {
    let price = if ids.below(8) == 0 { 0 } else { 8_000 + i64::try_from(ids.below(18)).unwrap_or(0) * 1_000 };
    let capacity = 20 + i32::try_from(ids.below(8)).unwrap_or(0) * 10;
    let make = |position, name: &str, price, capacity| ticket_type::Model {
        id: ids.next(),
        event_id: event.id,
        position,
        name: name.to_owned(),
        price,
        capacity,
        remaining: capacity,
        per_person_limit: (price == 0).then_some(2),
    };
    let mut seats = vec![make(0, "일반", price, capacity)];
    if price > 0 && ids.below(3) == 0 {
        seats.push(make(1, "앞자리", price + 7_000, 8));
    }
    seats
}
