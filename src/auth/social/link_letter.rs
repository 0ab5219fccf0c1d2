//! The letter after a link was made or ended: who did not do it must hear of it.

use crate::{
    app::App,
    auth::letters,
    error::Result,
    infra::jobs::{self, Job, Lane},
    language::Language,
    user,
};
use chrono::{DateTime, Utc};
use entity::{enums::SocialProvider, ids::UserId};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

/// In the transaction of the change.
pub async fn enqueue(
    txn: &impl ConnectionTrait,
    app: &App,
    user_id: UserId,
    provider: SocialProvider,
    is_linked: bool,
) -> Result<()> {
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &LinkChanged { user_id, provider, is_linked, at: now }).await.map(drop)
}

#[derive(Debug, Serialize, Deserialize)]
pub struct LinkChanged {
    user_id: UserId,
    provider: SocialProvider,
    is_linked: bool,
    at: DateTime<Utc>,
}

impl Job for LinkChanged {
    const NAME: &'static str = "link_changed";
    const LANE: Lane = Lane::Mail;

    async fn run(self, app: &App) -> Result<()> {
        let Some(member) = user::query::by_id(app.db.reads(), self.user_id).await? else { return Ok(()) };
        // Who came by a provider that vouched for no address has none.
        let Some(email) = member.email else { return Ok(()) };
        let what = if self.is_linked { "linked" } else { "unlinked" };
        let id = format!("{what}-{:?}-{}-{}", self.provider, self.user_id, self.at.timestamp_micros());
        let (language, provider) = (Language::of_member(&member.language), self.provider);
        let letter = if self.is_linked { letters::linked } else { letters::unlinked };
        app.mail.send(&letter(id, email, language, provider)).await
    }
}
