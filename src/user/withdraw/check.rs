//! Whether somebody may leave: nothing of theirs is open.

use super::model::Obstacles;
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::{
    booking,
    enums::{BookingStatus, EventStatus, PaymentStatus},
    event,
    ids::{BookingId, EventId, PaymentId, UserId},
    payment, settlement, settlement_line, user,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

/// Of each kind; more would not help to mend it.
const MOST: u64 = 100;

/// Refuses, with each obstacle named. The caller holds the lock on the row (`withdraw::lock`), so that nothing new begins
/// after the look. `path` is the input field to blame.
pub async fn check(txn: &impl ConnectionTrait, now: DateTime<Utc>, user: &user::Model, path: &[&str]) -> Result<()> {
    let obstacles = obstacles(txn, now, user.id).await?;
    if obstacles.is_empty() { Ok(()) } else { Err(obstacles.problem(path).into()) }
}

/// Everything that is open now.
pub async fn obstacles(db: &impl ConnectionTrait, now: DateTime<Utc>, id: UserId) -> Result<Obstacles> {
    let bookings = open_bookings(db, now, id, Some(MOST)).await?;
    Ok(Obstacles {
        payments: open_payments(db, id, &bookings).await?,
        bookings,
        open_events: open_events(db, now, id).await?,
        unsettled_events: unsettled_events(db, now, id).await?,
    })
}

/// Held or being refunded; or confirmed, for an event that has not ended or that is canceled and so yet to be refunded.
/// At most so many; all if nothing is said.
pub async fn open_bookings(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    id: UserId,
    most: Option<u64>,
) -> Result<Vec<BookingId>> {
    use booking::Column;
    let ahead =
        Condition::any().add(event::Column::EndsAt.gt(now)).add(event::Column::Status.eq(EventStatus::Canceled));
    let ahead = Query::select().column(event::Column::Id).from(event::Entity).cond_where(ahead).to_owned();
    let is_open = Condition::any()
        .add(Column::Status.is_in([BookingStatus::Held, BookingStatus::Canceling]))
        .add(Condition::all().add(Column::Status.eq(BookingStatus::Confirmed)).add(Column::EventId.in_subquery(ahead)));
    let select = booking::Entity::find().select_only().column(Column::Id).filter(Column::UserId.eq(id)).filter(is_open);
    Ok(select.order_by_asc(Column::CreatedAt).limit(most).into_tuple().all(db).await?)
}

async fn open_payments(db: &impl ConnectionTrait, id: UserId, named: &[BookingId]) -> Result<Vec<PaymentId>> {
    use PaymentStatus::{Approving, Canceling, Pending, Ready};
    use payment::Column;
    let rows = payment::Entity::find()
        .filter(Column::UserId.eq(id))
        .filter(Column::Status.is_in([Pending, Ready, Approving, Canceling]))
        .order_by_asc(Column::CreatedAt)
        .limit(MOST)
        .all(db)
        .await?;
    let is_named = |row: &payment::Model| row.booking_id.is_some_and(|booking| named.contains(&booking));
    Ok(rows.iter().filter(|row| !is_named(row)).map(|row| row.id).collect())
}

async fn open_events(db: &impl ConnectionTrait, now: DateTime<Utc>, id: UserId) -> Result<Vec<EventId>> {
    use event::Column;
    let select = event::Entity::find().select_only().column(Column::Id).filter(Column::ArtistId.eq(id));
    let select = select.filter(Column::Status.eq(EventStatus::Scheduled)).filter(Column::EndsAt.gt(now));
    Ok(select.order_by_asc(Column::StartsAt).limit(MOST).into_tuple().all(db).await?)
}

/// Ended, and with a paid booking that is on no statement which was paid.
async fn unsettled_events(db: &impl ConnectionTrait, now: DateTime<Utc>, id: UserId) -> Result<Vec<EventId>> {
    use booking::Column;
    let ended = Query::select()
        .column(event::Column::Id)
        .from(event::Entity)
        .and_where(event::Column::ArtistId.eq(id))
        .and_where(event::Column::Status.eq(EventStatus::Scheduled))
        .and_where(event::Column::EndsAt.lte(now))
        .to_owned();
    let select = booking::Entity::find()
        .select_only()
        .column(Column::EventId)
        .distinct()
        .filter(Column::EventId.in_subquery(ended))
        .filter(Column::Status.eq(BookingStatus::Confirmed))
        .filter(Column::OriginalAmount.gt(0))
        .filter(Expr::exists(paid_out()).not());
    Ok(select.order_by_asc(Column::EventId).limit(MOST).into_tuple().all(db).await?)
}

/// The line of the outer query's booking on a statement that was paid.
fn paid_out() -> SelectStatement {
    let line = |column| Expr::col((settlement_line::Entity, column));
    let its = line(settlement_line::Column::SettlementId).equals((settlement::Entity, settlement::Column::Id));
    Query::select()
        .expr(Expr::val(1))
        .from(settlement_line::Entity)
        .inner_join(settlement::Entity, its)
        .and_where(line(settlement_line::Column::BookingId).equals((booking::Entity, booking::Column::Id)))
        .and_where(Expr::col((settlement::Entity, settlement::Column::PaidAt)).is_not_null())
        .to_owned()
}
