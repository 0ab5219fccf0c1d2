//! Reset tokens: what the code of a password reset is exchanged for, if the new password is asked for on a later page.
//!
//! One for each mailbox, good for one use and ten minutes; its hash alone is stored. It exists only if its code was right,
//! so it says no more about an account than the code does.

use super::{code::Purpose, model, proof::Proof, throttle};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    infra::kv::Shelf,
};
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use std::{net::IpAddr, time::Duration};

/// No `Debug`: it is a secret.
pub struct ResetToken {
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

/// The hash, by mailbox, veiled.
const TOKENS: Shelf<String> = Shelf::new("reset");

fn key(app: &App, email: &str) -> String {
    throttle::veiled(app, &format!("reset:{email}"))
}

fn hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(token.as_bytes()))
}

/// Uses the code up.
pub async fn exchange(
    app: &App,
    email: &str,
    purpose: Purpose,
    email_code: &str,
    address: Option<IpAddr>,
) -> Result<ResetToken> {
    if purpose != Purpose::PasswordReset {
        let ko = "비밀번호 재설정에만 쓸 수 있습니다.";
        return Err(Problem::new(Code::Invalid, &["purpose"], ko, "Only a password reset has two steps.").into());
    }
    let email = model::normal_email(email);
    let proof = Proof::of_code(app, &email, address).await?;
    proof.redeem_code(app, purpose, &email, email_code).await?;
    let token = app.ids.secret();
    let life = Duration::from_secs(app.config.auth.reset_minutes * 60);
    TOKENS.set(&app.kv, &key(app, &email), &hash(&token), Some(life)).await?;
    Ok(ResetToken { token, expires_at: app.clock.now() + life })
}

/// Uses the token up, if it is this mailbox's. A wrong one uses up nothing: 256 bits are not guessed.
pub async fn redeem(app: &App, email: &str, token: &str) -> Result<()> {
    let (given, key) = (hash(token), key(app, email));
    let Some(kept) = TOKENS.get(&app.kv, &key).await? else { return Err(expired()) };
    let is_right = bool::from(subtle::ConstantTimeEq::ct_eq(given.as_bytes(), kept.value.as_bytes()));
    // Of two that come at once, one takes it.
    if is_right && TOKENS.remove(&app.kv, &key, &kept).await? { Ok(()) } else { Err(expired()) }
}

/// A token that nobody has used yet is good no more.
pub async fn forget(app: &App, email: &str) -> Result<()> {
    TOKENS.delete(&app.kv, &key(app, email)).await?;
    Ok(())
}

fn expired() -> Error {
    let ko = "재설정 시간이 지났습니다. 인증번호를 새로 받아 주세요.";
    Problem::new(Code::CodeExpired, &["resetToken"], ko, "The reset has expired. Ask for a new code.").into()
}
