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

use super::{query, viewer::Member};
use crate::{
    admin::audit::{self, Change},
    app::App,
    auth::{password, session, throttle},
    error::{Code, Error, Problem, Problems, Result},
    transaction,
};
use chrono::TimeDelta;
use entity::{ids::UserId, user};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};
use serde_json::json;

/// Wrong passwords in a quarter of an hour.
const MOST_TRIES: u32 = 5;
/// Without a password, the provider must have vouched for the person as recently as this.
const RECENT: TimeDelta = TimeDelta::minutes(10);

/// No `Debug`: the password is a secret.
#[derive(Clone)]
pub struct Withdraw {
    /// Of those who have one.
    pub current_password: Option<String>,
    pub reason: Option<String>,
}

/// Answers how many points were forfeited.
pub async fn withdraw(app: &App, member: &Member, input: Withdraw) -> Result<i64> {
    let mut problems = Problems::default();
    problems.length(&["reason"], input.reason.as_deref().unwrap_or_default(), 0, 500);
    problems.check()?;
    let known = query::by_id(app.db.reads(), member.id).await?.filter(|user| user.withdrawn_at.is_none());
    let known = known.ok_or(Error::Unauthenticated)?;
    prove(app, member, &known, input.current_password).await?;
    let forfeited = transaction!(app, txn => {
        // A password that was changed since it was compared is another one.
        let user = lock(txn, member.id).await?.filter(|user| user.password_hash == known.password_hash);
        let user = user.ok_or(Error::Unauthenticated)?;
        check::check(txn, app.clock.now(), &user, &[]).await?;
        let forfeited = erase::erase(txn, app, &user).await?;
        let after = json!({ "reason": input.reason, "forfeitedPoints": forfeited });
        let change = Change::new("account.withdraw", "user", user.id).after(after);
        audit::write(txn, app, None, change).await?;
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

/// By the password, or by a sign-in of a moment ago where there is none: a token that was left on somebody's screen does not
/// do.
async fn prove(app: &App, member: &Member, user: &user::Model, secret: Option<String>) -> Result<()> {
    let Some(hash) = user.password_hash.clone() else {
        let begun_at = session::begun_at(app, &member.token.family).await?;
        if begun_at.is_some_and(|begun_at| app.clock.now() - begun_at <= RECENT) {
            return Ok(());
        }
        let (ko, en) = ("다시 로그인한 뒤 10분 안에 탈퇴해 주세요.", "Sign in again, then withdraw within 10 minutes.");
        return Err(Problem::new(Code::SignInNotRecent, &[], ko, en).into());
    };
    let path = &["currentPassword"];
    let tries = format!("withdraw:{}", user.id);
    throttle::count(app, &tries, MOST_TRIES, path).await?;
    if password::verify(app, secret.unwrap_or_default(), Some(hash)).await? {
        return throttle::forget(app, &tries).await;
    }
    Err(Problem::new(Code::WrongCredentials, path, "비밀번호가 올바르지 않습니다.", "The password is wrong.").into())
}
