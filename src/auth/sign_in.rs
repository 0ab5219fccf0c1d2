//! `signIn`: one answer for an unknown email and a wrong password, after the same work.
//!
//! How often one may fail is `tries`.

use super::{
    model, password, session,
    session::{Holder, Session},
    tries::{Door, Tries},
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    user,
};
use entity::user::Model;
use std::net::IpAddr;

pub async fn sign_in(app: &App, email: &str, secret: String, address: Option<IpAddr>) -> Result<(Model, Session)> {
    app.passwords.check()?;
    let email = model::normal_email(email);
    let tries = Tries::count(app, Door::Member, &email, address).await?;
    let user = user::query::by_email(app.db.reads(), &email).await?.filter(|user| user.withdrawn_at.is_none());
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = password::verify(app, secret, hash).await;
    if matches!(is_right, Err(Error::Busy(_))) {
        // Nothing was tried.
        tries.take_back(app).await?;
    }
    let Some(user) = user.filter(|_| matches!(is_right, Ok(true))) else {
        is_right?;
        return Err(wrong());
    };
    tries.were_right(app).await?;
    let session = session::begin(app, Holder::Member(user.id, user.role)).await?;
    if let Err(changed) = still_so(app, &user).await {
        session::abandon(app, &session).await?;
        return Err(changed);
    }
    Ok((user, session))
}

/// A password that was changed, or an account that was closed, while the old one was compared: no session may come of it.
/// What is changed after this look ends the session by itself.
async fn still_so(app: &App, user: &Model) -> Result<()> {
    let now = user::query::by_id(app.db.reads(), user.id).await?.filter(|now| now.withdrawn_at.is_none());
    if now.is_some_and(|now| now.password_hash == user.password_hash) { Ok(()) } else { Err(wrong()) }
}

fn wrong() -> Error {
    let ko = "이메일 또는 비밀번호가 올바르지 않습니다.";
    Problem::new(Code::WrongCredentials, &[], ko, "The email or the password is wrong.").into()
}
