//! `adminSignIn`: as for members, one answer for an unknown email and a wrong password, after the same work.

use super::query;
use crate::{
    app::App,
    auth::{
        model, password,
        session::{self, Holder, Session},
        throttle,
    },
    error::{Code, Problem, Result},
};
use entity::admin::Model;
use std::net::IpAddr;

/// Failures in a quarter of an hour, by account and by address.
const MOST_BY_ACCOUNT: u32 = 5;
const MOST_BY_ADDRESS: u32 = 20;

pub async fn sign_in(app: &App, email: &str, secret: String, address: Option<IpAddr>) -> Result<(Model, Session)> {
    let email = model::normal_email(email);
    let by_account = format!("admin-sign-in:{email}");
    throttle::count(app, &by_account, MOST_BY_ACCOUNT, &[]).await?;
    let by_address = address.map(|address| format!("admin-sign-in:{address}"));
    if let Some(by_address) = &by_address {
        throttle::count(app, by_address, MOST_BY_ADDRESS, &[]).await?;
    }
    let admin = query::by_email(app.db.reads(), &email).await?;
    let hash = admin.as_ref().map(|admin| admin.password_hash.clone());
    let is_right = password::verify(app, secret, hash).await?;
    match admin {
        Some(admin) if is_right => {
            throttle::forget(app, &by_account).await?;
            if let Some(by_address) = &by_address {
                throttle::forgive(app, by_address).await?;
            }
            let session = session::begin(app, Holder::Admin(admin.id)).await?;
            Ok((admin, session))
        }
        _ => {
            let ko = "이메일 또는 비밀번호가 올바르지 않습니다.";
            Err(Problem::new(Code::WrongCredentials, &[], ko, "The email or the password is wrong.").into())
        }
    }
}
