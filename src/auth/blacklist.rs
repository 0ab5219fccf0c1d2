//! Access tokens that are good no more before their time: one by one, and all that somebody had until a moment.
//!
//! The list is in the key-value store. Each node also remembers what it wrote or read of it, for as long as a token lives:
//! while the store is away, that is what it goes by. See docs/decisions, "when the key-value store is away".

use super::tokens;
use crate::{
    app::App,
    error::Result,
    infra::kv::{KvError, Shelf},
    user::viewer::Token,
};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use std::time::Duration;

/// By the id of a token, or of its family.
const REVOKED: Shelf<()> = Shelf::new("revoked");
/// Until when everything was signed out, in microseconds since 1970.
const SIGNED_OUT: Shelf<i64> = Shelf::new("signed-out");

/// So many of each kind; beyond it the least asked for are forgotten, and only while the store is away that matters.
const MOST_REMEMBERED: u64 = 100_000;

/// How much longer than a token lives its end is remembered: another node's clock may be behind.
const SKEW: Duration = Duration::from_secs(tokens::SKEW.unsigned_abs());
/// The same for what ends refresh tokens, which live for days.
const MARGIN: Duration = Duration::from_secs(24 * 3600);

/// What this node knows by itself.
#[derive(Debug)]
pub struct Memory {
    revoked: Cache<String, ()>,
    signed_out: Cache<String, i64>,
}

impl Memory {
    /// For as long as an access token lives, by whichever node's clock.
    pub fn new(life: Duration) -> Self {
        let life = life + SKEW;
        let revoked = Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(life).build();
        Self { revoked, signed_out: Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(life).build() }
    }

    /// The latest moment that was ever said: an answer of the store may be older than what this node wrote since.
    fn note_signed_out(&self, holder: &str, until: i64) {
        let memory = self.signed_out.entry_by_ref(holder);
        memory.and_upsert_with(|known| known.map_or(until, |known| until.max(known.into_value())));
    }

    fn is_over(&self, holder: &str, token: &Token) -> bool {
        self.revoked.contains_key(&token.id)
            || self.revoked.contains_key(&token.family)
            || self.signed_out.get(holder).is_some_and(|until| token.issued_at < until)
    }
}

/// What the list says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    Over,
    /// The list cannot be read, and this node knows nothing against it.
    Unknown,
}

/// `holder` is the member's or the admin's id.
pub async fn standing(app: &App, holder: &str, token: &Token) -> Standing {
    // What this node knows counts even when the store has lost it.
    match listed(app, holder, token).await {
        _ if app.blacklist.is_over(holder, token) => Standing::Over,
        Ok(false) => Standing::Good,
        Ok(true) => Standing::Over,
        Err(error) => {
            tracing::warn!(%error, "the blacklist cannot be read");
            Standing::Unknown
        }
    }
}

async fn listed(app: &App, holder: &str, token: &Token) -> Result<bool, KvError> {
    let (revoked, ended, signed_out) = futures_util::try_join!(
        REVOKED.get(&app.kv, &token.id),
        REVOKED.get(&app.kv, &token.family),
        SIGNED_OUT.get(&app.kv, holder)
    )?;
    if revoked.is_some() || ended.is_some() {
        app.blacklist.revoked.insert(token.id.clone(), ());
        return Ok(true);
    }
    let Some(until) = signed_out.map(|kept| kept.value) else { return Ok(false) };
    app.blacklist.note_signed_out(holder, until);
    Ok(token.issued_at < until)
}

/// Ends one token.
pub async fn revoke(app: &App, token_id: &str, expires_at: DateTime<Utc>) -> Result<()> {
    let left = (expires_at - app.clock.now()).to_std().unwrap_or_default() + SKEW;
    REVOKED.set(&app.kv, token_id, &(), Some(left)).await?;
    // After it: a sign-out that failed has changed nothing, and can be tried again with the same token.
    app.blacklist.revoked.insert(token_id.to_owned(), ());
    Ok(())
}

/// Ends every token of a family, for as long as one may live.
pub async fn revoke_family(app: &App, family: &str) -> Result<()> {
    let life = Duration::from_secs(app.config.auth.access_seconds) + SKEW;
    REVOKED.set(&app.kv, family, &(), Some(life)).await?;
    app.blacklist.revoked.insert(family.to_owned(), ());
    Ok(())
}

/// Ends all that this member or admin was given before `until`. What was said for a later moment stays. `life` is that of
/// what it ends; it is remembered for longer, because no two clocks are the same.
pub async fn sign_out(app: &App, holder: &str, until: DateTime<Utc>, life: Duration) -> Result<()> {
    let life = life + MARGIN;
    let until = until.timestamp_micros();
    loop {
        let is_written = match SIGNED_OUT.get(&app.kv, holder).await? {
            Some(kept) if kept.value >= until => true,
            Some(kept) => SIGNED_OUT.replace(&app.kv, holder, &kept, &until, Some(life)).await?,
            None => SIGNED_OUT.set_if_absent(&app.kv, holder, &until, Some(life)).await?,
        };
        if is_written {
            app.blacklist.note_signed_out(holder, until);
            return Ok(());
        }
    }
}

pub async fn signed_out_at(app: &App, holder: &str) -> Result<DateTime<Utc>> {
    let until = SIGNED_OUT.get(&app.kv, holder).await?.map(|kept| kept.value);
    Ok(until.and_then(DateTime::from_timestamp_micros).unwrap_or(DateTime::UNIX_EPOCH))
}
