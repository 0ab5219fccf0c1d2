//! `emailCodeSend`: the same answer for every address; what differs is the mail.

use super::{code, code::Purpose, letters, model, throttle};
use crate::{
    app::App,
    error::{Problems, Result},
    infra::{
        jobs,
        jobs::{Job, Lane},
    },
    language::Language,
    transaction, user,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

pub async fn send_code(
    app: &App,
    email: &str,
    purpose: Purpose,
    language: Language,
    address: Option<IpAddr>,
) -> Result<()> {
    let mut problems = Problems::default();
    model::email(&mut problems, &["email"], email.trim());
    problems.check()?;
    let email = model::normal_email(email);
    let most = &app.config.auth.throttle;
    throttle::count(app, &format!("codes:{}", throttle::network(address)), most.codes_by_address, &[]).await?;
    throttle::count(app, &format!("code:{email}"), most.codes_by_email, &["email"]).await?;
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
    const LANE: Lane = Lane::Mail;
    const CARRIES_ADDRESS: bool = true;

    async fn run(self, app: &App) -> Result<()> {
        // Run out, used, or replaced by a newer one while the mail server was away: a letter would only mislead.
        if !code::is_current(app, self.purpose, &self.email, &self.nonce).await? {
            return Ok(());
        }
        let has_account = user::query::by_email(app.db.reads(), &self.email).await?.is_some();
        let digits = code::digits(app, self.purpose, &self.email, &self.nonce);
        let minutes = app.config.auth.code_minutes;
        let language = if self.is_english { Language::En } else { Language::Ko };
        let letter = match (self.purpose, has_account) {
            (Purpose::SignUp | Purpose::EmailChange, true) => letters::has_account(self.nonce, self.email, language),
            (Purpose::SignUp, false) => letters::sign_up_code(self.nonce, self.email, language, &digits, minutes),
            (Purpose::EmailChange, false) => letters::change_code(self.nonce, self.email, language, &digits, minutes),
            // Nobody to reset: no mail, so that a stranger's mailbox stays quiet.
            (Purpose::PasswordReset, false) => return Ok(()),
            (Purpose::PasswordReset, true) => letters::reset_code(self.nonce, self.email, language, &digits, minutes),
        };
        app.mail.send(&letter).await
    }
}
