//! `adminTotpConfirm`: the first code of the pending secret turns it on. Every session from before ends: whoever had one by
//! the password alone needs both from now on.

use super::{recovery, step_of, wrong};
use crate::{
    admin::{
        audit::{self, Actor, Change},
        proof,
    },
    app::App,
    auth::session::{self, Holder, Session},
    error::{Code, Problem, Result},
    transaction,
};
use entity::{
    admin::{Column, Entity},
    ids::AdminId,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

/// The recovery codes, shown once, and a session to go on with.
pub async fn confirm(app: &App, by: Actor, code: &str) -> Result<(Vec<String>, Option<Session>)> {
    let path = &["code"];
    let admin = proof::present(app, by.admin).await?;
    let Some(pending) = admin.totp_pending.clone() else {
        let ko = "먼저 2단계 인증을 등록해 주세요.";
        return Err(Problem::new(Code::NotAllowed, path, ko, "Enroll first.").into());
    };
    proof::count(app, admin.id, path).await?;
    let step = step_of(app, &admin, &pending, code)?.ok_or_else(|| wrong(path))?;
    let (codes, holder) = (recovery::fresh(&app.ids), admin.id.to_string());
    // Before, for a crash between the two; after, for a sign-in without a code in between.
    session::end_all(app, &holder).await?;
    transaction!(app, txn => {
        let turned_on = Entity::update_many()
            .col_expr(Column::TotpSecret, Expr::value(Some(pending.clone())))
            .col_expr(Column::TotpPending, Expr::value(None::<String>))
            .col_expr(Column::TotpStep, Expr::value(Some(step)))
            .filter(Column::Id.eq(admin.id))
            .filter(Column::TotpPending.eq(pending.as_str()))
            .exec(txn)
            .await?;
        if turned_on.rows_affected != 1 {
            return Err(wrong(path));
        }
        recovery::replace(txn, admin.id, &codes).await?;
        let change = Change::new("admin.totp-confirm", "admin", admin.id);
        let change = change.before(json!({ "isTotpEnabled": false })).after(json!({ "isTotpEnabled": true }));
        audit::write(txn, app, by, change).await
    })?;
    // The codes are shown now or never: if the store is away, the admin signs in again with the first of them.
    let session = anew(app, &holder, admin.id).await;
    let session =
        session.inspect_err(|error| tracing::warn!(%error, "a second factor is on, and no session begun")).ok();
    Ok((codes, session))
}

/// No session that the password alone began is left, and a new one begins.
async fn anew(app: &App, holder: &str, id: AdminId) -> Result<Session> {
    session::end_all(app, holder).await?;
    proof::forget(app, id).await?;
    session::begin(app, Holder::Admin(id)).await
}
