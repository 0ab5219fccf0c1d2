//! `adminSignIn`: as for members, one answer for an unknown email and a wrong password, after the same work. Only after the
//! right password does it say that a second factor is due. Who fails on purpose locks no admin out: see `auth::tries`.

use super::{
    audit::Actor,
    query,
    totp::{self, Factor},
};
use crate::{
    app::App,
    auth::{
        model, password,
        session::{self, Holder, Session},
        throttle,
        tries::{Door, Tries},
    },
    error::{Code, Error, Problem, Result},
    transaction,
};
use entity::admin::Model;
use std::net::IpAddr;

/// Wrong codes of the second factor in a quarter of an hour. Only who has the password gets to try one.
const MOST_CODES: u32 = 5;

/// No `Debug`: it is full of secrets.
#[derive(Clone)]
pub struct SignIn {
    pub email: String,
    pub password: String,
    pub totp_code: Option<String>,
    /// In the place of a code of the app.
    pub recovery_code: Option<String>,
}

pub async fn sign_in(app: &App, input: SignIn, address: Option<IpAddr>) -> Result<(Model, Session)> {
    app.passwords.check()?;
    let email = model::normal_email(&input.email);
    let tries = Tries::count(app, Door::Admin, &email, address).await?;
    let admin = query::by_email(app.db.reads(), &email).await?;
    let hash = admin.as_ref().map(|admin| admin.password_hash.clone());
    let is_right = password::verify(app, input.password, hash).await;
    if matches!(is_right, Err(Error::Busy(_))) {
        // Nothing was tried.
        tries.take_back(app).await?;
    }
    let Some(admin) = admin.filter(|_| matches!(is_right, Ok(true))) else {
        is_right?;
        return Err(wrong());
    };
    if let Err(refused) = second_factor(app, &admin, input.totp_code, input.recovery_code, address).await {
        // The password was right. Wrong codes have a counter of their own.
        tries.take_back(app).await?;
        return Err(refused);
    }
    tries.were_right(app).await?;
    let session = match session::begin(app, Holder::Admin(admin.id)).await {
        // Removed while the password was compared.
        Err(Error::Unauthenticated) => return Err(wrong()),
        begun => begun?,
    };
    if let Err(changed) = still_so(app, &admin).await {
        session::abandon(app, &session).await?;
        return Err(changed);
    }
    Ok((admin, session))
}

/// A password or a second factor that was changed, or an account that was removed, while the old password was compared: no
/// session may come of it. What is changed after this look ends the session by itself.
async fn still_so(app: &App, admin: &Model) -> Result<()> {
    let now = query::by_id(app.db.reads(), admin.id).await?;
    let is_same = |now: Model| now.password_hash == admin.password_hash && now.totp_secret == admin.totp_secret;
    if now.is_some_and(is_same) { Ok(()) } else { Err(wrong()) }
}

fn wrong() -> Error {
    let ko = "이메일 또는 비밀번호가 올바르지 않습니다.";
    Problem::new(Code::WrongCredentials, &[], ko, "The email or the password is wrong.").into()
}

/// Used up, or refused. None is due where none is on.
async fn second_factor(
    app: &App,
    admin: &Model,
    totp_code: Option<String>,
    recovery_code: Option<String>,
    address: Option<IpAddr>,
) -> Result<()> {
    let Some(sealed) = &admin.totp_secret else { return Ok(()) };
    let (factor, path) = match (totp_code, recovery_code) {
        (Some(code), _) => (Factor::Totp(code), "totpCode"),
        (None, Some(code)) => (Factor::Recovery(code), "recoveryCode"),
        (None, None) => return Err(required()),
    };
    let tries = format!("admin-code:{}", admin.id);
    throttle::count(app, &tries, MOST_CODES, &[path]).await?;
    let by = Actor { admin: admin.id, address };
    transaction!(app, txn => totp::redeem(txn, app, by, admin, sealed, &factor, &[path]).await)?;
    throttle::forget(app, &tries).await
}

fn required() -> Error {
    let ko = "2단계 인증번호를 입력해 주세요.";
    Problem::new(Code::SecondFactorRequired, &["totpCode"], ko, "Enter a code of the second factor.").into()
}
