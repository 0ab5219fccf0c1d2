//! `eventCreate`: an artist's draft becomes an event, once, however often the button was pressed.
//!
//! Always: of two that are on their way at the same time, or within the guard time of each other, one is written, and the other
//! one is told which. That rests on the artist's row, which the database lets one of them have at a time (`write`), and on
//! nothing that lapses. The lock before it only saves the second one the waiting.

use super::{index, model, model::Draft};
use crate::{
    app::App,
    error::{Code, Error, More, Problem, Problems, Result},
    infra::{jobs, lock::Attempt},
    notification::remind::SendReminder,
    transaction, user,
    user::viewer::Artist,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    enums::{EventStatus, ReminderKind},
    event,
    ids::EventId,
    reminder, ticket_type, user as user_row,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use std::time::Duration;

pub async fn create(app: &App, artist: Artist, draft: Draft) -> Result<event::Model> {
    let (now, draft) = (app.clock.now(), draft.cut());
    let mut problems = Problems::default();
    draft.check(now, &mut problems);
    problems.check()?;
    let row = row(app, artist, &draft, now);
    let lock = format!("event-create:{}:{}", artist.id(), row.content_hash);
    let guard = TimeDelta::seconds(i64::try_from(app.config.booking.duplicate_guard_seconds).unwrap_or(10));
    let held = match app.locks.try_acquire(&lock, lease(app), &row.id.to_string()).await? {
        Attempt::Held(held) => held,
        // The holder may itself be about to find the event that came before both. If there is none, the holder's note
        // says which event it is making.
        Attempt::Taken(note) => {
            refuse(newest_twin(app.db.reads(), &row).await?.filter(|twin| twin.created_at > now - guard))?;
            return Err(note.parse().map_or_else(|_| Error::Busy(Duration::from_secs(1)), |id| duplicate(id).into()));
        }
    };
    let before = newest_twin(app.db.reads(), &row).await?.map(|twin| twin.id);
    let created = transaction!(app, txn => write(txn, app, &row, &draft, Guard { before, since: now - guard }).await);
    held.release().await;
    created
}

/// As long as whoever pressed the button is made to wait, and then until the database has ended the transaction of a node
/// that froze. A write that takes longer keeps the others waiting at the artist's row.
fn lease(app: &App) -> Duration {
    app.config.edge.operation_time + Duration::from_secs(app.config.database.idle_transaction_seconds.into())
}

/// Which event of the same content stands in the way.
#[derive(Clone, Copy)]
struct Guard {
    /// The newest one when this one set out: any other was written meanwhile, however long ago it says it was made.
    before: Option<EventId>,
    /// And any from then on.
    since: DateTime<Utc>,
}

async fn write(
    txn: &impl ConnectionTrait,
    app: &App,
    row: &event::Model,
    draft: &Draft,
    guard: Guard,
) -> Result<event::Model> {
    // One at a time: shared, as others have this row, two would both find nothing and both write.
    user_row::Entity::find_by_id(row.artist_id).lock_exclusive().one(txn).await?;
    user::query::lock_artist(txn, row.artist_id).await?;
    let twin = newest_twin(txn, row).await?;
    refuse(twin.filter(|twin| guard.before != Some(twin.id) || twin.created_at > guard.since))?;
    // The guard time of the next ones begins now, and not with the waiting.
    let row = event::Model { created_at: app.clock.now(), ..row.clone() };
    insert(txn, app, row.clone(), draft).await?;
    Ok(row)
}

async fn newest_twin(db: &impl ConnectionTrait, row: &event::Model) -> Result<Option<event::Model>> {
    let twins = event::Entity::find()
        .filter(event::Column::ArtistId.eq(row.artist_id))
        .filter(event::Column::ContentHash.eq(&row.content_hash));
    Ok(twins.order_by_desc(event::Column::CreatedAt).order_by_desc(event::Column::Id).one(db).await?)
}

fn refuse(twin: Option<event::Model>) -> Result<()> {
    twin.map_or(Ok(()), |twin| Err(duplicate(twin.id).into()))
}

fn duplicate(existing: EventId) -> Problem {
    let ko = "같은 내용의 이벤트가 방금 등록되었습니다.";
    Problem::new(Code::DuplicateSubmit, &[], ko, "The same event was submitted a moment ago.")
        .with(More::ExistingEvent(existing))
}

fn row(app: &App, artist: Artist, draft: &Draft, now: DateTime<Utc>) -> event::Model {
    let (lowest_price, highest_price) = draft.price_range();
    event::Model {
        id: app.ids.next(),
        artist_id: artist.id(),
        title: draft.title.trim().to_owned(),
        content: draft.content.trim().to_owned(),
        content_hash: draft.hash(),
        venue_name: draft.venue_name.trim().to_owned(),
        venue_address: draft.venue_address.trim().to_owned(),
        category: draft.category,
        status: EventStatus::Scheduled,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        booking_opens_at: draft.booking_opens_at,
        booking_closes_at: draft.booking_closes_at,
        cancelable_until: draft.booking_closes_at,
        starts_moved_at: None,
        lowest_price,
        highest_price,
        rating_sum: 0,
        review_count: 0,
        version: 1,
        created_at: now,
        canceled_at: None,
        removed_at: None,
    }
}

/// The event, its ticket types, its reminders, and its place in the index.
pub async fn insert(txn: &impl ConnectionTrait, app: &App, row: event::Model, draft: &Draft) -> Result<()> {
    let (id, starts_at) = (row.id, row.starts_at);
    event::Entity::insert(event::ActiveModel::from(row).reset_all()).exec_without_returning(txn).await?;
    let ticket_types = draft.ticket_types.iter().enumerate().map(|(position, draft)| {
        let row = ticket_type::Model {
            id: app.ids.next(),
            event_id: id,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            name: draft.name.trim().to_owned(),
            price: draft.price,
            capacity: draft.capacity,
            remaining: draft.capacity,
            per_person_limit: draft.per_person_limit,
        };
        ticket_type::ActiveModel::from(row).reset_all()
    });
    ticket_type::Entity::insert_many(ticket_types).exec_without_returning(txn).await?;
    plan_reminders(txn, app, id, starts_at).await?;
    index::enqueue(txn, app, id).await
}

/// One day and one hour before; those whose time has passed are not planned, since nobody had booked by then.
pub async fn plan_reminders(
    txn: &impl ConnectionTrait,
    app: &App,
    event: EventId,
    starts_at: DateTime<Utc>,
) -> Result<()> {
    let now = app.clock.now();
    for kind in [ReminderKind::OneDay, ReminderKind::OneHour] {
        let due_at = starts_at - model::reminder_lead(kind);
        if due_at <= now {
            continue;
        }
        let row = reminder::Model { id: app.ids.next(), event_id: event, kind, due_at, sent_at: None };
        let again = OnConflict::columns([reminder::Column::EventId, reminder::Column::Kind])
            .update_columns([reminder::Column::DueAt, reminder::Column::SentAt])
            .to_owned();
        let row = reminder::ActiveModel::from(row).reset_all();
        reminder::Entity::insert(row).on_conflict(again).exec_without_returning(txn).await?;
        jobs::enqueue(txn, &app.ids, now, due_at, &SendReminder { event_id: event, kind, due_at }).await?;
    }
    Ok(())
}
