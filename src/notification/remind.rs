//! One day and one hour before an event starts, every holder of a valid ticket is told, exactly once.

use super::{
    query,
    store::{Facts, News, tell},
};
use crate::{app::App, error::Result, event, infra::jobs::Job, transaction};
use chrono::{DateTime, Utc};
use entity::{
    enums::{EventStatus, NotificationKind, ReminderKind},
    ids::EventId,
    reminder,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};

/// Due at the moment that was planned; a reminder that was planned anew since leaves this one with nothing to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendReminder {
    pub event_id: EventId,
    pub kind: ReminderKind,
    pub due_at: DateTime<Utc>,
}

impl Job for SendReminder {
    const NAME: &'static str = "send_reminder";

    async fn run(self, app: &App) -> Result<()> {
        let db = app.db.reads();
        let planned = reminder::Entity::find()
            .filter(reminder::Column::EventId.eq(self.event_id))
            .filter(reminder::Column::Kind.eq(self.kind))
            .one(db)
            .await?;
        let Some(planned) = planned.filter(|row| row.due_at == self.due_at && row.sent_at.is_none()) else {
            return Ok(());
        };
        let Some(event) = event::query::by_id(db, self.event_id).await? else { return Ok(()) };
        // A late start-up still sends what is due, until the event has started.
        if event.status == EventStatus::Scheduled && app.clock.now() < event.starts_at {
            let holders = query::holders(db, event.id, planned.due_at).await?;
            let news = News {
                kind: NotificationKind::Reminder,
                // With the time, so that a moved event is reminded of anew.
                subject: format!("{}:{:?}:{}", planned.id, self.kind, planned.due_at.timestamp()),
                event_id: Some(event.id),
                facts: Facts::of(&event, 0),
            };
            tell(app, &holders, &news).await?;
        }
        transaction!(app, txn => {
            reminder::Entity::update_many()
                .col_expr(reminder::Column::SentAt, Expr::value(app.clock.now()))
                .filter(reminder::Column::Id.eq(planned.id))
                .filter(reminder::Column::DueAt.eq(planned.due_at))
                .exec(txn)
                .await?;
            Ok(())
        })
    }
}
