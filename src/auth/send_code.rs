//! `emailCodeSend`: the same answer for every address; what differs is the mail.

use super::{code, code::Purpose, model, throttle};
use crate::{
    app::App,
    error::{Problems, Result},
    infra::{
        jobs,
        jobs::{Job, Lane},
        mail::Letter,
    },
    language::Language,
    transaction, user,
};
use serde::{Deserialize, Serialize};

pub async fn send_code(app: &App, email: &str, purpose: Purpose, language: Language) -> Result<()> {
    let mut problems = Problems::default();
    model::email(&mut problems, &["email"], email.trim());
    problems.check()?;
    let email = model::normal_email(email);
    throttle::count(app, &format!("code:{email}"), 5, &["email"]).await?;
    let nonce = code::begin(app, purpose, &email).await?;
    let now = app.clock.now();
    let job = SendCode { email, purpose, nonce, is_english: language == Language::En };
    transaction!(app, txn => jobs::enqueue(txn, &app.ids, now, now, &job).await)?;
    Ok(())
}

/// The mail with the code, or one that says why there is none.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendCode {
    email: String,
    purpose: Purpose,
    nonce: String,
    is_english: bool,
}

impl Job for SendCode {
    const NAME: &'static str = "send_code";
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let has_account = user::query::by_email(app.db.reads(), &self.email).await?.is_some();
        let digits = code::digits(app, self.purpose, &self.email, &self.nonce);
        let minutes = app.config.auth.code_minutes;
        let (subject, text) = match (self.purpose, has_account, self.is_english) {
            (Purpose::SignUp, true, false) => (
                "[소극장] 이미 가입된 이메일입니다".to_owned(),
                "이 이메일로 이미 가입되어 있습니다. 로그인하거나 비밀번호를 재설정해 주세요.".to_owned(),
            ),
            (Purpose::SignUp, true, true) => (
                "[Spotlight Space] You already have an account".to_owned(),
                "This email already has an account. Sign in, or reset your password.".to_owned(),
            ),
            // Nobody to reset: no mail, so that a stranger's mailbox stays quiet.
            (Purpose::PasswordReset, false, _) => return Ok(()),
            (_, _, false) => (
                format!("[소극장] 인증번호 {digits}"),
                format!(
                    "인증번호는 {digits} 입니다.\n{minutes}분 안에 입력해 주세요.\n\n요청하지 않으셨다면 이 메일을 무시하세요."
                ),
            ),
            (_, _, true) => (
                format!("[Spotlight Space] Your code is {digits}"),
                format!(
                    "Your code is {digits}.\nIt is good for {minutes} minutes.\n\nIf you did not ask for it, ignore this mail."
                ),
            ),
        };
        app.mail.send(&Letter { id: self.nonce, to: self.email, subject, text }).await
    }
}
