//! `passwordReset`: a new password for whoever reads the mailbox. It is also how an account that only signs in socially
//! gets its first one.
//!
//! A mailbox without an account takes the same work and gives the same answers: it has a code that nobody is sent. A new
//! password that is refused uses up neither code nor token.

use super::{
    code::{self, Purpose},
    model, new_password, password, reset_token,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    user,
};
use std::net::IpAddr;

/// No `Debug`: everything in it is a secret.
pub struct ResetPassword {
    pub email: String,
    pub email_code: Option<String>,
    pub reset_token: Option<String>,
    pub new_password: String,
}

pub async fn reset_password(app: &App, input: ResetPassword, address: Option<IpAddr>) -> Result<()> {
    new_password::check(&["newPassword"], &input.new_password)?;
    let email = model::normal_email(&input.email);
    // First, so that a moment in which too many want it uses up no code; and so that a wrong code takes as long.
    let hash = password::hash(app, input.new_password).await?;
    let path = match (input.email_code, input.reset_token) {
        (Some(code), None) => {
            code::prove(app, Purpose::PasswordReset, &email, &code, address, &["emailCode"]).await?;
            "emailCode"
        }
        (None, Some(token)) => {
            reset_token::redeem(app, &email, &token).await?;
            "resetToken"
        }
        (Some(_), Some(_)) | (None, None) => return Err(one_proof()),
    };
    let member = user::query::by_email(app.db.reads(), &email).await?.filter(|user| user.withdrawn_at.is_none());
    let is_set = match member {
        Some(member) => new_password::set(app, &member, &hash).await?,
        None => false,
    };
    // Guessed for a mailbox without an account, or somebody else was faster: ask for another code.
    if is_set { Ok(()) } else { Err(code::expired(&[path])) }
}

fn one_proof() -> Error {
    let (ko, en) = ("인증번호와 재설정 토큰 중 하나만 보내 주세요.", "Send either emailCode or resetToken.");
    Problem::new(Code::Invalid, &["emailCode"], ko, en).into()
}
