//! Six-digit email codes. The code itself is stored nowhere: it is an HMAC of the mailbox, the purpose and a nonce,
//! and only the nonce is kept, with the tries that are left.

use super::{reset_token, throttle};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    infra::kv::Shelf,
};
use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a code is for; one is not good for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    EmailChange,
    SignUp,
    PasswordReset,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    nonce: String,
    tries_left: u32,
    /// A try does not lengthen its life.
    expires_at: DateTime<Utc>,
}

const CODES: Shelf<Pending> = Shelf::new("code");

/// Veiled: whoever reads the store learns no mailbox.
fn key(app: &App, purpose: Purpose, email: &str) -> String {
    throttle::veiled(app, &format!("code:{purpose:?}:{email}"))
}

fn life(app: &App) -> Duration {
    Duration::from_secs(app.config.auth.code_minutes * 60)
}

/// The six digits, for the mail.
pub fn digits(app: &App, purpose: Purpose, email: &str, nonce: &str) -> String {
    let tag = hmac::sign(&app.tokens.codes, format!("{purpose:?}\n{email}\n{nonce}").as_bytes());
    let number = tag.as_ref().iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// Begins anew: an older code is good no more, nor is a reset token that came of one. Answers the nonce.
pub async fn begin(app: &App, purpose: Purpose, email: &str) -> Result<String> {
    if purpose == Purpose::PasswordReset {
        reset_token::forget(app, email).await?;
    }
    let nonce = app.ids.secret();
    let pending = Pending {
        nonce: nonce.clone(),
        tries_left: app.config.auth.code_tries,
        expires_at: app.clock.now() + life(app),
    };
    CODES.set(&app.kv, &key(app, purpose, email), &pending, Some(life(app))).await?;
    Ok(nonce)
}

/// Whether a code made of this nonce may still be used.
pub async fn is_current(app: &App, purpose: Purpose, email: &str, nonce: &str) -> Result<bool> {
    let kept = CODES.get(&app.kv, &key(app, purpose, email)).await?;
    Ok(kept.is_some_and(|kept| kept.value.nonce == nonce))
}

/// Uses the code up if it is right; counts the try if it is wrong. Who may try at all: `proof`.
pub async fn redeem(app: &App, purpose: Purpose, email: &str, code: &str, path: &[&str]) -> Result<()> {
    let key = key(app, purpose, email);
    loop {
        let Some(kept) = CODES.get(&app.kv, &key).await? else { return Err(expired(path)) };
        let right = digits(app, purpose, email, &kept.value.nonce);
        if subtle::ConstantTimeEq::ct_eq(right.as_bytes(), code.trim().as_bytes()).into() {
            // Of two that come at once, one takes it; and none takes a newer one.
            return if CODES.remove(&app.kv, &key, &kept).await? { Ok(()) } else { Err(expired(path)) };
        }
        let tries_left = kept.value.tries_left.saturating_sub(1);
        let is_counted = if tries_left == 0 {
            CODES.remove(&app.kv, &key, &kept).await?
        } else {
            let left = (kept.value.expires_at - app.clock.now()).to_std().unwrap_or_default();
            let pending = Pending { tries_left, ..kept.value.clone() };
            CODES.replace(&app.kv, &key, &kept, &pending, Some(left)).await?
        };
        if is_counted {
            return Err(wrong(path));
        }
    }
}

/// A code that is under way is good no more.
pub async fn forget(app: &App, purpose: Purpose, email: &str) -> Result<()> {
    CODES.delete(&app.kv, &key(app, purpose, email)).await?;
    Ok(())
}

fn wrong(path: &[&str]) -> Error {
    Problem::new(Code::CodeWrong, path, "인증번호가 올바르지 않습니다.", "The code is wrong.").into()
}

pub fn expired(path: &[&str]) -> Error {
    let ko = "인증번호가 만료되었습니다. 새로 받아 주세요.";
    Problem::new(Code::CodeExpired, path, ko, "The code has expired. Ask for a new one.").into()
}
