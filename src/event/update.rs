//! `eventUpdate`: what changes after the first sale must not hurt a holder.

use super::{create, index, model::Draft, query};
use crate::{
    app::App,
    error::{Code, Error, Problem, Problems, Result},
    infra::jobs,
    notification::changed::TellChange,
    transaction,
    user::viewer::Artist,
};
use entity::{
    enums::{BookingStatus, EventStatus},
    event,
    ids::EventId,
    ticket_type,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

/// Changes the event to `draft`, the whole of it as the artist now wants it.
pub async fn update(app: &App, artist: Artist, id: EventId, draft: Draft) -> Result<event::Model> {
    let draft = draft.cut();
    transaction!(app, txn => update_in(txn, app, artist, id, &draft).await)
}

/// The artist's own event, locked.
pub async fn of_artist(txn: &impl ConnectionTrait, artist: Artist, id: EventId) -> Result<event::Model> {
    let row = event::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
    let row = row.filter(|row| row.artist_id == artist.id() && row.removed_at.is_none());
    row.ok_or_else(|| Error::not_found(&["eventId"]))
}

/// The same; canceled ones are not changed any more.
async fn own(txn: &impl ConnectionTrait, artist: Artist, id: EventId) -> Result<event::Model> {
    let row = of_artist(txn, artist, id).await?;
    match row.status {
        EventStatus::Scheduled => Ok(row),
        EventStatus::Canceled => {
            Err(Problem::new(Code::NotAllowed, &["eventId"], "취소된 이벤트입니다.", "The event is canceled.").into())
        }
    }
}

async fn update_in(
    txn: &impl ConnectionTrait,
    app: &App,
    artist: Artist,
    id: EventId,
    draft: &Draft,
) -> Result<event::Model> {
    let now = app.clock.now();
    let old = own(txn, artist, id).await?;
    let mut problems = Problems::default();
    problems.add_if(old.starts_at <= now, || {
        Problem::new(Code::NotAllowed, &["eventId"], "이미 시작한 이벤트입니다.", "The event has begun.")
    });
    draft.check_change(&old, now, &mut problems);
    problems.check()?;
    let has_sales = entity::booking::Entity::find()
        .filter(entity::booking::Column::EventId.eq(id))
        .filter(entity::booking::Column::Status.is_not_in([BookingStatus::Expired, BookingStatus::Canceled]))
        .count(txn)
        .await?
        > 0;
    change_ticket_types(txn, app, id, draft, has_sales).await?;
    let has_moved = old.starts_at != draft.starts_at;
    let (lowest_price, highest_price) = draft.price_range();
    let row = event::Model {
        title: draft.title.trim().to_owned(),
        content: draft.content.trim().to_owned(),
        content_hash: draft.hash(),
        venue_name: draft.venue_name.trim().to_owned(),
        venue_address: draft.venue_address.trim().to_owned(),
        category: draft.category,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        booking_opens_at: draft.booking_opens_at,
        booking_closes_at: draft.booking_closes_at,
        cancelable_until: match (has_sales, has_moved) {
            (false, _) => draft.booking_closes_at,
            // Who bought for another time may leave for free until the new one.
            (true, true) => draft.starts_at,
            (true, false) => Ord::max(old.cancelable_until, draft.booking_closes_at),
        },
        starts_moved_at: if has_moved { Some(now) } else { old.starts_moved_at },
        lowest_price,
        highest_price,
        version: old.version + 1,
        ..old
    };
    event::ActiveModel::from(row.clone()).reset_all().update(txn).await?;
    if has_moved {
        create::plan_reminders(txn, app, id, row.starts_at).await?;
        if has_sales {
            let job = TellChange { event_id: id, version: row.version };
            jobs::enqueue(txn, &app.ids, now, now, &job).await?;
        }
    }
    index::enqueue(txn, app, id).await?;
    Ok(row)
}

async fn change_ticket_types(
    txn: &impl ConnectionTrait,
    app: &App,
    id: EventId,
    draft: &Draft,
    has_sales: bool,
) -> Result<()> {
    let old = ticket_type::Entity::find()
        .filter(ticket_type::Column::EventId.eq(id))
        .order_by_asc(ticket_type::Column::Id)
        .lock_exclusive()
        .all(txn)
        .await?;
    let mut problems = Problems::default();
    problems.add_if(old.iter().any(|row| !draft.ticket_types.iter().any(|new| new.id == Some(row.id))), || {
        let ko = "기존 티켓 종류는 뺄 수 없습니다.";
        Problem::new(Code::NotAllowed, &["ticketTypes"], ko, "An existing ticket type cannot be left out.")
    });
    for (index, new) in draft.ticket_types.iter().enumerate() {
        let place = index.to_string();
        let Some(ticket_type) = new.id else { continue };
        let Some(row) = old.iter().find(|row| row.id == ticket_type) else {
            problems.add(Problem::not_found(&["ticketTypes", &place, "id"]));
            continue;
        };
        problems.add_if(draft.ticket_types.iter().take(index).any(|other| other.id == new.id), || {
            let ko = "같은 티켓 종류가 두 번 있습니다.";
            Problem::new(Code::Invalid, &["ticketTypes", &place, "id"], ko, "The same ticket type is named twice.")
        });
        problems.add_if(has_sales && row.price != new.price, || {
            let ko = "판매가 시작된 뒤에는 가격을 바꿀 수 없습니다.";
            Problem::new(
                Code::NotAllowed,
                &["ticketTypes", &place, "price"],
                ko,
                "The price is fixed once seats are sold.",
            )
        });
        let taken = row.capacity - row.remaining;
        problems.add_if(new.capacity < taken, || {
            let (ko, en) = (format!("이미 {taken}석이 예매되었습니다."), format!("{taken} seats are taken already."));
            Problem::new(Code::OutOfRange, &["ticketTypes", &place, "capacity"], ko, en)
        });
    }
    problems.check()?;
    make_room(txn, id).await?;
    for (position, new) in draft.ticket_types.iter().enumerate() {
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        match old.iter().find(|row| new.id == Some(row.id)) {
            Some(row) => change_ticket_type(txn, row, new, position).await?,
            None => add_ticket_type(txn, app, id, new, position).await?,
        }
    }
    Ok(())
}

/// Moves the old rows out of the way of their new positions: a position is unique within an event at every moment.
async fn make_room(txn: &impl ConnectionTrait, event: EventId) -> Result<()> {
    use ticket_type::Column;
    // Below zero no row stands otherwise, and the order of the updates within the statement does not matter.
    ticket_type::Entity::update_many()
        .col_expr(Column::Position, Expr::value(-1).sub(Expr::col(Column::Position)))
        .filter(Column::EventId.eq(event))
        .exec(txn)
        .await?;
    Ok(())
}

async fn change_ticket_type(
    txn: &impl ConnectionTrait,
    row: &ticket_type::Model,
    new: &super::model::TicketTypeDraft,
    position: i32,
) -> Result<()> {
    use ticket_type::Column;
    let more = new.capacity - row.capacity;
    // Guarded in the statement itself: the row lock does not exist on every database.
    let changed = ticket_type::Entity::update_many()
        .col_expr(Column::Name, Expr::value(new.name.trim()))
        .col_expr(Column::Price, Expr::value(new.price))
        .col_expr(Column::PerPersonLimit, Expr::value(new.per_person_limit))
        .col_expr(Column::Position, Expr::value(position))
        .col_expr(Column::Capacity, Expr::col(Column::Capacity).add(more))
        .col_expr(Column::Remaining, Expr::col(Column::Remaining).add(more))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Capacity.eq(row.capacity))
        .filter(Expr::col(Column::Remaining).add(more).gte(0))
        .exec(txn)
        .await?;
    if changed.rows_affected == 1 { Ok(()) } else { Err(Error::fault("the ticket type changed under its lock")) }
}

async fn add_ticket_type(
    txn: &impl ConnectionTrait,
    app: &App,
    event_id: EventId,
    new: &super::model::TicketTypeDraft,
    position: i32,
) -> Result<()> {
    let row = ticket_type::Model {
        id: app.ids.next(),
        event_id,
        position,
        name: new.name.trim().to_owned(),
        price: new.price,
        capacity: new.capacity,
        remaining: new.capacity,
        per_person_limit: new.per_person_limit,
    };
    let row = ticket_type::ActiveModel::from(row).reset_all();
    ticket_type::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// The event as the artist sees it now, for changes that name only some fields.
pub async fn as_draft(app: &App, artist: Artist, id: EventId) -> Result<Draft> {
    let db = app.db.reads();
    let row = query::by_id(db, id).await?.filter(|row| row.artist_id == artist.id());
    let row = row.ok_or_else(|| Error::not_found(&["eventId"]))?;
    let ticket_types = query::ticket_types(db, &[id]).await?.into_iter().map(|row| super::model::TicketTypeDraft {
        id: Some(row.id),
        name: row.name,
        price: row.price,
        capacity: row.capacity,
        per_person_limit: row.per_person_limit,
    });
    Ok(Draft {
        ticket_types: ticket_types.collect(),
        title: row.title,
        content: row.content,
        venue_name: row.venue_name,
        venue_address: row.venue_address,
        category: row.category,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        booking_opens_at: row.booking_opens_at,
        booking_closes_at: row.booking_closes_at,
    })
}
