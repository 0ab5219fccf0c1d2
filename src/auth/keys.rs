//! The keys behind the tokens, as files of one folder: `token.ed25519` from the first start, `token-<unix seconds>.ed25519`
//! from every rotation, `codes.hmac` for email codes and for what is sealed.
//!
//! The newest signs. An older one still checks what it signed, until the last such token has run out ([`Ring::load`]); then
//! its file may go ([`prune`]). Several nodes share the folder, or copies of it. A key that others may read is refused: it
//! signs for whoever has it.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

const FIRST: &str = "token.ed25519";
/// Beyond a token's own life: until every node has seen a rotation, and for clocks that differ.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// One pair.
pub struct Key {
    /// RFC 7638: the hash of the public key.
    pub kid: String,
    /// When it was made, in seconds since 1970; 0 for the first.
    pub made_at: i64,
    /// When nothing that it signed is valid any more; `None` for the one that signs.
    pub ends_at: Option<DateTime<Utc>>,
    path: PathBuf,
    public: Vec<u8>,
    pub(super) checking: DecodingKey,
}

/// All of them, oldest first; the last one signs.
pub struct Ring {
    pub keys: Vec<Key>,
    pub(super) signing: EncodingKey,
    pub signing_kid: String,
}

impl Ring {
    /// Reads the folder; makes the first key if there is none. `life` is the longest that a token lives.
    pub fn load(folder: &Path, life: TimeDelta) -> Result<Self, String> {
        refuse_open(folder)?;
        let mut found = files(folder)?;
        if found.is_empty() {
            secret_file(&folder.join(FIRST), new_pair)?;
            found = files(folder)?;
        }
        let mut keys: Vec<Key> = Vec::new();
        let mut signing = None;
        for (made_at, path) in found {
            let pkcs8 = read_secret(&path)?;
            let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|error| format!("{}: {error}", path.display()))?;
            let public = pair.public_key().as_ref().to_vec();
            let kid = thumbprint(&public);
            if let (Some(before), Some(made)) = (keys.last_mut(), DateTime::from_timestamp(made_at, 0)) {
                before.ends_at = Some(made + life + MARGIN);
            }
            signing = Some((EncodingKey::from_ed_der(&pkcs8), kid.clone()));
            let checking = DecodingKey::from_ed_der(&public);
            keys.push(Key { kid, made_at, ends_at: None, path, public, checking });
        }
        let (signing, signing_kid) = signing.ok_or_else(|| format!("{}: no key", folder.display()))?;
        Ok(Self { keys, signing, signing_kid })
    }

    /// What checks a token that this key signed, while it may.
    pub fn checking(&self, kid: &str, now: DateTime<Utc>) -> Option<&DecodingKey> {
        let is_good = |key: &&Key| key.kid == kid && key.ends_at.is_none_or(|end| now < end);
        self.keys.iter().find(is_good).map(|key| &key.checking)
    }

    /// RFC 7517, with public halves alone.
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        let good = self.keys.iter().rev().filter(|key| key.ends_at.is_none_or(|end| now < end));
        let jwk = |key: &Key| {
            json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(&key.public), "use": "sig", "alg": "EdDSA",
                    "kid": key.kid })
        };
        json!({ "keys": good.map(jwk).collect::<Vec<_>>() })
    }
}

/// Makes the next key, which signs from now on; a server that runs sees it within a minute. Answers its `kid`.
pub fn rotate(folder: &Path, life: TimeDelta, now: DateTime<Utc>) -> Result<String, String> {
    let before = Ring::load(folder, life)?;
    // Two within a second would be one file.
    let newest = before.keys.last().map_or(0, |key| key.made_at);
    let made_at = now.timestamp().max(newest + 1);
    secret_file(&folder.join(format!("token-{made_at}.ed25519")), new_pair)?;
    prune(&before, now)?;
    Ok(Ring::load(folder, life)?.signing_kid)
}

/// Removes the files of keys that check nothing any more.
fn prune(ring: &Ring, now: DateTime<Utc>) -> Result<(), String> {
    for key in ring.keys.iter().filter(|key| key.ends_at.is_some_and(|end| end <= now)) {
        fs::remove_file(&key.path).map_err(|error| format!("{}: {error}", key.path.display()))?;
    }
    Ok(())
}

/// The key of email codes and sealed secrets; made if it is missing.
pub(super) fn codes(folder: &Path) -> Result<Vec<u8>, String> {
    secret_file(&folder.join("codes.hmac"), || {
        let mut bytes = vec![0; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    })
}

/// When each pair was made, and its file; oldest first.
fn files(folder: &Path) -> Result<Vec<(i64, PathBuf)>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let made_at = match name.strip_prefix("token-").and_then(|rest| rest.strip_suffix(".ed25519")) {
            Some(seconds) => {
                seconds.parse().map_err(|_| format!("{}: no such key is made here", entry.path().display()))?
            }
            None if name == FIRST => 0,
            None => continue,
        };
        found.push((made_at, entry.path()));
    }
    found.sort();
    Ok(found)
}

fn thumbprint(public: &[u8]) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, BASE64URL_NOPAD.encode(public));
    BASE64URL_NOPAD.encode(&Sha256::digest(canonical.as_bytes()))
}

fn new_pair() -> Result<Vec<u8>, String> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|error| error.to_string())?;
    Ok(document.as_ref().to_vec())
}

/// Who may put a file here may sign: the newest key is the one that does.
fn refuse_open(folder: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mode = fs::metadata(folder).map_err(told)?.permissions().mode() & 0o777;
    if mode & 0o002 == 0 {
        return Ok(());
    }
    Err(format!("{} may be written by everybody (mode {mode:o}): chmod o-w", folder.display()))
}

/// Refuses what others may read. A group may: that is how mounted secrets are handed to a service.
fn read_secret(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mode = fs::metadata(path).map_err(told)?.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(format!("{} may be read or written by everybody (mode {mode:o}): chmod 600", path.display()));
    }
    fs::read(path).map_err(told)
}

/// Reads it, or makes it. Of two nodes that make it at once, both go on with the one that was there first.
fn secret_file(path: &Path, make: impl FnOnce() -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        return read_secret(path);
    }
    let bytes = make()?;
    // Written whole under another name first: a crash leaves no half of a key.
    let half = path.with_extension(format!("{}.new", std::process::id()));
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half).map_err(told)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(told)?;
    let linked = fs::hard_link(&half, path);
    fs::remove_file(&half).map_err(told)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(told(error)),
        Ok(()) | Err(_) => read_secret(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: TimeDelta = TimeDelta::minutes(15);

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000 + minutes * 60, 0).unwrap()
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let public = BASE64URL_NOPAD.decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn an_old_key_checks_for_as_long_as_a_token_lives_and_then_goes() {
        let folder = tempfile::tempdir().unwrap();
        let first = Ring::load(folder.path(), LIFE).unwrap().signing_kid;
        let second = rotate(folder.path(), LIFE, at(0)).unwrap();
        assert_ne!(first, second);
        let ring = Ring::load(folder.path(), LIFE).unwrap();
        assert_eq!(ring.signing_kid, second);
        for (minutes, count) in [(0, 2), (19, 2), (20, 1)] {
            assert_eq!(ring.checking(&first, at(minutes)).is_some(), count == 2, "after {minutes} min");
            assert_eq!(ring.jwks(at(minutes))["keys"].as_array().unwrap().len(), count);
        }
        assert!(ring.checking(&second, at(1_000_000)).is_some());
        rotate(folder.path(), LIFE, at(30)).unwrap();
        let kept: Vec<String> = Ring::load(folder.path(), LIFE).unwrap().keys.into_iter().map(|key| key.kid).collect();
        assert!(kept.len() == 2 && kept.contains(&second), "{kept:?}");
    }

    #[test]
    fn a_folder_that_everybody_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Ring::load(folder.path(), LIFE).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Ring::load(folder.path(), LIFE).err().unwrap();
        assert!(refused.contains("may be written by everybody"), "{refused}");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).unwrap();
        assert!(Ring::load(folder.path(), LIFE).is_ok(), "a group may: that is how it is mounted");
    }

    #[test]
    fn a_key_that_everybody_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Ring::load(folder.path(), LIFE).unwrap();
        let path = folder.path().join(FIRST);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Ring::load(folder.path(), LIFE).err().unwrap();
        assert!(refused.contains("token.ed25519 may be read") && refused.contains("chmod 600"), "{refused}");
    }
}
