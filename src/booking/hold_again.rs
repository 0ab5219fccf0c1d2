//! Money that arrived after the hold had lapsed: the same seats, coupon and points are taken again, all or nothing.

use super::{hold, query};
use crate::{
    error::{Error, Result},
    user,
};
use entity::{booking, enums::UserCouponStatus, ids::TicketTypeId, point_account, ticket_type, user_coupon};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// False, with nothing taken, if something is not there any more, or the person has as many seats by now as one may have.
pub async fn hold_again(txn: &impl ConnectionTrait, booking: &booking::Model) -> Result<bool> {
    match user::query::lock_present(txn, booking.user_id).await {
        // Who has left meanwhile gets the money back.
        Err(Error::Unauthenticated) => return Ok(false),
        present => present?,
    }
    let lines = query::lines(txn, &[booking.id]).await?;
    // Looked at under lock first, so that nothing has to be undone half-way.
    let seats = ticket_type::Entity::find()
        .filter(ticket_type::Column::Id.is_in(lines.iter().map(|line| line.ticket_type_id)))
        .order_by_asc(ticket_type::Column::Id)
        .lock_exclusive()
        .all(txn)
        .await?;
    let has_seats = lines
        .iter()
        .all(|line| seats.iter().any(|row| row.id == line.ticket_type_id && row.remaining >= line.quantity));
    let limited: Vec<TicketTypeId> =
        seats.iter().filter(|row| row.per_person_limit.is_some()).map(|row| row.id).collect();
    let has = query::seats_of(txn, [booking.user_id], &limited).await?;
    let is_within_limits = lines.iter().all(|line| {
        let limit = seats.iter().find(|row| row.id == line.ticket_type_id).and_then(|row| row.per_person_limit);
        let has = has.get(&(booking.user_id, line.ticket_type_id)).copied().unwrap_or_default();
        limit.is_none_or(|limit| has + i64::from(line.quantity) <= i64::from(limit))
    });
    let has_coupon = match booking.user_coupon_id {
        Some(id) => {
            let own = user_coupon::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
            own.is_some_and(|own| own.status == UserCouponStatus::Available)
        }
        None => true,
    };
    let account = point_account::Entity::find_by_id(booking.user_id).lock_exclusive().one(txn).await?;
    let has_points = account.is_some_and(|account| account.balance - account.held >= booking.points_used);
    if !(has_seats && is_within_limits && has_coupon && has_points) {
        return Ok(false);
    }
    for line in &lines {
        hold::one(u64::from(hold::take_seats(txn, line.ticket_type_id, line.quantity).await?), "seats held again")?;
    }
    if let Some(id) = booking.user_coupon_id {
        use UserCouponStatus::{Available, Held};
        hold::one(u64::from(hold::move_coupon(txn, id, Available, Held, None).await?), "coupon held again")?;
    }
    hold::one(u64::from(hold::hold_points(txn, booking.user_id, booking.points_used).await?), "points held again")?;
    Ok(true)
}
