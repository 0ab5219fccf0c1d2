//! `spotlight admin reset` and `spotlight admin remove`: for an admin who lost the password or the device, and for one who is
//! gone. From the command line only; each is a row of the audit log with who sat at the machine.

use super::{
    audit::{self, By, Change},
    password_change, query,
    totp::{disable, recovery},
};
use crate::{
    app::App,
    auth::{model, password, session},
    error::{Error, Problem, Problems, Result},
    transaction,
};
use entity::admin::{Entity, Model};
use sea_orm::EntityTrait;
use serde_json::json;

async fn known(app: &App, email: &str) -> Result<Model> {
    let found = query::by_email(app.db.reads(), &model::normal_email(email)).await?;
    found.ok_or_else(|| Error::from(Problem::not_found(&["email"])))
}

/// A new password, no second factor, no session.
pub async fn reset(app: &App, email: &str, secret: String) -> Result<()> {
    let mut problems = Problems::default();
    model::password(&mut problems, &["password"], &secret);
    problems.check()?;
    let admin = known(app, email).await?;
    let hash = password::hash(app, secret).await?;
    // Before, so that a crash in between leaves no session that nothing ends any more; after, for a sign-in in between.
    session::end_all(app, &admin.id.to_string()).await?;
    transaction!(app, txn => {
        if !password_change::set(txn, admin.id, None, &hash).await? {
            return Err(Problem::not_found(&["email"]).into());
        }
        disable::turn_off(txn, admin.id).await?;
        let change = Change::new("admin.reset", "admin", admin.id);
        let change = change.before(json!({ "isTotpEnabled": admin.totp_secret.is_some() }));
        let change = change.after(json!({ "isTotpEnabled": false, "isPasswordChanged": true }));
        audit::write(txn, app, By::CommandLine, change).await
    })?;
    session::end_all(app, &admin.id.to_string()).await
}

/// The account goes; what the admin did stays in the audit log.
pub async fn remove(app: &App, email: &str) -> Result<()> {
    let admin = known(app, email).await?;
    session::end_all(app, &admin.id.to_string()).await?;
    transaction!(app, txn => {
        recovery::remove(txn, admin.id).await?;
        if Entity::delete_by_id(admin.id).exec(txn).await?.rows_affected == 0 {
            return Err(Problem::not_found(&["email"]).into());
        }
        let change = Change::new("admin.remove", "admin", admin.id).before(json!({ "email": admin.email }));
        audit::write(txn, app, By::CommandLine, change).await
    })?;
    session::end_for_good(app, &admin.id.to_string()).await
}
