//! What whoever proves a mailbox is counted by: the tries come before the work, so that a crowd of wrong codes from one
//! address never gets as far as bcrypt.
//!
//! A code is counted by the mailbox *and* the address, and by the address; a reset token, which nobody guesses, by the
//! address alone. The mailbox from everywhere is bounded by the letters that it may be sent and the tries of each code: a
//! counter of its own would let a stranger fill it for the owner.

use super::{
    code::{self, Purpose},
    password, reset_token, throttle,
};
use crate::{
    app::App,
    error::{Error, Result},
};
use entity::PasswordHash;
use std::net::IpAddr;

/// A try that is counted and not made yet.
pub struct Proof {
    pair: Option<String>,
    address: String,
}

impl Proof {
    /// Of a code.
    pub async fn of_code(app: &App, email: &str, address: Option<IpAddr>) -> Result<Self> {
        let pair = format!("proof-pair:{email} {}", throttle::network(address));
        let proof = Self { pair: Some(pair), ..Self::of_token(app, address).await? };
        if let Some(pair) = &proof.pair {
            let most = app.config.auth.throttle.proofs_by_email_and_address;
            throttle::count(app, pair, most, &[]).await?;
        }
        Ok(proof)
    }

    /// Of a reset token.
    pub async fn of_token(app: &App, address: Option<IpAddr>) -> Result<Self> {
        let address = format!("proof-address:{}", throttle::network(address));
        throttle::count(app, &address, app.config.auth.throttle.proofs_by_address, &[]).await?;
        Ok(Self { pair: None, address })
    }

    /// bcrypt, before it is known whether the proof is right: so a wrong one takes as long, and a moment in which too many
    /// want it uses up neither code nor token nor try.
    pub async fn hash(&self, app: &App, password: String) -> Result<PasswordHash> {
        let hashed = password::hash(app, password).await;
        if matches!(hashed, Err(Error::Busy(_))) {
            self.take_back(app).await?;
        }
        hashed
    }

    /// Uses the code up, if it is right.
    pub async fn redeem_code(&self, app: &App, purpose: Purpose, email: &str, code: &str) -> Result<()> {
        code::redeem(app, purpose, email, code, &["emailCode"]).await?;
        self.were_right(app).await
    }

    /// Uses the token up, if it is this mailbox's.
    pub async fn redeem_token(&self, app: &App, email: &str, token: &str) -> Result<()> {
        reset_token::redeem(app, email, token).await?;
        self.were_right(app).await
    }

    async fn take_back(&self, app: &App) -> Result<()> {
        for what in [self.pair.as_deref(), Some(self.address.as_str())].into_iter().flatten() {
            throttle::forgive(app, what).await?;
        }
        Ok(())
    }

    async fn were_right(&self, app: &App) -> Result<()> {
        if let Some(pair) = &self.pair {
            throttle::forget(app, pair).await?;
        }
        throttle::forgive(app, &self.address).await
    }
}
