//! What is asked for, checked as far as that needs no database.

use crate::{
    app::App,
    booking::idempotency::Key,
    error::{Code, Problem, Problems, Result},
    payment,
    user::viewer::Buyer,
};
use entity::ids::{EventId, TicketTypeId, UserCouponId, UserId};
use serde_json::json;
use std::collections::BTreeMap;

/// More seats at once than this is a reseller.
const MOST_SEATS: i64 = 50;

/// As it comes in.
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

/// As it waits in the queue.
#[derive(Clone, Debug)]
pub struct Request {
    pub buyer: UserId,
    pub event_id: EventId,
    /// The ticket types in the order of the input: an unknown one is named by its place.
    pub named: Vec<TicketTypeId>,
    /// The lines added up by ticket type, in id order: the order in which their rows are locked.
    pub wanted: BTreeMap<TicketTypeId, i32>,
    pub user_coupon_id: Option<UserCouponId>,
    pub points: i64,
    pub expected_total: Option<i64>,
    pub return_url: Option<String>,
    pub key: Key,
}

impl Request {
    pub fn new(app: &App, buyer: Buyer, input: Start) -> Result<Self> {
        let wanted = wanted(app, &input)?;
        let Start { event_id, lines, user_coupon_id, points, expected_total, return_url, idempotency_key } = input;
        let what = json!({
            "eventId": event_id, "lines": wanted.iter().collect::<Vec<_>>(), "userCouponId": user_coupon_id,
            "points": points, "expectedTotal": expected_total, "returnUrl": return_url,
        });
        let key = Key::new(buyer.id(), &idempotency_key, "bookingStart", &what)?;
        let named = lines.into_iter().map(|(id, _)| id).collect();
        Ok(Self { buyer: buyer.id(), event_id, named, wanted, user_coupon_id, points, expected_total, return_url, key })
    }
}

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
