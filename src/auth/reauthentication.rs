//! What a member shows again before a token becomes more than a token: leaving, one more way in or one less, another email,
//! another password.
//!
//! The password; where there is none, a sign-in of a moment ago. What was left open on somebody's screen, or stolen for a
//! minute, does not do.

use super::{password, session, throttle};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    user::{self, viewer::Member},
};
use chrono::TimeDelta;
use entity::user::Model;

/// Wrong passwords in a quarter of an hour, whichever of these they were shown for: a stolen token buys no second budget.
const MOST: u32 = 5;
const PATH: &[&str] = &["currentPassword"];
/// Without a password, the provider must have vouched for the person as recently as this.
const RECENT: TimeDelta = TimeDelta::minutes(10);

/// The account, as it was when this was proven: a password that was changed since is another one.
pub async fn prove(app: &App, member: &Member, secret: Option<String>) -> Result<Model> {
    let user = user::query::by_id(app.db.reads(), member.id).await?.filter(|user| user.withdrawn_at.is_none());
    let user = user.ok_or(Error::Unauthenticated)?;
    match &user.password_hash {
        Some(_) => by_password(app, &user, secret.unwrap_or_default()).await?,
        None => by_recent_sign_in(app, member).await?,
    }
    Ok(user)
}

/// The same by the password alone; who has none is always wrong.
pub async fn by_password(app: &App, user: &Model, secret: String) -> Result<()> {
    let tries = format!("member-proof:{}", user.id);
    throttle::count(app, &tries, MOST, PATH).await?;
    let compared = password::verify(app, secret, user.password_hash.clone()).await;
    if throttle::settle(app, &tries, compared).await? {
        return throttle::forget(app, &tries).await;
    }
    Err(wrong())
}

pub fn wrong() -> Error {
    Problem::new(Code::WrongCredentials, PATH, "비밀번호가 올바르지 않습니다.", "The password is wrong.").into()
}

/// Refreshing is no sign-in.
async fn by_recent_sign_in(app: &App, member: &Member) -> Result<()> {
    let begun_at = session::begun_at(app, &member.token.family).await?;
    if begun_at.is_some_and(|begun_at| app.clock.now() - begun_at <= RECENT) {
        return Ok(());
    }
    let (ko, en) = ("다시 로그인한 뒤 10분 안에 시도해 주세요.", "Sign in again, then try within 10 minutes of it.");
    Err(Problem::new(Code::SignInNotRecent, &[], ko, en).into())
}
