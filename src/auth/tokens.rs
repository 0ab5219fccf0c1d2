//! Access tokens: JWT signed with Ed25519, and the secrets behind them.
//!
//! On the first start the key pair is made and kept in the data folder, readable by its owner only. The moment of
//! expiry is compared with the injected clock, not with the library's.

use crate::config::AuthSettings;
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use chrono::{DateTime, Utc};
use entity::enums::Role;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

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

/// Signs and checks.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    /// Makes email codes: see `code`.
    pub(super) codes: hmac::Key,
    issuer: String,
    audience: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Reads the keys, or makes them on the first start.
    pub fn load(folder: &Path, settings: &AuthSettings) -> Result<Self, String> {
        let pkcs8 = secret_file(&folder.join("token.ed25519"), || {
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map(|document| document.as_ref().to_vec())
                .map_err(|error| error.to_string())
        })?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|error| format!("token.ed25519: {error}"))?;
        let codes = secret_file(&folder.join("codes.hmac"), || {
            let mut bytes = vec![0; 32];
            aws_lc_rs::rand::fill(&mut bytes).map_err(|error| error.to_string())?;
            Ok(bytes)
        })?;
        Ok(Self {
            signing: EncodingKey::from_ed_der(&pkcs8),
            checking: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            codes: hmac::Key::new(hmac::HMAC_SHA256, &codes),
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
        })
    }

    pub(super) fn sign(&self, mut claims: Claims) -> Result<String, jsonwebtoken::errors::Error> {
        claims.iss.clone_from(&self.issuer);
        claims.aud.clone_from(&self.audience);
        ACCESS.clone_into(&mut claims.token_use);
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.signing)
    }

    /// `None` for whatever is not a valid access token of ours at this moment.
    pub(super) fn check(&self, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &rules).ok()?.claims;
        (claims.token_use == ACCESS && claims.exp > now.timestamp()).then_some(claims)
    }
}

fn secret_file(path: &Path, make: impl FnOnce() -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        return fs::read(path).map_err(told);
    }
    let bytes = make()?;
    // Written whole under another name first: a crash leaves no half of a key.
    let half = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half).map_err(told)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&half, path)).map_err(told)?;
    Ok(bytes)
}
