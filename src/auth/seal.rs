//! Sealing what must be read back but be worthless in a copy of the database: AES-256-GCM, under a key made from the key of
//! the email codes.

use super::tokens::Tokens;
use crate::error::{Error, Result};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use data_encoding::BASE64URL_NOPAD;

fn key(tokens: &Tokens) -> Result<LessSafeKey> {
    let bytes = hmac::sign(&tokens.codes, b"seal/1");
    UnboundKey::new(&AES_256_GCM, bytes.as_ref()).map(LessSafeKey::new).map_err(|_| Error::fault("no key to seal with"))
}

/// `about` is whose it is: sealed for one, it does not open for another. The nonce must be random and new.
pub fn seal(tokens: &Tokens, about: &str, nonce: [u8; NONCE_LEN], plain: &[u8]) -> Result<String> {
    let mut sealed = plain.to_vec();
    let done = key(tokens)?.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(about.as_bytes()),
        &mut sealed,
    );
    done.map_err(|_| Error::fault("sealing failed"))?;
    Ok(BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat()))
}

/// A fault if it was sealed under another key: then the keys of the data folder are not those of the database.
pub fn open(tokens: &Tokens, about: &str, sealed: &str) -> Result<Vec<u8>> {
    let broken = || Error::fault(format!("what was sealed for {about} cannot be opened: are these its keys?"));
    let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).map_err(|_| broken())?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut rest = rest.to_vec();
    let plain = key(tokens)?.open_in_place(nonce, Aad::from(about.as_bytes()), &mut rest).map_err(|_| broken())?;
    Ok(plain.to_vec())
}
