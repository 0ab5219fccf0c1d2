//! `emailChange`: the email of an account that has another, or none: who came by a provider that vouched for no address has
//! no letters, no reminders by mail and no way to a password until then.
//!
//! Proven twice: the account like leaving, the mailbox by a code. Nobody hears whether an address is taken but who reads its
//! mailbox: the code goes where an account's letter would go instead. The old mailbox hears of the change. Sessions go on:
//! the address is how one signs in next time, and whoever is in was in before.

use super::{viewer::Member, withdraw};
use crate::{
    app::App,
    auth::{code::Purpose, letters, model, proof::Proof, reauthentication, sign_up},
    booking::hold,
    error::{Error, Problems, Result},
    infra::jobs::{self, Job, Lane},
    language::Language,
    transaction,
};
use entity::{
    ids::UserId,
    user::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// No `Debug`: it is full of secrets.
pub struct EmailChange {
    pub email: String,
    pub email_code: String,
    /// Of those who have one.
    pub current_password: Option<String>,
}

pub async fn change(app: &App, member: &Member, input: EmailChange, address: Option<IpAddr>) -> Result<Model> {
    let mut problems = Problems::default();
    model::email(&mut problems, &["email"], input.email.trim());
    problems.check()?;
    let email = model::normal_email(&input.email);
    // First, so that a mistyped password uses up no code.
    let known = reauthentication::prove(app, member, input.current_password).await?;
    let proof = Proof::of_code(app, &email, address).await?;
    proof.redeem_code(app, Purpose::EmailChange, &email, &input.email_code).await?;
    let changed = transaction!(app, txn => set(txn, app, &known, &email).await);
    changed.map_err(sign_up::taken)
}

async fn set(txn: &impl ConnectionTrait, app: &App, known: &Model, email: &str) -> Result<Model> {
    // A password that was changed since it was compared is another one.
    let user = withdraw::lock(txn, known.id).await?.filter(|user| user.password_hash == known.password_hash);
    let user = user.ok_or(Error::Unauthenticated)?;
    if user.email.as_deref() == Some(email) {
        return Ok(user);
    }
    let update = Entity::update_many().col_expr(Column::Email, Expr::value(email)).filter(Column::Id.eq(user.id));
    hold::one(update.exec(txn).await?.rows_affected, "an email changed")?;
    if let Some(old) = user.email.clone() {
        let now = app.clock.now();
        let is_english = Language::of_member(&user.language) == Language::En;
        let job = EmailChanged { user_id: user.id, email: old, at_micros: now.timestamp_micros(), is_english };
        jobs::enqueue(txn, &app.ids, now, now, &job).await?;
    }
    Ok(Model { email: Some(email.to_owned()), ..user })
}

/// To the old mailbox, which no row knows any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct EmailChanged {
    user_id: UserId,
    email: String,
    at_micros: i64,
    is_english: bool,
}

impl Job for EmailChanged {
    const NAME: &'static str = "email_changed";
    const LANE: Lane = Lane::Mail;
    const CARRIES_ADDRESS: bool = true;

    async fn run(self, app: &App) -> Result<()> {
        let language = if self.is_english { Language::En } else { Language::Ko };
        let id = format!("email-changed-{}-{}", self.user_id, self.at_micros);
        app.mail.send(&letters::email_changed(id, self.email, language)).await
    }
}
