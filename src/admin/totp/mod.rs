//! The second factor of an admin, as an option: time-based codes (RFC 6238), and recovery codes for when the device is lost.
//!
//! Always: a secret is shown once, when it is made, and kept sealed; it counts only after its first code was shown (`confirm`);
//! a time step is used once, by compare-and-set on the admin's row; a recovery code is used once, by removing its row; every
//! change is a row of the audit log in the same transaction. `confirm` uses its step, so that its code signs nobody in.

pub mod confirm;
pub mod disable;
pub mod enroll;
pub mod recovery;

use super::audit::{self, Actor, Change};
use crate::{
    app::App,
    auth::seal,
    error::{Code, Error, Problem, Result},
};
use entity::{
    admin::{Column, Entity, Model},
    ids::AdminId,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use totp_rs::{Builder, Totp};

/// As RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// Six digits, 30 seconds, SHA-1, one step of tolerance on either side: what authenticator apps take for granted.
fn generator(secret: &[u8], email: &str) -> Result<Totp> {
    let builder = Builder::new().with_secret(secret).with_issuer(Some("Spotlight Space")).with_skew(1);
    // A colon would end the account's name in the address.
    builder.with_account_name(email.replace(':', "")).build().map_err(|error| Error::fault(format!("totp: {error}")))
}

/// The time step of this code, if it is one of now.
fn step_of(app: &App, admin: &Model, sealed: &str, code: &str) -> Result<Option<i64>> {
    let secret = seal::open(&app.tokens, &admin.id.to_string(), sealed)?;
    let now = u64::try_from(app.clock.now().timestamp()).unwrap_or_default();
    let step = generator(&secret, &admin.email)?.check(code.trim(), now);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// True if the step was newer than every one before it, and is now the last.
async fn use_step(txn: &impl ConnectionTrait, id: AdminId, sealed: &str, step: i64) -> Result<bool> {
    let used = Entity::update_many()
        .col_expr(Column::TotpStep, Expr::value(step))
        .filter(Column::Id.eq(id))
        .filter(Column::TotpSecret.eq(sealed))
        .filter(Condition::any().add(Column::TotpStep.is_null()).add(Column::TotpStep.lt(step)))
        .exec(txn)
        .await?;
    Ok(used.rows_affected == 1)
}

/// What an admin shows besides the password.
#[derive(Clone, Debug)]
pub enum Factor {
    Totp(String),
    Recovery(String),
}

impl Factor {
    /// Six digits are the app's, anything else is a recovery code.
    pub fn told_by(text: String) -> Self {
        let is_totp = text.trim().len() == 6 && text.trim().bytes().all(|byte| byte.is_ascii_digit());
        if is_totp { Self::Totp(text) } else { Self::Recovery(text) }
    }
}

/// Uses the factor up, or refuses it; `sealed` is the secret that the admin's row had when it was read.
pub async fn redeem(
    txn: &impl ConnectionTrait,
    app: &App,
    by: Actor,
    admin: &Model,
    sealed: &str,
    factor: &Factor,
    path: &[&str],
) -> Result<()> {
    let is_right = match factor {
        Factor::Totp(code) => match step_of(app, admin, sealed, code)? {
            Some(step) => use_step(txn, admin.id, sealed, step).await?,
            None => false,
        },
        Factor::Recovery(code) => {
            let is_right = recovery::redeem(txn, admin.id, code).await?;
            if is_right {
                let left = recovery::count(txn, admin.id).await?;
                let change = Change::new("admin.recovery-code-use", "admin", admin.id);
                let change = change.before(json!({ "left": left + 1 })).after(json!({ "left": left }));
                audit::write(txn, app, by, change).await?;
            }
            is_right
        }
    };
    if is_right { Ok(()) } else { Err(wrong(path)) }
}

fn wrong(path: &[&str]) -> Error {
    let ko = "인증번호가 올바르지 않거나 이미 사용되었습니다.";
    Problem::new(Code::CodeWrong, path, ko, "The code is wrong, or was used already.").into()
}
