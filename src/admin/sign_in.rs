//! `adminSignIn`: as for members, one answer for an unknown email and a wrong password, after the same work. Only after the
//! right password does it say that a second factor is due.

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
    },
    error::{Code, Error, Problem, Result},
    transaction,
};
use entity::admin::Model;
use std::net::IpAddr;

/// Failures in a quarter of an hour, by account and by address.
const MOST_BY_ACCOUNT: u32 = 5;
const MOST_BY_ADDRESS: u32 = 20;

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
    let email = model::normal_email(&input.email);
    let by_account = format!("admin-sign-in-account:{email}");
    throttle::count(app, &by_account, MOST_BY_ACCOUNT, &[]).await?;
    let by_address = address.map(|_| format!("admin-sign-in-address:{}", throttle::network(address)));
    if let Some(by_address) = &by_address {
        throttle::count(app, by_address, MOST_BY_ADDRESS, &[]).await?;
    }
    let admin = query::by_email(app.db.reads(), &email).await?;
    let hash = admin.as_ref().map(|admin| admin.password_hash.clone());
    let is_right = password::verify(app, input.password, hash).await?;
    let Some(admin) = admin.filter(|_| is_right) else {
        let ko = "이메일 또는 비밀번호가 올바르지 않습니다.";
        return Err(Problem::new(Code::WrongCredentials, &[], ko, "The email or the password is wrong.").into());
    };
    let due = second_factor(app, &admin, input.totp_code, input.recovery_code, address).await?;
    if let Some(by_address) = &by_address {
        throttle::forgive(app, by_address).await?;
    }
    if due {
        // Half a sign-in: neither a failure, nor a reason to forget the wrong codes before it.
        throttle::forgive(app, &by_account).await?;
        return Err(required());
    }
    throttle::forget(app, &by_account).await?;
    let session = session::begin(app, Holder::Admin(admin.id)).await?;
    Ok((admin, session))
}

/// True if one is due and none was shown; one that was shown is used up, or refused.
async fn second_factor(
    app: &App,
    admin: &Model,
    totp_code: Option<String>,
    recovery_code: Option<String>,
    address: Option<IpAddr>,
) -> Result<bool> {
    let Some(sealed) = &admin.totp_secret else { return Ok(false) };
    let (factor, path) = match (totp_code, recovery_code) {
        (Some(code), _) => (Factor::Totp(code), "totpCode"),
        (None, Some(code)) => (Factor::Recovery(code), "recoveryCode"),
        (None, None) => return Ok(true),
    };
    let by = Actor { admin: admin.id, address };
    transaction!(app, txn => totp::redeem(txn, app, by, admin, sealed, &factor, &[path]).await)?;
    Ok(false)
}

fn required() -> Error {
    let ko = "2단계 인증번호를 입력해 주세요.";
    Problem::new(Code::SecondFactorRequired, &["totpCode"], ko, "Enter a code of the second factor.").into()
}
