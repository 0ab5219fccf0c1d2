//! Access tokens that are good no more before their time: one by one, and all that somebody had until a moment.
//!
//! The list is in the key-value store. Each node also remembers what it wrote or read of it, for as long as a token lives:
//! while the store is away, that is what it goes by. See docs/decisions, "when the key-value store is away".

use super::{over::Over, session, tokens};
use crate::{
    app::App,
    error::Result,
    infra::kv::{KvError, Shelf},
    user::viewer::Token,
};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use std::time::Duration;

/// By the id of a member or an admin. One entry for all that a request with a token must look at.
const OVER: Shelf<Over> = Shelf::new("over");

/// So many of each kind; beyond it the least asked for are forgotten, and only while the store is away that matters.
const MOST_REMEMBERED: u64 = 100_000;

/// How much longer than a token lives its end is remembered: another node's clock may be behind.
const SKEW: Duration = Duration::from_secs(tokens::SKEW.unsigned_abs());
/// The same for what ends refresh tokens, which live for days.
const MARGIN: Duration = Duration::from_secs(24 * 3600);

/// What this node knows by itself.
#[derive(Debug)]
pub struct Memory {
    /// Families.
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
        self.revoked.contains_key(&token.family)
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
    let Some(over) = OVER.get(&app.kv, holder).await?.map(|kept| kept.value) else { return Ok(false) };
    if over.has_ended(token) {
        app.blacklist.revoked.insert(token.family.clone(), ());
    }
    if over.until() > 0 {
        app.blacklist.note_signed_out(holder, over.until());
    }
    Ok(over.is_over(token))
}

/// Ends every token of a family, for as long as one may live: the one that is shown, if any, until `expires_at`.
pub async fn revoke(app: &App, holder: &str, family: &str, expires_at: Option<DateTime<Utc>>) -> Result<()> {
    let life = Duration::from_secs(app.config.auth.access_seconds);
    change(app, holder, |over, now| over.end(family, now, life, expires_at)).await?;
    // After it: a sign-out that failed has changed nothing, and can be tried again with the same token.
    app.blacklist.revoked.insert(family.to_owned(), ());
    Ok(())
}

/// Ends all that this member or admin was given before `until`. What was said for a later moment stays.
pub async fn sign_out(app: &App, holder: &str, until: DateTime<Utc>) -> Result<()> {
    let until = until.timestamp_micros();
    change(app, holder, |over, now| over.sign_out(until, now)).await?;
    app.blacklist.note_signed_out(holder, until);
    Ok(())
}

pub async fn signed_out_at(app: &App, holder: &str) -> Result<DateTime<Utc>> {
    let over = OVER.get(&app.kv, holder).await?.map(|kept| kept.value).unwrap_or_default();
    Ok(DateTime::from_timestamp_micros(over.signed_out).unwrap_or(DateTime::UNIX_EPOCH))
}

/// `change` is false if nothing had to be changed. An answer of the store that was lost is found out so: it is there already.
async fn change(app: &App, holder: &str, change: impl Fn(&mut Over, DateTime<Utc>) -> bool) -> Result<()> {
    loop {
        let kept = OVER.get(&app.kv, holder).await?;
        let mut over = kept.as_ref().map(|kept| kept.value.clone()).unwrap_or_default();
        if !change(&mut over, app.clock.now()) {
            return Ok(());
        }
        let life = Some(life(app, &over));
        let is_written = match &kept {
            Some(kept) => OVER.replace(&app.kv, holder, kept, &over, life).await?,
            None => OVER.set_if_absent(&app.kv, holder, &over, life).await?,
        };
        if is_written {
            return Ok(());
        }
    }
}

/// How long it matters from now on.
fn life(app: &App, over: &Over) -> Duration {
    let last = DateTime::from_timestamp_micros(over.last()).unwrap_or_default();
    let of_tokens = (last - app.clock.now()).to_std().unwrap_or_default();
    // Sessions live for days, and no two clocks are the same.
    let of_sessions = if over.signed_out > 0 { session::refresh_life(app) + MARGIN } else { Duration::ZERO };
    of_tokens.max(of_sessions)
}
