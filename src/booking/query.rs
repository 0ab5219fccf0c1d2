//! Reads of bookings, scoped to their owner wherever somebody asks from outside.

use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use entity::{
    booking, booking_line,
    enums::{BookingStatus, PaymentStatus, TicketStatus},
    ids::{BookingId, TicketId, TicketTypeId, TypedId, UserId},
    payment, ticket,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, ExprTrait, Query},
};
use std::collections::HashMap;

pub async fn by_id(db: &impl ConnectionTrait, id: BookingId) -> Result<Option<booking::Model>> {
    Ok(booking::Entity::find_by_id(id).one(db).await?)
}

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[BookingId]) -> Result<Vec<booking::Model>> {
    let select = booking::Entity::find().filter(booking::Column::Id.is_in(ids.iter().copied()));
    Ok(select.order_by_asc(booking::Column::Id).all(db).await?)
}

/// Another's booking is simply not found.
pub async fn of(db: &impl ConnectionTrait, owner: UserId, id: BookingId) -> Result<Option<booking::Model>> {
    Ok(by_id(db, id).await?.filter(|row| row.user_id == owner))
}

pub async fn page_of(db: &impl ConnectionTrait, owner: UserId, window: &Window) -> Result<Page<booking::Model>> {
    let sorting = Sorting {
        at: Some(booking::Column::CreatedAt),
        id: booking::Column::Id,
        order: Order::Desc,
        key: |row: &booking::Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, booking::Entity::find().filter(booking::Column::UserId.eq(owner)), &sorting, window).await
}

pub async fn lines(db: &impl ConnectionTrait, ids: &[BookingId]) -> Result<Vec<booking_line::Model>> {
    let rows = booking_line::Entity::find()
        .filter(booking_line::Column::BookingId.is_in(ids.iter().copied()))
        .order_by_asc(booking_line::Column::TicketTypeId)
        .all(db)
        .await?;
    Ok(rows)
}

/// How many seats of these ticket types people hold or have bought.
pub async fn seats_of(
    db: &impl ConnectionTrait,
    owners: impl IntoIterator<Item = UserId>,
    ticket_types: &[TicketTypeId],
) -> Result<HashMap<(UserId, TicketTypeId), i64>> {
    let open = booking::Entity::find()
        .filter(booking::Column::UserId.is_in(owners))
        .filter(booking::Column::Status.is_in([
            BookingStatus::Held,
            BookingStatus::Confirmed,
            BookingStatus::Canceling,
        ]))
        .all(db)
        .await?;
    let owner: HashMap<BookingId, UserId> = open.iter().map(|row| (row.id, row.user_id)).collect();
    let ids: Vec<BookingId> = open.into_iter().map(|row| row.id).collect();
    let mut seats = HashMap::new();
    for line in lines(db, &ids).await? {
        if let Some(owner) = owner.get(&line.booking_id).filter(|_| ticket_types.contains(&line.ticket_type_id)) {
            *seats.entry((*owner, line.ticket_type_id)).or_default() += i64::from(line.quantity);
        }
    }
    Ok(seats)
}

pub async fn tickets(db: &impl ConnectionTrait, ids: &[BookingId]) -> Result<Vec<ticket::Model>> {
    let rows = ticket::Entity::find()
        .filter(ticket::Column::BookingId.is_in(ids.iter().copied()))
        .order_by_asc(ticket::Column::Id)
        .all(db)
        .await?;
    Ok(rows)
}

pub async fn page_of_tickets(db: &impl ConnectionTrait, owner: UserId, window: &Window) -> Result<Page<ticket::Model>> {
    let sorting = Sorting {
        at: Some(ticket::Column::CreatedAt),
        id: ticket::Column::Id,
        order: Order::Desc,
        key: |row: &ticket::Model| Key { at: page::moment(row.created_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    // By their bookings: an index of tickets by person is a page more to write for each ticket, and nobody has thousands.
    let bookings = Query::select()
        .column(booking::Column::Id)
        .from(booking::Entity)
        .and_where(booking::Column::UserId.eq(owner))
        .to_owned();
    let own = ticket::Entity::find().filter(ticket::Column::BookingId.in_subquery(bookings));
    page::read(db, own, &sorting, window).await
}

/// Another's ticket is simply not found.
pub async fn ticket_of(db: &impl ConnectionTrait, owner: UserId, id: TicketId) -> Result<Option<ticket::Model>> {
    Ok(ticket::Entity::find_by_id(id).one(db).await?.filter(|row| row.user_id == owner))
}

/// From now on these tickets open no door.
pub async fn void_tickets(txn: &impl ConnectionTrait, id: BookingId) -> Result<()> {
    ticket::Entity::update_many()
        .col_expr(ticket::Column::Status, Expr::value(TicketStatus::Canceled))
        .filter(ticket::Column::BookingId.eq(id))
        .exec(txn)
        .await?;
    Ok(())
}

/// Held, and no payment is in doubt, whose outcome would end it.
pub fn undoubted() -> Select<booking::Entity> {
    let in_doubt = Query::select()
        .expr(Expr::value(1))
        .from(payment::Entity)
        .and_where(
            Expr::col((payment::Entity, payment::Column::BookingId)).equals((booking::Entity, booking::Column::Id)),
        )
        .and_where(payment::Column::Status.is_in([
            PaymentStatus::Approving,
            PaymentStatus::Approved,
            PaymentStatus::Canceling,
        ]))
        .to_owned();
    booking::Entity::find()
        .filter(booking::Column::Status.eq(BookingStatus::Held))
        .filter(Condition::all().not().add(Expr::exists(in_doubt)))
}
