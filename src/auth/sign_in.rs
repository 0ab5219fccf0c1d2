//! `signIn`: one answer for an unknown email and a wrong password, after the same work.

use super::{
    model, password, session,
    session::{Holder, Session},
    throttle,
};
use crate::{
    app::App,
    error::{Code, Problem, Result},
    user,
};
use std::net::IpAddr;

/// Failures in a quarter of an hour, by account and by address.
const MOST_BY_ACCOUNT: u32 = 10;
const MOST_BY_ADDRESS: u32 = 100;

pub async fn sign_in(
    app: &App,
    email: &str,
    secret: String,
    address: Option<IpAddr>,
) -> Result<(entity::user::Model, Session)> {
    let email = model::normal_email(email);
    let by_account = format!("sign-in:{email}");
    throttle::count(app, &by_account, MOST_BY_ACCOUNT, &[]).await?;
    let by_address = address.map(|address| format!("sign-in:{address}"));
    if let Some(by_address) = &by_address {
        throttle::count(app, by_address, MOST_BY_ADDRESS, &[]).await?;
    }
    let user = user::query::by_email(app.db.reads(), &email).await?.filter(|user| user.withdrawn_at.is_none());
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = password::verify(app, secret, hash).await?;
    match user {
        Some(user) if is_right => {
            throttle::forget(app, &by_account).await?;
            if let Some(by_address) = &by_address {
                throttle::forgive(app, by_address).await?;
            }
            let session = session::begin(app, Holder::Member(user.id, user.role)).await?;
            Ok((user, session))
        }
        _ => {
            let ko = "이메일 또는 비밀번호가 올바르지 않습니다.";
            Err(Problem::new(Code::WrongCredentials, &[], ko, "The email or the password is wrong.").into())
        }
    }
}
