//! Leaving: `accountWithdraw`, and what an admin's removal shares with it.
//!
//! Always: who withdraws has nothing open (`check`) or it is called off in the same transaction (`call_off`, an admin's
//! override); the personal fields are gone with that commit (`erase`); after it nothing can be booked, published or
//! signed in to under that id, because every such write asks `user::query::lock_present` in its own transaction. Sales,
//! reviews and ledgers stay, without a name.
//!
//! In one transaction: [`lock`], then [`check::check`] or [`call_off::call_off`], then [`erase::erase`]; after it
//! [`end_sessions::end_sessions`].

pub mod call_off;
pub mod check;
pub mod end_sessions;
pub mod erase;
pub mod farewell;
pub mod forfeit;
pub mod model;

use super::viewer::Member;
use crate::{
    admin::audit::{self, By, Change},
    app::App,
    auth::reauthentication,
    error::{Error, Result},
    transaction,
};
use entity::{ids::UserId, user};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};
use serde_json::json;

/// Answers how many points were forfeited. `secret` is the password of those who have one.
pub async fn withdraw(app: &App, member: &Member, secret: Option<String>) -> Result<i64> {
    let known = reauthentication::prove(app, member, secret).await?;
    let forfeited = transaction!(app, txn => {
        // A password that was changed since it was compared is another one.
        let user = lock(txn, member.id).await?.filter(|user| user.password_hash == known.password_hash);
        let user = user.ok_or(Error::Unauthenticated)?;
        check::check(txn, app.clock.now(), &user, &[]).await?;
        let forfeited = erase::erase(txn, app, &user).await?;
        let change = Change::new(audit::WITHDRAWAL, "user", user.id).before(json!({ "role": user.role }));
        let change = change.after(json!({ "isWithdrawn": true, "forfeitedPoints": forfeited }));
        audit::write(txn, app, By::Themselves, change).await?;
        Ok(forfeited)
    })?;
    end_sessions::end_sessions(app, member.id).await;
    Ok(forfeited)
}

/// The person's row, locked until the transaction ends; `None` if they are gone already.
pub async fn lock(txn: &impl ConnectionTrait, id: UserId) -> Result<Option<user::Model>> {
    let row = user::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
    Ok(row.filter(|row| row.withdrawn_at.is_none()))
}
