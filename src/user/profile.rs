//! `profileUpdate`: what a member says of themselves, by the rules of the sign-up.

use super::withdraw;
use crate::{
    app::App,
    auth::model,
    error::{Error, Problems, Result},
    event,
    language::Language,
    transaction,
    user::viewer::Buyer,
};
use chrono::NaiveDate;
use entity::user::Model;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

/// What is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileUpdate {
    pub nickname: Option<String>,
    pub birth_date: Option<NaiveDate>,
    pub phone_number: Option<String>,
    pub location: Option<String>,
    pub language: Option<Language>,
    pub is_reminded_by_mail: Option<bool>,
}

impl ProfileUpdate {
    fn check(&self, today: NaiveDate) -> Result<()> {
        let mut problems = Problems::default();
        if let Some(nickname) = &self.nickname {
            problems.length(&["nickname"], nickname, 1, 20);
        }
        if let Some(location) = &self.location {
            problems.length(&["location"], location, 1, 100);
        }
        if let Some(number) = &self.phone_number {
            model::phone_number(&mut problems, &["phoneNumber"], number);
        }
        if let Some(date) = self.birth_date {
            model::birth_date(&mut problems, &["birthDate"], date, today);
        }
        problems.check()
    }
}

pub async fn update(app: &App, buyer: Buyer, input: ProfileUpdate) -> Result<Model> {
    input.check(app.clock.now().with_timezone(&app.config.time.zone).date_naive())?;
    transaction!(app, txn => {
        let old = withdraw::lock(txn, buyer.id()).await?.ok_or(Error::Unauthenticated)?;
        let (id, known_as) = (old.id, old.nickname.clone());
        let mut row = old.into_active_model();
        let input = input.clone();
        row.nickname = changed(input.nickname.map(|name| name.trim().to_owned()), row.nickname);
        row.birth_date = changed(input.birth_date.map(Some), row.birth_date);
        row.phone_number = changed(input.phone_number.map(Some), row.phone_number);
        row.location = changed(input.location.map(|place| Some(place.trim().to_owned())), row.location);
        row.language = changed(input.language.map(|language| language.code().to_owned()), row.language);
        row.is_reminded_by_mail = changed(input.is_reminded_by_mail, row.is_reminded_by_mail);
        let row = row.update(txn).await?;
        if row.nickname != known_as {
            event::index::renamed(txn, app, id).await?;
        }
        Ok(row)
    })
}

fn changed<T: Into<sea_orm::Value>>(new: Option<T>, old: sea_orm::ActiveValue<T>) -> sea_orm::ActiveValue<T> {
    new.map_or(old, Set)
}
