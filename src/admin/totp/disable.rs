//! `adminTotpDisable`: with the password and one more code of the factor that is turned off.

use super::{Factor, recovery, redeem};
use crate::{
    admin::{
        audit::{self, Actor, Change},
        proof,
    },
    app::App,
    error::{Code, Problem, Result},
    transaction,
};
use entity::{
    admin::{Column, Entity},
    ids::AdminId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

pub async fn disable(app: &App, by: Actor, password: String, code: String) -> Result<()> {
    let admin = proof::by_password(app, by.admin, password, &["password"]).await?;
    let Some(sealed) = admin.totp_secret.clone() else {
        let ko = "2단계 인증이 켜져 있지 않습니다.";
        return Err(Problem::new(Code::NotAllowed, &[], ko, "The second factor is not on.").into());
    };
    proof::count(app, admin.id, &["code"]).await?;
    let factor = Factor::told_by(code);
    transaction!(app, txn => {
        redeem(txn, app, by, &admin, &sealed, &factor, &["code"]).await?;
        turn_off(txn, admin.id).await?;
        let change = Change::new("admin.totp-disable", "admin", admin.id);
        let change = change.before(json!({ "isTotpEnabled": true })).after(json!({ "isTotpEnabled": false }));
        audit::write(txn, app, by, change).await
    })?;
    proof::forget(app, admin.id).await
}

/// No secret, none pending, no recovery codes.
pub async fn turn_off(txn: &impl ConnectionTrait, id: AdminId) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::TotpSecret, Expr::value(None::<String>))
        .col_expr(Column::TotpPending, Expr::value(None::<String>))
        .col_expr(Column::TotpStep, Expr::value(None::<i64>))
        .filter(Column::Id.eq(id))
        .exec(txn)
        .await?;
    recovery::remove(txn, id).await
}
