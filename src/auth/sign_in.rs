//! `signIn`: one answer for an unknown email and a wrong password, after the same work.
//!
//! How often one may fail is `tries`.

use super::{
    model, new_password, password, session,
    session::{Holder, Session},
    tries::{Door, Tries},
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    transaction, user,
};
use entity::user::Model;
use std::net::IpAddr;

pub async fn sign_in(app: &App, email: &str, secret: String, address: Option<IpAddr>) -> Result<(Model, Session)> {
    app.passwords.check()?;
    let email = model::normal_email(email);
    let tries = Tries::count(app, Door::Member, &email, address).await?;
    let user = user::query::by_email(app.db.reads(), &email).await?.filter(|user| user.withdrawn_at.is_none());
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = password::verify(app, secret.clone(), hash).await;
    if matches!(is_right, Err(Error::Busy(_))) {
        // Nothing was tried.
        tries.take_back(app).await?;
    }
    let Some(user) = user.filter(|_| matches!(is_right, Ok(true))) else {
        is_right?;
        return Err(wrong());
    };
    tries.were_right(app).await?;
    let session = match session::begin(app, Holder::Member(user.id, user.role)).await {
        // Closed while the password was compared.
        Err(Error::Unauthenticated) => return Err(wrong()),
        begun => begun?,
    };
    match still_so(app, &user, &secret).await {
        Ok(user) => {
            renew_hash(app, &user, secret).await;
            Ok((user, session))
        }
        Err(changed) => {
            session::abandon(app, &session).await?;
            Err(changed)
        }
    }
}

/// A password that was changed, or an account that was closed, while the old one was compared: no session may come of it.
/// What is changed after this look ends the session by itself.
async fn still_so(app: &App, user: &Model, secret: &str) -> Result<Model> {
    let now = user::query::by_id(app.db.reads(), user.id).await?.filter(|now| now.withdrawn_at.is_none());
    let now = now.ok_or_else(wrong)?;
    if now.password_hash == user.password_hash {
        return Ok(now);
    }
    // Another sign-in may have renewed the hash of the same password.
    let is_right = password::verify(app, secret.to_owned(), now.password_hash.clone()).await?;
    if is_right { Ok(now) } else { Err(wrong()) }
}

/// The one moment in which the password is known: a hash of another cost than the configured one is replaced. The next
/// sign-in tries again if it is not.
async fn renew_hash(app: &App, user: &Model, secret: String) {
    if !user.password_hash.as_ref().is_some_and(|hash| password::is_outdated(app, hash)) {
        return;
    }
    let renewed = async {
        let hash = password::hash(app, secret).await?;
        transaction!(app, txn => new_password::replace(txn, user, &hash).await)
    };
    if let Err(error) = renewed.await {
        tracing::debug!(%error, user = %user.id, "a hash of another cost stays");
    }
}

fn wrong() -> Error {
    let ko = "이메일 또는 비밀번호가 올바르지 않습니다.";
    Problem::new(Code::WrongCredentials, &[], ko, "The email or the password is wrong.").into()
}
