//! `adminTotpEnroll`: a secret for the app. Nothing changes until `adminTotpConfirm` shows its first code.

use super::{SECRET_BYTES, generator};
use crate::{
    admin::{
        audit::{self, Actor, Change},
        proof,
    },
    app::App,
    auth::seal,
    error::{Code, Error, Problem, Result},
    transaction,
};
use entity::admin::{Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

/// Shown once.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// In base32, for typing.
    pub secret: String,
    /// For a QR code.
    pub otpauth_url: String,
}

pub async fn enroll(app: &App, by: Actor, password: String) -> Result<Enrolled> {
    let admin = proof::by_password(app, by.admin, password, &["password"]).await?;
    let secret = app.ids.bytes::<SECRET_BYTES>();
    let generator = generator(&secret, &admin.email)?;
    let sealed = seal::seal(&app.tokens, &admin.id.to_string(), app.ids.bytes(), &secret)?;
    transaction!(app, txn => {
        let pending = Entity::update_many()
            .col_expr(Column::TotpPending, Expr::value(Some(sealed.clone())))
            .filter(Column::Id.eq(admin.id))
            .filter(Column::TotpSecret.is_null())
            .exec(txn)
            .await?;
        if pending.rows_affected != 1 {
            return Err(is_on());
        }
        let change = Change::new("admin.totp-enroll", "admin", admin.id);
        let change = change.before(json!({ "isTotpEnabled": false, "isTotpPending": admin.totp_pending.is_some() }));
        audit::write(txn, app, by, change.after(json!({ "isTotpEnabled": false, "isTotpPending": true }))).await
    })?;
    let otpauth_url = generator.to_url().map_err(|error| Error::fault(format!("totp: {error}")))?;
    Ok(Enrolled { secret: generator.secret().to_base32(), otpauth_url })
}

fn is_on() -> Error {
    let ko = "2단계 인증이 이미 켜져 있습니다. 먼저 꺼 주세요.";
    Problem::new(Code::NotAllowed, &[], ko, "The second factor is on already. Turn it off first.").into()
}
