//! Every session of who has left ends: at once, and again by a job of the same commit, so that neither a crash nor a
//! key-value store that is away leaves one open. Until then refreshing is refused by the person's row, and each write by
//! `user::query::lock_present`.

use crate::{
    app::App,
    auth::session,
    error::{Error, Result},
    infra::jobs::{Job, Lane},
};
use entity::ids::UserId;
use serde::{Deserialize, Serialize};

/// After the commit. What fails here is done by the job.
pub async fn end_sessions(app: &App, user_id: UserId) {
    if let Err(error) = session::end_for_good(app, &user_id.to_string()).await {
        tracing::warn!(user = %user_id, %error, "the sessions are ended in the background");
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct EndSessions {
    pub user_id: UserId,
}

impl Job for EndSessions {
    const NAME: &'static str = "end_sessions";
    /// The key-value store may be another machine.
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let ended = session::end_for_good(app, &self.user_id.to_string()).await;
        // Never parked: nothing is wrong with the job when the store is away.
        ended.map_err(|error| Error::Unavailable(error.to_string()))
    }
}
