//! Events, reviews, bookings, payments and settlements.

use super::{begins, latest, newest, one_of, people::is_known_by, said};
use crate::{
    error::Result,
    page::{self, Key, Page, Sorting, Window},
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking,
    enums::{BookingStatus, EventStatus, PaymentStatus},
    event,
    ids::{BookingId, EventId, PaymentId, ReviewId, SettlementId, TypedId, UserId},
    payment, payment_event, review, settlement, settlement_run,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder};

/// Where an event stands, by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Canceled,
    Ended,
    Scheduled,
}

/// Which events; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Events {
    pub ids: Option<Vec<EventId>>,
    /// The beginning of a title.
    pub text: Option<String>,
    pub artist: Option<UserId>,
    pub standing: Option<Standing>,
    pub is_removed: Option<bool>,
}

pub async fn events(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    filter: Events,
    window: &Window,
) -> Result<Page<event::Model>> {
    use event::Column;
    let text = said(filter.text.as_deref());
    let scheduled = || Condition::all().add(Column::Status.eq(EventStatus::Scheduled));
    let all =
        one_of(Column::Id, filter.ids)
            .add_option(text.map(|text| begins(db.get_database_backend(), Column::Title, text)))
            .add_option(filter.artist.map(|artist| Column::ArtistId.eq(artist)))
            .add_option(filter.standing.map(|standing| match standing {
                Standing::Canceled => Condition::all().add(Column::Status.eq(EventStatus::Canceled)),
                Standing::Ended => scheduled().add(Column::EndsAt.lte(now)),
                Standing::Scheduled => scheduled().add(Column::EndsAt.gt(now)),
            }))
            .add_option(filter.is_removed.map(|is_removed| {
                if is_removed { Column::RemovedAt.is_not_null() } else { Column::RemovedAt.is_null() }
            }));
    page::read(db, event::Entity::find().filter(all), &newest!(event, CreatedAt, created_at), window).await
}

/// Which reviews; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    pub ids: Option<Vec<ReviewId>>,
    /// How its member's email, nickname or phone number begins.
    pub text: Option<String>,
    pub event: Option<EventId>,
    pub author: Option<UserId>,
    pub rating: Option<i32>,
}

pub async fn reviews(db: &impl ConnectionTrait, filter: Reviews, window: &Window) -> Result<Page<review::Model>> {
    use review::Column;
    let who = said(filter.text.as_deref()).map(|text| is_known_by(db.get_database_backend(), Column::UserId, text));
    let all = one_of(Column::Id, filter.ids)
        .add_option(who)
        .add_option(filter.event.map(|event| Column::EventId.eq(event)))
        .add_option(filter.author.map(|author| Column::UserId.eq(author)))
        .add_option(filter.rating.map(|rating| Column::Rating.eq(rating)));
    page::read(db, review::Entity::find().filter(all), &newest!(review, CreatedAt, created_at), window).await
}

/// Which bookings; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Bookings {
    pub ids: Option<Vec<BookingId>>,
    /// How its member's email, nickname or phone number begins.
    pub text: Option<String>,
    pub status: Option<BookingStatus>,
    pub event: Option<EventId>,
    pub user: Option<UserId>,
}

pub async fn bookings(db: &impl ConnectionTrait, filter: Bookings, window: &Window) -> Result<Page<booking::Model>> {
    use booking::Column;
    let who = said(filter.text.as_deref()).map(|text| is_known_by(db.get_database_backend(), Column::UserId, text));
    let all = one_of(Column::Id, filter.ids)
        .add_option(who)
        .add_option(filter.status.map(|status| Column::Status.eq(status)))
        .add_option(filter.event.map(|event| Column::EventId.eq(event)))
        .add_option(filter.user.map(|user| Column::UserId.eq(user)));
    page::read(db, booking::Entity::find().filter(all), &latest!(booking), window).await
}

/// Which payments; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Payments {
    pub ids: Option<Vec<PaymentId>>,
    /// How its member's email, nickname or phone number begins.
    pub text: Option<String>,
    pub booking: Option<BookingId>,
    /// The provider's own name of it.
    pub tid: Option<String>,
    pub status: Option<PaymentStatus>,
    pub user: Option<UserId>,
    pub in_doubt_only: bool,
    /// In the same state since before this moment.
    pub unchanged_since: Option<DateTime<Utc>>,
}

/// As `payment::model::is_in_doubt` says it.
pub fn is_in_doubt(now: DateTime<Utc>, grace: TimeDelta) -> Condition {
    use PaymentStatus::{Approving, Canceling, Pending};
    use payment::Column;
    let old = Condition::all().add(Column::Status.eq(Pending)).add(Column::ChangedAt.lte(now - grace));
    Condition::any().add(Column::Status.is_in([Approving, Canceling])).add(old)
}

/// Newest first; those in doubt by how long they have been, the longest first.
pub async fn payments(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    grace: TimeDelta,
    filter: Payments,
    window: &Window,
) -> Result<Page<payment::Model>> {
    use payment::Column;
    let who = said(filter.text.as_deref()).map(|text| is_known_by(db.get_database_backend(), Column::UserId, text));
    let all = one_of(Column::Id, filter.ids)
        .add_option(who)
        .add_option(filter.booking.map(|booking| Column::BookingId.eq(booking)))
        .add_option(filter.tid.map(|tid| Column::Tid.eq(tid)))
        .add_option(filter.status.map(|status| Column::Status.eq(status)))
        .add_option(filter.user.map(|user| Column::UserId.eq(user)))
        .add_option(filter.unchanged_since.map(|at| Column::ChangedAt.lte(at)))
        .add_option(filter.in_doubt_only.then(|| is_in_doubt(now, grace)));
    let select = payment::Entity::find().filter(all);
    if !filter.in_doubt_only {
        return page::read(db, select, &latest!(payment), window).await;
    }
    let sorting = Sorting {
        at: Some(Column::ChangedAt),
        id: Column::Id,
        order: Order::Asc,
        key: |row: &payment::Model| Key { at: page::moment(row.changed_at), id: row.id.uuid() },
        value: page::moment_value,
    };
    page::read(db, select, &sorting, window).await
}

/// What happened to each, in order.
pub async fn stories(db: &impl ConnectionTrait, ids: &[PaymentId]) -> Result<Vec<payment_event::Model>> {
    use payment_event::Column;
    let rows = payment_event::Entity::find().filter(Column::PaymentId.is_in(ids.iter().copied()));
    Ok(rows.order_by_asc(Column::At).order_by_asc(Column::Id).all(db).await?)
}

/// Which settlements; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Settlements {
    pub ids: Option<Vec<SettlementId>>,
    pub artist: Option<UserId>,
    pub period: Option<String>,
}

pub async fn settlements(
    db: &impl ConnectionTrait,
    filter: Settlements,
    window: &Window,
) -> Result<Page<settlement::Model>> {
    use settlement::Column;
    let all = one_of(Column::Id, filter.ids)
        .add_option(filter.artist.map(|artist| Column::ArtistId.eq(artist)))
        .add_option(filter.period.map(|period| Column::Period.eq(period)));
    page::read(db, settlement::Entity::find().filter(all), &newest!(settlement, CreatedAt, created_at), window).await
}

/// One for each month: few enough to need no index.
pub async fn settlement_runs(db: &impl ConnectionTrait, window: &Window) -> Result<Page<settlement_run::Model>> {
    page::read(db, settlement_run::Entity::find(), &newest!(settlement_run, StartedAt, started_at), window).await
}
