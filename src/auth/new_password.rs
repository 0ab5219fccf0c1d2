//! What every change of a member's password has in common: it is compared and set in one statement, every session ends,
//! and a letter says so.

use super::{
    code::{self, Purpose},
    letters, reset_token, session,
};
use crate::{
    app::App,
    error::{Error, Problems, Result},
    infra::jobs::{self, Job, Lane},
    language::Language,
    transaction, user,
};
use chrono::{DateTime, Utc};
use entity::{
    PasswordHash,
    ids::UserId,
    user::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};

pub fn check(path: &[&str], password: &str) -> Result<()> {
    let mut problems = Problems::default();
    super::model::password(&mut problems, path, password);
    problems.check()
}

/// False if the account has another password than `member` by now, or is gone.
pub async fn set(app: &App, member: &Model, hash: &PasswordHash) -> Result<bool> {
    let holder = member.id.to_string();
    // Before, so that no session outlives the old password for a moment; after, for a sign-in with the old one in between;
    // and by the job, for a crash in between.
    session::end_all(app, &holder).await?;
    let is_set = transaction!(app, txn => {
        let is_set = replace(txn, member, hash).await?;
        if is_set {
            // Now that the row is this transaction's, however long it waited for it: what began before is to end.
            let now = app.clock.now();
            jobs::enqueue(txn, &app.ids, now, now, &PasswordChanged { user_id: member.id, at: now }).await?;
        }
        Ok(is_set)
    })?;
    session::end_all(app, &holder).await?;
    if let (true, Some(email)) = (is_set, &member.email) {
        forget_proofs(app, email).await?;
    }
    Ok(is_set)
}

/// What was asked for under the old password sets no other one.
async fn forget_proofs(app: &App, email: &str) -> Result<()> {
    code::forget(app, Purpose::PasswordReset, email).await?;
    reset_token::forget(app, email).await
}

/// In the place of what `member` had; false if that is not there any more.
pub async fn replace(txn: &impl ConnectionTrait, member: &Model, hash: &PasswordHash) -> Result<bool> {
    let old = match &member.password_hash {
        Some(old) => Column::PasswordHash.eq(old.clone()),
        None => Column::PasswordHash.is_null(),
    };
    let update = Entity::update_many().col_expr(Column::PasswordHash, Expr::value(hash.clone()));
    let update = update.filter(Column::Id.eq(member.id)).filter(Column::WithdrawnAt.is_null()).filter(old);
    Ok(update.exec(txn).await?.rows_affected == 1)
}

/// Ends what a crash left open, and writes to the owner.
#[derive(Debug, Serialize, Deserialize)]
pub struct PasswordChanged {
    user_id: UserId,
    at: DateTime<Utc>,
}

impl Job for PasswordChanged {
    const NAME: &'static str = "password_changed";
    const LANE: Lane = Lane::Mail;

    async fn run(self, app: &App) -> Result<()> {
        let ended = session::end_before(app, &self.user_id.to_string(), self.at).await;
        // Never parked: nothing is wrong with the job when the store is away.
        ended.map_err(|error| Error::Unavailable(error.to_string()))?;
        let Some(member) = user::query::by_id(app.db.reads(), self.user_id).await? else { return Ok(()) };
        let Some(email) = member.email else { return Ok(()) };
        let id = format!("password-changed-{}-{}", self.user_id, self.at.timestamp_micros());
        app.mail.send(&letters::password_changed(id, email, Language::of_member(&member.language))).await
    }
}
