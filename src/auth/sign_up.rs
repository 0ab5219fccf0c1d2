//! `signUp`: a person with a proven email.

use super::{
    code::Purpose,
    model,
    proof::Proof,
    session,
    session::{Holder, Session},
};
use crate::{
    app::App,
    error::{Code, Error, Fault, Problem, Problems, Result},
    infra::db::is_unique,
    language::Language,
    transaction,
};
use chrono::NaiveDate;
use entity::{enums::Role, point_account, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use std::net::IpAddr;

#[derive(Clone)]
pub struct SignUp {
    pub email: String,
    pub email_code: String,
    pub password: String,
    pub nickname: String,
    pub birth_date: NaiveDate,
    pub phone_number: String,
    pub location: String,
    pub role: Role,
}

impl SignUp {
    fn check(&self, today: NaiveDate) -> Result<()> {
        let mut problems = Problems::default();
        model::email(&mut problems, &["email"], self.email.trim());
        model::password(&mut problems, &["password"], &self.password);
        problems.length(&["nickname"], &self.nickname, 1, 20);
        problems.length(&["location"], &self.location, 1, 100);
        model::phone_number(&mut problems, &["phoneNumber"], &self.phone_number);
        model::birth_date(&mut problems, &["birthDate"], self.birth_date, today);
        problems.check()
    }
}

pub async fn sign_up(
    app: &App,
    input: SignUp,
    language: Language,
    address: Option<IpAddr>,
) -> Result<(user::Model, Session)> {
    let now = app.clock.now();
    input.check(now.with_timezone(&app.config.time.zone).date_naive())?;
    let email = model::normal_email(&input.email);
    app.passwords.check()?;
    let proof = Proof::of_code(app, &email, address).await?;
    let hash = proof.hash(app, input.password).await?;
    proof.redeem_code(app, Purpose::SignUp, &email, &input.email_code).await?;
    let row = user::Model {
        id: app.ids.next(),
        email: Some(email),
        password_hash: Some(hash),
        nickname: input.nickname.trim().to_owned(),
        birth_date: Some(input.birth_date),
        phone_number: Some(input.phone_number),
        location: Some(input.location.trim().to_owned()),
        role: input.role,
        language: if language == Language::En { "en" } else { "ko" }.to_owned(),
        is_reminded_by_mail: true,
        notification_count: 0,
        created_at: now,
        withdrawn_at: None,
    };
    transaction!(app, txn => insert(txn, row.clone()).await).map_err(taken)?;
    let session = session::begin(app, Holder::Member(row.id, row.role)).await?;
    Ok((row, session))
}

/// A person and the empty point account that goes with everyone.
pub async fn insert(txn: &impl ConnectionTrait, row: user::Model) -> Result<()> {
    let account = point_account::ActiveModel { user_id: Set(row.id), balance: Set(0), held: Set(0) };
    user::Entity::insert(user::ActiveModel::from(row).reset_all()).exec_without_returning(txn).await?;
    point_account::Entity::insert(account).exec_without_returning(txn).await?;
    Ok(())
}

/// Only who could read the mailbox gets this far, so it may be told.
pub fn taken(error: Error) -> Error {
    match error {
        Error::Fault(Fault::Database(cause)) if is_unique(&cause, "user_email", "user.email") => {
            Problem::new(Code::Taken, &["email"], "이미 가입된 이메일입니다.", "This email already has an account.")
                .into()
        }
        other => other,
    }
}
