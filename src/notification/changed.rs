//! "The event was moved": to everybody who holds a ticket.

use super::{
    query,
    store::{Facts, News, tell},
};
use crate::{app::App, error::Result, event, infra::jobs::Job};
use entity::{enums::NotificationKind, ids::EventId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct TellChange {
    pub event_id: EventId,
    /// The edit that moved it.
    pub version: i64,
}

impl Job for TellChange {
    const NAME: &'static str = "tell_change";

    async fn run(self, app: &App) -> Result<()> {
        let db = app.db.reads();
        let Some(event) = event::query::by_id(db, self.event_id).await? else { return Ok(()) };
        let holders = query::holders(db, event.id, app.clock.now()).await?;
        let news = News {
            kind: NotificationKind::EventChanged,
            subject: format!("{}:{}", event.id, self.version),
            event_id: Some(event.id),
            facts: Facts::of(&event, 0),
        };
        tell(app, &holders, &news).await
    }
}
