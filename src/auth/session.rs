//! Sessions: an access token to show, a refresh token to get the next one.
//!
//! A refresh token is `family.secret`. The family's row keeps the hash of the present secret; each use replaces it.
//! A secret that is not the present one was used before or stolen: the family ends, for the thief and the owner.

use super::{
    blacklist::{self, Standing},
    tokens::Claims,
};
use crate::{
    admin,
    app::App,
    error::{Code, Error, Fault, Problem, Result},
    infra::kv::{Kept, Shelf},
    user,
    user::viewer::{AdminSession, Member, Token, Viewer},
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use entity::{
    enums::Role,
    ids::{AdminId, UserId},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What signing in gives.
#[derive(Clone)]
pub struct Session {
    pub access_token: String,
    pub expires_at: DateTime<Utc>,
    pub refresh_token: String,
    pub refresh_expires_at: DateTime<Utc>,
}

/// Without the tokens: whoever reads a log must not be able to go on with it.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Whose session it is. The two kinds never meet: each has a table, a sign-in and a use of tokens of its own.
#[derive(Clone, Copy, Debug)]
pub enum Holder {
    Member(UserId, Role),
    Admin(AdminId),
}

impl Holder {
    fn id(self) -> String {
        match self {
            Self::Member(id, _) => id.to_string(),
            Self::Admin(id) => id.to_string(),
        }
    }

    /// As they are now: a role may have changed, an account may be gone.
    async fn of(app: &App, id: &str) -> Result<Option<Self>> {
        if let Ok(id) = id.parse::<UserId>() {
            let user = user::query::by_id(app.db.reads(), id).await?.filter(|user| user.withdrawn_at.is_none());
            return Ok(user.map(|user| Self::Member(user.id, user.role)));
        }
        let Ok(id) = id.parse::<AdminId>() else { return Ok(None) };
        Ok(admin::query::by_id(app.db.reads(), id).await?.map(|admin| Self::Admin(admin.id)))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Family {
    /// A member's or an admin's id.
    holder: String,
    secret_hash: String,
    begun_at: DateTime<Utc>,
}

const FAMILIES: Shelf<Family> = Shelf::new("session");

fn hash(secret: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(secret.as_bytes()))
}

pub(super) fn refresh_life(app: &App) -> Duration {
    Duration::from_secs(app.config.auth.refresh_days * 24 * 3600)
}

/// Begins a family. The holder is read again once it is there: a role that changed meanwhile is the one the token tells,
/// and what changes later ends it.
pub async fn begin(app: &App, holder: Holder) -> Result<Session> {
    let now = app.clock.now();
    let (id, secret) = (app.ids.secret(), app.ids.secret());
    let family = Family { holder: holder.id(), secret_hash: hash(&secret), begun_at: now };
    FAMILIES.set(&app.kv, &id, &family, Some(refresh_life(app))).await?;
    let Some(holder) = Holder::of(app, &family.holder).await? else {
        FAMILIES.delete(&app.kv, &id).await?;
        return Err(Error::Unauthenticated);
    };
    issue(app, holder, &id, &secret, now)
}

/// Replaces the refresh token, and gives a new access token.
pub async fn refresh(app: &App, token: &str) -> Result<Session> {
    // Before anything is read: what ends the session from here on is later than the token that comes of it.
    let now = app.clock.now();
    let (id, secret) = token.split_once('.').ok_or_else(refused)?;
    let kept = FAMILIES.get(&app.kv, id).await?.ok_or_else(refused)?;
    let family = &kept.value;
    if !is_good(app, id, family, secret) || family.begun_at < blacklist::signed_out_at(app, &family.holder).await? {
        end_family(app, &family.holder, id, None).await?;
        return Err(refused());
    }
    let holder = Holder::of(app, &family.holder).await?.ok_or_else(refused)?;
    let next = app.ids.secret();
    let renewed = Family { secret_hash: hash(&next), ..family.clone() };
    if !replace(app, id, &hash(secret), &kept, &renewed).await? {
        // Somebody else used the same token in this very moment: that is reuse.
        end_family(app, &family.holder, id, None).await?;
        return Err(refused());
    }
    issue(app, holder, id, &next, now)
}

/// Writes the family's next secret. A store whose answer is lost may have written it: the token that asked then stays good
/// at this node, for nobody was given the next one.
async fn replace(app: &App, id: &str, shown: &str, kept: &Kept<Family>, renewed: &Family) -> Result<bool> {
    let replaced = FAMILIES.replace(&app.kv, id, kept, renewed, Some(refresh_life(app))).await;
    let is_written = match replaced {
        Ok(true) => Ok(true),
        // Sent twice on the way, and done the first time.
        Ok(false) => {
            let present = FAMILIES.get(&app.kv, id).await;
            present.map(|now| now.is_some_and(|now| now.value.secret_hash == renewed.secret_hash))
        }
        Err(error) => Err(error),
    };
    is_written.map_err(|error| {
        app.doubts.remember(id, shown, &renewed.secret_hash);
        Fault::StoreInDoubt(error).into()
    })
}

/// The present one, or the one that asked when an answer of the store was lost.
fn is_good(app: &App, id: &str, family: &Family, secret: &str) -> bool {
    is_present(family, secret) || app.doubts.has(id, &hash(secret), &family.secret_hash)
}

fn is_present(family: &Family, secret: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(hash(secret).as_bytes(), family.secret_hash.as_bytes()).into()
}

/// The refresh token is good no more, nor is any access token that came with it. If an access token asks, it is what can
/// ask again if one of the two fails, and is ended last; otherwise the refresh token is, which then must find its family.
pub(super) async fn end_family(app: &App, holder: &str, family: &str, asking: Option<DateTime<Utc>>) -> Result<()> {
    if asking.is_none() {
        blacklist::revoke(app, holder, family, None).await?;
    }
    FAMILIES.delete(&app.kv, family).await?;
    match asking {
        Some(expires_at) => blacklist::revoke(app, holder, family, Some(expires_at)).await,
        None => Ok(()),
    }
}

/// Whose family a refresh token is of, and whether its secret is the present one; `None` if it has ended.
pub(super) async fn holder_of(app: &App, token: &str) -> Result<Option<Shown>> {
    let Some((id, secret)) = token.split_once('.') else { return Ok(None) };
    let kept = FAMILIES.get(&app.kv, id).await?;
    Ok(kept.map(|kept| {
        let is_present = is_good(app, id, &kept.value, secret);
        Shown { family: id.to_owned(), holder: kept.value.holder, is_present }
    }))
}

/// What a refresh token says.
pub(super) struct Shown {
    pub family: String,
    pub holder: String,
    /// False for one that was used before or stolen.
    pub is_present: bool,
}

/// Ends every session of this member or admin, and refuses each token that a sign-in under way may still issue. For accounts
/// that are gone: as long as a refresh token lives, by when no sign-in that began before is left.
pub async fn end_for_good(app: &App, holder: &str) -> Result<()> {
    blacklist::sign_out(app, holder, app.clock.now() + refresh_life(app)).await
}

/// Ends every session of this member or admin that began before now.
pub async fn end_all(app: &App, holder: &str) -> Result<()> {
    end_before(app, holder, app.clock.now()).await
}

/// Ends every session that began before `moment`, and refuses every token that was issued before it. What was said for a
/// later moment stays.
pub async fn end_before(app: &App, holder: &str, moment: DateTime<Utc>) -> Result<()> {
    blacklist::sign_out(app, holder, moment).await
}

/// Ends a session that was given to nobody yet.
pub async fn abandon(app: &App, session: &Session) -> Result<()> {
    if let Some((family, _)) = session.refresh_token.split_once('.') {
        FAMILIES.delete(&app.kv, family).await?;
    }
    Ok(())
}

/// When its holder signed in; refreshing does not change it. `None` if it has ended.
pub async fn begun_at(app: &App, family: &str) -> Result<Option<DateTime<Utc>>> {
    Ok(FAMILIES.get(&app.kv, family).await?.map(|kept| kept.value.begun_at))
}

/// Who shows this access token; `Err(Unauthenticated)` for one that is not valid now.
pub async fn admit(app: &App, token: &str) -> Result<Viewer> {
    let seen = app.tokens.check(token, app.clock.now()).ok_or(Error::Unauthenticated)?;
    let viewer = viewer_of(&seen.claims).ok_or(Error::Unauthenticated)?;
    readmit(app, &viewer).await?;
    Ok(viewer)
}

fn viewer_of(claims: &Claims) -> Option<Viewer> {
    let expires_at = DateTime::from_timestamp(claims.exp, 0)?;
    let token = Token { family: claims.sid.clone(), issued_at: claims.iat_us, expires_at };
    Some(match claims.role {
        Some(role) => Viewer::Member(Member { id: claims.sub.parse().ok()?, role, token }),
        None => Viewer::Admin(AdminSession { id: claims.sub.parse().ok()?, token }),
    })
}

/// Whether who was admitted before still would be: sockets and streams outlive what opened them by minutes.
pub async fn readmit(app: &App, viewer: &Viewer) -> Result<()> {
    let (Some(holder), Some(token)) = (viewer.account(), viewer.token()) else { return Ok(()) };
    if token.expires_at <= app.clock.now() {
        return Err(Error::Unauthenticated);
    }
    match blacklist::standing(app, &holder, token).await {
        Standing::Good => Ok(()),
        Standing::Over => Err(Error::Unauthenticated),
        // A member's token is good for minutes; an admin's can do harm in one.
        Standing::Unknown if viewer.member().is_some() => Ok(()),
        Standing::Unknown => Err(Error::Unavailable("the blacklist cannot be read".to_owned())),
    }
}

/// `now` is from before anything was read that the token tells.
fn issue(app: &App, holder: Holder, family: &str, secret: &str, now: DateTime<Utc>) -> Result<Session> {
    let seconds = i64::try_from(app.config.auth.access_seconds).unwrap_or(900);
    let days = i64::try_from(app.config.auth.refresh_days).unwrap_or(14);
    // Whole seconds, as the token carries them.
    let expires_at = DateTime::from_timestamp((now + TimeDelta::seconds(seconds)).timestamp(), 0).unwrap_or(now);
    let claims = Claims {
        iss: String::new(),
        aud: String::new(),
        sub: holder.id(),
        jti: app.ids.secret(),
        iat: now.timestamp(),
        iat_us: now.timestamp_micros(),
        exp: expires_at.timestamp(),
        role: match holder {
            Holder::Member(_, role) => Some(role),
            Holder::Admin(_) => None,
        },
        token_use: String::new(),
        sid: family.to_owned(),
    };
    let access_token = app.tokens.sign(claims, now).map_err(|error| Error::fault(error.to_string()))?;
    let refresh_token = format!("{family}.{secret}");
    Ok(Session { access_token, expires_at, refresh_token, refresh_expires_at: now + TimeDelta::days(days) })
}

fn refused() -> Error {
    let ko = "세션이 만료되었습니다. 다시 로그인해 주세요.";
    Problem::new(Code::WrongCredentials, &["refreshToken"], ko, "The session has ended. Sign in again.").into()
}
