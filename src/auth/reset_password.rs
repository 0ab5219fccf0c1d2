//! `passwordReset`: a new password for whoever reads the mailbox. It is also how an account that only signs in socially
//! gets its first one.
//!
//! A mailbox without an account takes the same work and gives the same answers: it has a code that nobody is sent. A new
//! password that is refused uses up neither code nor token.

use super::{
    code::{self, Purpose},
    model, new_password,
    proof::Proof,
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
    let given = match (input.email_code, input.reset_token) {
        (Some(code), None) => Given::Code(code),
        (None, Some(token)) => Given::Token(token),
        (Some(_), Some(_)) | (None, None) => return Err(one_proof()),
    };
    app.passwords.check()?;
    let email = model::normal_email(&input.email);
    let proof = match given {
        Given::Code(_) => Proof::of_code(app, &email, address).await?,
        Given::Token(_) => Proof::of_token(app, address).await?,
    };
    let hash = proof.hash(app, input.new_password).await?;
    match &given {
        Given::Code(code) => proof.redeem_code(app, Purpose::PasswordReset, &email, code).await?,
        Given::Token(token) => proof.redeem_token(app, &email, token).await?,
    }
    let member = user::query::by_email(app.db.reads(), &email).await?.filter(|user| user.withdrawn_at.is_none());
    let is_set = match member {
        Some(member) => new_password::set(app, &member, &hash).await?,
        None => false,
    };
    // Guessed for a mailbox without an account, or somebody else was faster: ask for another code.
    if is_set { Ok(()) } else { Err(code::expired(&[given.field()])) }
}

/// The one proof.
enum Given {
    Code(String),
    Token(String),
}

impl Given {
    const fn field(&self) -> &'static str {
        match self {
            Self::Code(_) => "emailCode",
            Self::Token(_) => "resetToken",
        }
    }
}

fn one_proof() -> Error {
    let (ko, en) = ("인증번호와 재설정 토큰 중 하나만 보내 주세요.", "Send either emailCode or resetToken.");
    Problem::new(Code::Invalid, &["emailCode"], ko, en).into()
}
