//! `spotlight admin create`: the only way to an admin account.

use super::audit::{self, By, Change};
use crate::{
    app::App,
    auth::{model, password},
    error::{Code, Error, Fault, Problem, Problems, Result},
    infra::db::is_unique,
    transaction,
};
use entity::{
    admin::{ActiveModel, Entity, Model},
    ids::AdminId,
};
use sea_orm::{ActiveModelTrait, EntityTrait};
use serde_json::json;

pub async fn create(app: &App, email: &str, secret: String) -> Result<AdminId> {
    let email = model::normal_email(email);
    let mut problems = Problems::default();
    model::email(&mut problems, &["email"], &email);
    model::password(&mut problems, &["password"], &secret);
    problems.check()?;
    let password_hash = password::hash(app, secret).await?;
    let id: AdminId = app.ids.next();
    let row = Model {
        id,
        email: email.clone(),
        password_hash,
        totp_secret: None,
        totp_pending: None,
        totp_step: None,
        created_at: app.clock.now(),
    };
    let made = transaction!(app, txn => {
        let row = ActiveModel::from(row.clone()).reset_all();
        Entity::insert(row).exec_without_returning(txn).await?;
        let change = Change::new("admin.create", "admin", id).after(json!({ "email": email }));
        audit::write(txn, app, By::CommandLine, change).await?;
        Ok(id)
    });
    match made {
        Err(Error::Fault(Fault::Database(error))) if is_unique(&error, "admin_email", "admin.email") => {
            let ko = "이미 있는 관리자입니다.";
            Err(Problem::new(Code::Taken, &["email"], ko, "There is an admin with this email.").into())
        }
        other => other,
    }
}
