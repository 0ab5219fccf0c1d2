//! Access tokens: JWT signed with Ed25519 (RFC 9068's `at+jwt`).
//!
//! Only one shape is believed: `alg` EdDSA, `typ` `at+jwt`, a `kid` of our own keys, our issuer and audience, the use
//! `access`, issued in the past and expiring in the future of the injected clock. The keys are in [`super::keys`]; a
//! rotation is seen at the first token with an unknown `kid`, and within a minute.

use super::keys::{self, Ring};
use crate::config::AuthSettings;
use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::Role;
use jsonwebtoken::{Algorithm, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The member's or the admin's id.
    pub sub: String,
    pub jti: String,
    pub iat: i64,
    /// When it was issued, in microseconds: "sign out everywhere" tells a moment before from a moment after.
    pub iat_us: i64,
    pub exp: i64,
    /// A member's; an admin has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub token_use: String,
    /// The refresh token's family.
    pub sid: String,
}

const ACCESS: &str = "access";
const KIND: &str = "at+jwt";
/// Ours have about 700 characters; nothing longer is parsed.
const MOST_CHARACTERS: usize = 2_048;
/// How much the clocks of two nodes may differ.
pub(super) const SKEW: i64 = 60;
/// Checking a signature costs a tenth of a short request; the tokens of so many sessions are remembered.
const MOST_SEEN: u64 = 20_000;
/// How often the folder is looked at anyway, and how often at most.
const LOOK: TimeDelta = TimeDelta::seconds(60);
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(2);

/// Signs and checks.
pub struct Tokens {
    folder: PathBuf,
    life: TimeDelta,
    ring: RwLock<Arc<Ring>>,
    /// By the injected clock, like everything that a token is asked for.
    looked_at: Mutex<DateTime<Utc>>,
    /// Makes email codes: see `code`.
    pub(super) codes: hmac::Key,
    issuer: String,
    audience: String,
    /// Tokens whose signature was right, by their digest. Whether their key still counts and their time is now is asked anew.
    seen: Cache<[u8; 32], Arc<Seen>>,
}

/// What was read of a token, and with which key.
pub(super) struct Seen {
    kid: String,
    pub claims: Claims,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// The longest that an access token lives.
pub fn life(settings: &AuthSettings) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(settings.access_seconds).unwrap_or(900))
}

impl Tokens {
    /// Reads the keys, or makes them on the first start.
    pub fn load(folder: &Path, settings: &AuthSettings) -> Result<Self, String> {
        let life = life(settings);
        Ok(Self {
            folder: folder.to_owned(),
            life,
            ring: RwLock::new(Arc::new(Ring::load(folder, life)?)),
            // The first who asks looks again: what was made while this node started is seen.
            looked_at: Mutex::new(DateTime::UNIX_EPOCH),
            codes: hmac::Key::new(hmac::HMAC_SHA256, &keys::codes(folder)?),
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            seen: Cache::new(MOST_SEEN),
        })
    }

    pub(super) fn sign(&self, mut claims: Claims, now: DateTime<Utc>) -> Result<String, jsonwebtoken::errors::Error> {
        claims.iss.clone_from(&self.issuer);
        claims.aud.clone_from(&self.audience);
        ACCESS.clone_into(&mut claims.token_use);
        let ring = self.ring(LOOK, now);
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(KIND.to_owned());
        header.kid = Some(ring.signing_kid.clone());
        jsonwebtoken::encode(&header, &claims, &ring.signing)
    }

    /// `None` for whatever is not a valid access token of ours at this moment.
    pub(super) fn check(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Seen>> {
        if token.len() > MOST_CHARACTERS {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let seen = match self.seen.get(&digest) {
            Some(seen) if self.ring(LOOK, now).checking(&seen.kid, now).is_some() => seen,
            _ => {
                let read = Arc::new(self.read(token, now)?);
                self.seen.insert(digest, Arc::clone(&read));
                read
            }
        };
        let is_now = seen.claims.exp > now.timestamp() && seen.claims.iat <= now.timestamp() + SKEW;
        is_now.then_some(seen)
    }

    /// What a token of ours says, at whatever time.
    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<Seen> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(KIND) {
            return None;
        }
        let kid = header.kid?;
        let mut ring = self.ring(LOOK, now);
        if ring.checking(&kid, now).is_none() {
            ring = self.ring(LOOK_AGAIN, now);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, ring.checking(&kid, now)?, &self.rules()).ok()?.claims;
        (claims.token_use == ACCESS).then_some(Seen { kid, claims })
    }

    /// Time is compared with the injected clock, not with the library's.
    fn rules(&self) -> Validation {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.validate_exp = false;
        rules
    }

    /// The public halves, for whoever else checks our tokens.
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        self.ring(LOOK, now).jwks(now)
    }

    /// As it was at most `age` ago. A folder that cannot be read now changes nothing.
    fn ring(&self, age: TimeDelta, now: DateTime<Utc>) -> Arc<Ring> {
        if self.is_due(age, now) {
            match Ring::load(&self.folder, self.life) {
                Ok(ring) => *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring),
                Err(error) => tracing::error!(%error, "auth.keys_dir: the keys stay as they were"),
            }
        }
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_due(&self, age: TimeDelta, now: DateTime<Utc>) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not keep a node from looking.
        let is_due = (now - *looked_at).abs() >= age;
        if is_due {
            *looked_at = now;
        }
        is_due
    }
}
