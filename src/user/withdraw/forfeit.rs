//! The points that are left go with the account: one entry of the ledger, so that the balance is still the sum of its
//! entries.

use super::check;
use crate::{
    app::App,
    error::{Error, Result},
    infra::{jobs, jobs::Job},
    point, transaction,
};
use entity::ids::UserId;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

/// Answers how many there were.
pub async fn now(txn: &impl ConnectionTrait, app: &App, user: UserId) -> Result<i64> {
    point::ledger::forfeit(txn, app, user, &format!("withdrawal:{user}")).await
}

pub async fn later(txn: &impl ConnectionTrait, app: &App, user_id: UserId) -> Result<()> {
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &ForfeitPoints { user_id }).await.map(drop)
}

/// Waits until all refunds of a removed account are done: some of them give points back.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForfeitPoints {
    user_id: UserId,
}

impl Job for ForfeitPoints {
    const NAME: &'static str = "forfeit_points";

    async fn run(self, app: &App) -> Result<()> {
        let is_done = transaction!(app, txn => {
            if check::obstacles(txn, app.clock.now(), self.user_id).await?.has_open_money() {
                return Ok(false);
            }
            now(txn, app, self.user_id).await.map(|_| true)
        })?;
        if is_done { Ok(()) } else { Err(Error::Unavailable("refunds of this account are still under way".to_owned())) }
    }
}
