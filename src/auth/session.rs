//! Sessions: an access token to show, a refresh token to get the next one.
//!
//! A refresh token is `family.secret`. The family's row keeps the hash of the present secret; each use replaces it.
//! A secret that is not the present one was used before or stolen: the family ends, for the thief and the owner.

use super::tokens::Claims;
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    user,
    user::viewer::{Member, Viewer},
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use entity::{enums::Role, ids::UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What signing in gives.
#[derive(Clone, Debug)]
pub struct Session {
    pub access_token: String,
    pub expires_at: DateTime<Utc>,
    pub refresh_token: String,
    pub refresh_expires_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Family {
    user: UserId,
    secret_hash: String,
    begun_at: DateTime<Utc>,
}

fn family_key(family: &str) -> String {
    format!("session:{family}")
}

fn hash(secret: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(secret.as_bytes()))
}

fn json(family: &Family) -> Result<String> {
    serde_json::to_string(family).map_err(|error| Error::fault(error.to_string()))
}

fn refresh_life(app: &App) -> Duration {
    Duration::from_secs(app.config.auth.refresh_days * 24 * 3600)
}

/// Begins a family.
pub async fn begin(app: &App, user: UserId, role: Role) -> Result<Session> {
    let (id, secret) = (app.ids.secret(), app.ids.secret());
    let family = Family { user, secret_hash: hash(&secret), begun_at: app.clock.now() };
    app.kv.set(&family_key(&id), &json(&family)?, Some(refresh_life(app))).await?;
    issue(app, user, role, &id, &secret)
}

/// Replaces the refresh token, and gives a new access token.
pub async fn refresh(app: &App, token: &str) -> Result<Session> {
    let (id, secret) = token.split_once('.').ok_or_else(refused)?;
    let key = family_key(id);
    let stored = app.kv.get(&key).await?.ok_or_else(refused)?;
    let family: Family = serde_json::from_str(&stored).map_err(|error| Error::fault(error.to_string()))?;
    let is_present = bool::from(subtle::ConstantTimeEq::ct_eq(hash(secret).as_bytes(), family.secret_hash.as_bytes()));
    if !is_present || family.begun_at < signed_out_at(app, family.user).await? {
        app.kv.delete(&key).await?;
        return Err(refused());
    }
    let user = user::query::by_id(app.db.reads(), family.user).await?.filter(|user| user.withdrawn_at.is_none());
    let user = user.ok_or_else(refused)?;
    let next = app.ids.secret();
    let renewed = Family { secret_hash: hash(&next), ..family };
    if !app.kv.compare_and_set(&key, &stored, &json(&renewed)?, Some(refresh_life(app))).await? {
        // Somebody else used the same token in this very moment: that is reuse.
        app.kv.delete(&key).await?;
        return Err(refused());
    }
    issue(app, user.id, user.role, id, &next)
}

/// Ends this session, or all of this person's.
pub async fn end(app: &App, member: &Member, everywhere: bool) -> Result<()> {
    let left = (member.expires_at - app.clock.now()).to_std().unwrap_or_default() + Duration::from_secs(1);
    app.kv.set(&format!("revoked:{}", member.token_id), "", Some(left)).await?;
    app.kv.delete(&family_key(&member.family)).await?;
    if everywhere {
        let now = app.clock.now().timestamp_micros().to_string();
        app.kv.set(&format!("signed-out:{}", member.id), &now, Some(refresh_life(app))).await?;
    }
    Ok(())
}

/// Who shows this access token; `Err(Unauthenticated)` for one that is not valid now.
pub async fn admit(app: &App, token: &str) -> Result<Viewer> {
    let claims = app.tokens.check(token, app.clock.now()).ok_or(Error::Unauthenticated)?;
    let id: UserId = claims.sub.parse().map_err(|_| Error::Unauthenticated)?;
    if app.kv.get(&format!("revoked:{}", claims.jti)).await?.is_some() {
        return Err(Error::Unauthenticated);
    }
    let issued = DateTime::from_timestamp_micros(claims.iat_us).ok_or(Error::Unauthenticated)?;
    if issued < signed_out_at(app, id).await? {
        return Err(Error::Unauthenticated);
    }
    let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(Error::Unauthenticated)?;
    Ok(Viewer::Member(Member { id, role: claims.role, token_id: claims.jti, family: claims.sid, expires_at }))
}

async fn signed_out_at(app: &App, user: UserId) -> Result<DateTime<Utc>> {
    let stored = app.kv.get(&format!("signed-out:{user}")).await?;
    let micros = stored.and_then(|micros| micros.parse().ok());
    Ok(micros.and_then(DateTime::from_timestamp_micros).unwrap_or(DateTime::UNIX_EPOCH))
}

fn issue(app: &App, user: UserId, role: Role, family: &str, secret: &str) -> Result<Session> {
    let now = app.clock.now();
    let seconds = i64::try_from(app.config.auth.access_seconds).unwrap_or(900);
    let days = i64::try_from(app.config.auth.refresh_days).unwrap_or(14);
    // Whole seconds, as the token carries them.
    let expires_at = DateTime::from_timestamp((now + TimeDelta::seconds(seconds)).timestamp(), 0).unwrap_or(now);
    let claims = Claims {
        iss: String::new(),
        aud: String::new(),
        sub: user.to_string(),
        jti: app.ids.secret(),
        iat: now.timestamp(),
        iat_us: now.timestamp_micros(),
        exp: expires_at.timestamp(),
        role,
        token_use: String::new(),
        sid: family.to_owned(),
    };
    let access_token = app.tokens.sign(claims).map_err(|error| Error::fault(error.to_string()))?;
    let refresh_token = format!("{family}.{secret}");
    Ok(Session { access_token, expires_at, refresh_token, refresh_expires_at: now + TimeDelta::days(days) })
}

fn refused() -> Error {
    let ko = "세션이 만료되었습니다. 다시 로그인해 주세요.";
    Problem::new(Code::WrongCredentials, &["refreshToken"], ko, "The session has ended. Sign in again.").into()
}
