//! `adminPasswordChange`: needs the old one; every other session ends.

use super::{
    audit::{self, Actor, Change},
    proof,
};
use crate::{
    app::App,
    auth::{
        model, password,
        session::{self, Holder, Session},
    },
    error::{Error, Problems, Result},
    transaction,
};
use entity::{
    PasswordHash,
    admin::{Column, Entity},
    ids::AdminId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

/// A session to go on with.
pub async fn change(app: &App, by: Actor, current: String, new: String) -> Result<Session> {
    let mut problems = Problems::default();
    model::password(&mut problems, &["newPassword"], &new);
    problems.check()?;
    let admin = proof::by_password(app, by.admin, current, &["currentPassword"]).await?;
    let hash = password::hash(app, new).await?;
    // Before, so that a crash between the two leaves no old session under the new password; after, for a sign-in with the
    // old one in between.
    session::end_all(app, &admin.id.to_string()).await?;
    transaction!(app, txn => {
        if !set(txn, admin.id, Some(&admin.password_hash), &hash).await? {
            return Err(Error::Unauthenticated);
        }
        // Whether it is another than before is all that may be said of a password.
        let change = Change::new("admin.password-change", "admin", admin.id);
        audit::write(txn, app, by, change.after(json!({ "isPasswordChanged": true }))).await
    })?;
    session::end_all(app, &admin.id.to_string()).await?;
    session::begin(app, Holder::Admin(admin.id)).await
}

/// True if the account is there, with that password if one is given.
pub async fn set(
    txn: &impl ConnectionTrait,
    id: AdminId,
    old: Option<&PasswordHash>,
    new: &PasswordHash,
) -> Result<bool> {
    let mut update =
        Entity::update_many().col_expr(Column::PasswordHash, Expr::value(new.clone())).filter(Column::Id.eq(id));
    if let Some(old) = old {
        update = update.filter(Column::PasswordHash.eq(old.clone()));
    }
    Ok(update.exec(txn).await?.rows_affected == 1)
}
