//! What must always hold of seats, money, points and coupons. Each rule is a query that counts the rows that break it:
//! admins run them through the API and `spotlight audit`, the tests after every scenario.

use crate::{
    app::App,
    error::{Error, Result},
};
use sea_orm::{ConnectionTrait, Statement};

/// What became of a rule.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub rule: &'static str,
    /// Rows that break it.
    pub broken: i64,
}

pub async fn check(app: &App) -> Result<Vec<Outcome>> {
    let db = app.db.reads();
    let mut outcomes = Vec::new();
    for (rule, sql) in RULES {
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), *sql)).await?;
        let row = row.ok_or_else(|| Error::fault("a count has a row"))?;
        outcomes.push(Outcome { rule, broken: row.try_get_by_index(0)? });
    }
    Ok(outcomes)
}

const RULES: &[(&str, &str)] = &[
    (
        "sold + held + left = capacity",
        "SELECT COUNT(*) FROM ticket_type t WHERE t.capacity <> t.remaining + COALESCE((SELECT SUM(l.quantity) FROM \
         booking_line l JOIN booking b ON b.id = l.booking_id WHERE l.ticket_type_id = t.id AND b.status IN ('HELD', \
         'CONFIRMED', 'CANCELING')), 0)",
    ),
    (
        "a confirmed booking has one valid ticket for each seat, any other has none",
        "SELECT COUNT(*) FROM booking b WHERE (SELECT COUNT(*) FROM ticket t WHERE t.booking_id = b.id AND t.status <> \
         'CANCELED') <> CASE WHEN b.status = 'CONFIRMED' THEN (SELECT SUM(l.quantity) FROM booking_line l WHERE \
         l.booking_id = b.id) ELSE 0 END",
    ),
    (
        "what is confirmed is paid or free, what is paid is confirmed",
        "SELECT COUNT(*) FROM booking b LEFT JOIN payment p ON p.booking_id = b.id WHERE (b.status = 'CONFIRMED' AND \
         b.amount_due > 0 AND COALESCE(p.status, '') <> 'APPROVED') OR (p.status = 'APPROVED' AND b.status <> 'CONFIRMED')",
    ),
    (
        "a balance is the sum of its entries",
        "SELECT COUNT(*) FROM point_account a WHERE a.balance <> COALESCE((SELECT SUM(e.amount) FROM point_entry e WHERE \
         e.user_id = a.user_id), 0)",
    ),
    (
        "held points are those of held bookings",
        "SELECT COUNT(*) FROM point_account a WHERE a.held <> COALESCE((SELECT SUM(b.points_used) FROM booking b WHERE \
         b.user_id = a.user_id AND b.status = 'HELD'), 0)",
    ),
    (
        "a coupon is used once at most",
        "SELECT COUNT(*) FROM (SELECT b.user_coupon_id FROM booking b WHERE b.user_coupon_id IS NOT NULL AND b.status IN \
         ('HELD', 'CONFIRMED', 'CANCELING') GROUP BY b.user_coupon_id HAVING COUNT(*) > 1) twice",
    ),
];
