//! Taking and giving back what a booking sets aside: seats, a coupon, points. Each write is guarded in its own
//! statement, because row locks do not exist on every database; each must hit exactly one row.

use crate::error::{Code, Error, More, Problem, Result};
use chrono::{DateTime, Utc};
use entity::{
    booking, booking_line,
    enums::UserCouponStatus,
    ids::{TicketTypeId, UserCouponId, UserId},
    point_account, ticket_type, user_coupon,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{CaseStatement, Expr, ExprTrait},
};
use std::collections::BTreeMap;

/// Sold out is a normal answer.
pub fn sold_out(ids: Vec<TicketTypeId>) -> Error {
    let ko = "남은 좌석이 부족합니다.";
    Problem::new(Code::SoldOut, &["lines"], ko, "Not enough seats are left.").with(More::SoldOut(ids)).into()
}

/// True if there were enough.
pub async fn take_seats(txn: &impl ConnectionTrait, id: TicketTypeId, quantity: i32) -> Result<bool> {
    use ticket_type::Column;
    let taken = ticket_type::Entity::update_many()
        .col_expr(Column::Remaining, Expr::col(Column::Remaining).sub(quantity))
        .filter(Column::Id.eq(id))
        .filter(Column::Remaining.gte(quantity))
        .exec(txn)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// By ticket type, in id order: the order in which everybody locks them.
pub async fn give_back_seats(txn: &impl ConnectionTrait, lines: &[booking_line::Model]) -> Result<()> {
    use ticket_type::Column;
    let mut seats: BTreeMap<TicketTypeId, i32> = BTreeMap::new();
    for line in lines {
        *seats.entry(line.ticket_type_id).or_default() += line.quantity;
    }
    for (id, quantity) in seats {
        let given = ticket_type::Entity::update_many()
            .col_expr(Column::Remaining, Expr::col(Column::Remaining).add(quantity))
            .filter(Column::Id.eq(id))
            .exec(txn)
            .await?;
        one(given.rows_affected, "seats given back")?;
    }
    Ok(())
}

/// True if it was in that state and is now in the other.
pub async fn move_coupon(
    txn: &impl ConnectionTrait,
    id: UserCouponId,
    from: UserCouponStatus,
    to: UserCouponStatus,
    used_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    Ok(move_coupons(txn, vec![id], from, to, used_at).await? == 1)
}

/// How many were in that state and are now in the other.
pub async fn move_coupons(
    txn: &impl ConnectionTrait,
    ids: Vec<UserCouponId>,
    from: UserCouponStatus,
    to: UserCouponStatus,
    used_at: Option<DateTime<Utc>>,
) -> Result<u64> {
    use user_coupon::Column;
    let moved = user_coupon::Entity::update_many()
        .col_expr(Column::Status, Expr::value(to))
        .col_expr(Column::UsedAt, Expr::value(used_at))
        .filter(Column::Id.is_in(ids))
        .filter(Column::Status.eq(from))
        .exec(txn)
        .await?;
    Ok(moved.rows_affected)
}

/// True if there were enough that nothing else holds.
pub async fn hold_points(txn: &impl ConnectionTrait, user: UserId, points: i64) -> Result<bool> {
    use point_account::Column;
    if points == 0 {
        return Ok(true);
    }
    let held = point_account::Entity::update_many()
        .col_expr(Column::Held, Expr::col(Column::Held).add(points))
        .filter(Column::UserId.eq(user))
        .filter(Expr::col(Column::Balance).sub(Expr::col(Column::Held)).gte(points))
        .exec(txn)
        .await?;
    Ok(held.rows_affected == 1)
}

/// The same for many people at once, whose accounts are locked and known to have enough.
pub async fn hold_points_of(txn: &impl ConnectionTrait, points: &BTreeMap<UserId, i64>) -> Result<()> {
    use point_account::Column;
    if points.is_empty() {
        return Ok(());
    }
    let held = point_account::Entity::update_many()
        .col_expr(Column::Held, Expr::col(Column::Held).add(by_user(points)))
        .filter(Column::UserId.is_in(points.keys().copied()))
        .filter(Expr::col(Column::Balance).sub(Expr::col(Column::Held)).gte(by_user(points)))
        .exec(txn)
        .await?;
    all(held.rows_affected, points.len(), "points held")
}

/// An account's own number, in a statement about several.
pub fn by_user(points: &BTreeMap<UserId, i64>) -> CaseStatement {
    points.iter().fold(CaseStatement::new(), |case, (user, points)| {
        case.case(point_account::Column::UserId.eq(*user), Expr::value(*points))
    })
}

/// What these bookings hold.
pub async fn release_points(txn: &impl ConnectionTrait, bookings: &[booking::Model]) -> Result<()> {
    use point_account::Column;
    let mut points: BTreeMap<UserId, i64> = BTreeMap::new();
    for booking in bookings.iter().filter(|booking| booking.points_used > 0) {
        *points.entry(booking.user_id).or_default() += booking.points_used;
    }
    if points.is_empty() {
        return Ok(());
    }
    let released = point_account::Entity::update_many()
        .col_expr(Column::Held, Expr::col(Column::Held).sub(by_user(&points)))
        .filter(Column::UserId.is_in(points.keys().copied()))
        .filter(Expr::col(Column::Held).gte(by_user(&points)))
        .exec(txn)
        .await?;
    all(released.rows_affected, points.len(), "held points released")
}

/// A write that had to hit one row.
pub fn one(rows: u64, what: &str) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::fault(format!("{what}: {rows} rows instead of 1"))) }
}

/// A write that had to hit so many rows.
pub fn all(rows: u64, expected: usize, what: &str) -> Result<()> {
    if u64::try_from(expected) == Ok(rows) {
        return Ok(());
    }
    Err(Error::fault(format!("{what}: {rows} rows instead of {expected}")))
}
