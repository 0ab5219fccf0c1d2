//! `eventCancel`: sales stop in this transaction; the refunds are a job for each booking, so that a crash anywhere
//! leaves rows that say what is still to do.

use super::{index, update::of_artist};
use crate::{
    app::App,
    booking::refund::RefundBooking,
    error::{Code, Problem, Result},
    infra::{jobs, jobs::Job},
    transaction,
    user::viewer::Artist,
};
use entity::{
    booking,
    enums::{BookingStatus, EventStatus},
    event,
    ids::EventId,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

/// Called again, as by a client that got no answer, it answers the same.
pub async fn cancel(app: &App, artist: Artist, id: EventId) -> Result<event::Model> {
    transaction!(app, txn => {
        let now = app.clock.now();
        let old = of_artist(txn, artist, id).await?;
        match old.status {
            EventStatus::Canceled => Ok(old),
            EventStatus::Scheduled if old.ends_at <= now => {
                let ko = "이미 끝난 이벤트입니다.";
                Err(Problem::new(Code::NotAllowed, &["eventId"], ko, "The event is over.").into())
            }
            EventStatus::Scheduled => call_off(txn, app, old).await,
        }
    })
}

/// The caller has locked the row, and knows that it may be canceled.
pub async fn call_off(txn: &impl ConnectionTrait, app: &App, old: event::Model) -> Result<event::Model> {
    let now = app.clock.now();
    let row = event::Model { status: EventStatus::Canceled, canceled_at: Some(now), version: old.version + 1, ..old };
    event::ActiveModel::from(row.clone()).reset_all().update(txn).await?;
    jobs::enqueue(txn, &app.ids, now, now, &RefundEvent { event_id: row.id }).await?;
    index::enqueue(txn, app, row.id).await?;
    Ok(row)
}

/// Finds every booking that is not closed yet and has each refunded.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefundEvent {
    event_id: EventId,
}

impl Job for RefundEvent {
    const NAME: &'static str = "refund_event";

    /// Run again, it enqueues again; refunding a booking twice does nothing the second time.
    async fn run(self, app: &App) -> Result<()> {
        let open = booking::Entity::find()
            .filter(booking::Column::EventId.eq(self.event_id))
            .filter(booking::Column::Status.is_in([
                BookingStatus::Held,
                BookingStatus::Confirmed,
                BookingStatus::Canceling,
            ]))
            .all(app.db.reads())
            .await?;
        for part in open.chunks(200) {
            transaction!(app, txn => {
                let now = app.clock.now();
                for booking in part {
                    jobs::enqueue(txn, &app.ids, now, now, &RefundBooking { booking_id: booking.id }).await?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
