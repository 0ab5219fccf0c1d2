//! Holds past their time are released, exactly once, by whichever node claims the job. After a sale's opening hundreds of
//! one event lapse together: the first job that runs releases those that are due with its own, in one transaction, and
//! takes their jobs away.
//!
//! A hold whose payment is in doubt is not released: the reconciler asks the provider first, and then releases or confirms
//! it.

use super::{query, release, state};
use crate::{
    app::App,
    error::Result,
    infra::{
        jobs,
        jobs::{Job, Lane},
    },
    payment, transaction,
};
use chrono::{DateTime, Utc};
use entity::{
    booking::{Column, Model},
    enums::BookingStatus,
    ids::BookingId,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use serde::{Deserialize, Serialize};

/// Released in one transaction: as many as one that takes holds serves (`booking.group_most`).
const MOST: u64 = 128;

#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireBooking {
    pub booking_id: BookingId,
}

impl Job for ExpireBooking {
    const NAME: &'static str = "expire_booking";
    const LANE: Lane = Lane::Expiry;

    async fn run(self, app: &App) -> Result<()> {
        let now = app.clock.now();
        // Most were paid, or released with others: those cost a reading.
        match query::by_id(app.db.reads(), self.booking_id).await? {
            Some(booking) if is_over(&booking, now) => {
                transaction!(app, txn => release_due(txn, app, booking.id, now).await)
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn is_over(booking: &Model, now: DateTime<Utc>) -> bool {
    booking.status == BookingStatus::Held && booking.expires_at.is_some_and(|expires_at| expires_at <= now)
}

async fn release_due(txn: &impl ConnectionTrait, app: &App, id: BookingId, now: DateTime<Utc>) -> Result<()> {
    let Some(booking) = state::lock(txn, id).await?.filter(|booking| is_over(booking, now)) else { return Ok(()) };
    let others = others(txn, &booking, now).await?;
    let mut due = vec![booking];
    due.extend(others);
    let ids: Vec<BookingId> = due.iter().map(|booking| booking.id).collect();
    let in_doubt = payment::state::lapse_all(txn, app, &ids).await?;
    due.retain(|booking| !in_doubt.contains(&booking.id));
    release::release_all(txn, app, &due).await?;
    let others = due.iter().map(|booking| booking.id).filter(|other| *other != id);
    let done: Vec<ExpireBooking> = others.map(|booking_id| ExpireBooking { booking_id }).collect();
    jobs::forget(txn, &done, now).await
}

/// Those of the same event that are due too. What somebody else is at work on is left to its own job, so that nobody waits
/// here for a lock but that of one booking.
async fn others(txn: &impl ConnectionTrait, booking: &Model, now: DateTime<Utc>) -> Result<Vec<Model>> {
    // Those in doubt stay held, and would fill the group for nothing.
    let rows = query::undoubted()
        .filter(Column::EventId.eq(booking.event_id))
        .filter(Column::ExpiresAt.lte(now))
        .filter(Column::Id.ne(booking.id))
        .order_by_asc(Column::Id)
        .limit(MOST - 1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(txn)
        .await?;
    Ok(rows)
}
