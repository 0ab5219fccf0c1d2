//! How often a sign-in may fail, at the members' door and at the admins'.
//!
//! Failures are counted for the account from this address (few), for the address (more), and for the account from
//! everywhere (most). The last one alone would let a stranger lock somebody out by failing on purpose: an address from
//! which this account signed in during the last 30 days is not held back by it.

use super::throttle;
use crate::{app::App, error::Result, infra::kv::Shelf};
use std::{net::IpAddr, time::Duration};

/// Addresses from which an account signed in.
const KNOWN: Shelf<()> = Shelf::new("known");
/// How long an address is known to an account.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// Who comes through one fails at none of the other's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Member,
    Admin,
}

impl Door {
    /// What its counters and its known addresses are called.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Member => ("sign-in", "known"),
            Self::Admin => ("admin-sign-in", "admin-known"),
        }
    }
}

/// What is counted; the same work for whatever email.
pub struct Tries {
    pair: String,
    account: String,
    address: String,
    known: String,
}

impl Tries {
    /// Counts one as a failure, before the work.
    pub async fn count(app: &App, door: Door, email: &str, address: Option<IpAddr>) -> Result<Self> {
        let (most, net, (tried, known)) = (&app.config.auth.throttle, throttle::network(address), door.names());
        let tries = Self {
            // An email is whatever was typed: kinds that shared a prefix would count for each other.
            pair: format!("{tried}-pair:{email} {net}"),
            account: format!("{tried}-account:{email}"),
            address: format!("{tried}-address:{net}"),
            known: throttle::veiled(app, &format!("{known}:{email} {net}")),
        };
        throttle::count(app, &tries.address, most.sign_in_by_address, &[]).await?;
        throttle::count(app, &tries.pair, most.sign_in_by_account_and_address, &[]).await?;
        if let Err(refused) = throttle::count(app, &tries.account, most.sign_in_by_account, &[]).await
            && KNOWN.get(&app.kv, &tries.known).await?.is_none()
        {
            return Err(refused);
        }
        Ok(tries)
    }

    /// Nothing was tried, or what was tried was no failure.
    pub async fn take_back(&self, app: &App) -> Result<()> {
        for what in [&self.pair, &self.account, &self.address] {
            throttle::forgive(app, what).await?;
        }
        Ok(())
    }

    /// The failures of others stay counted.
    pub async fn were_right(&self, app: &App) -> Result<()> {
        throttle::forget(app, &self.pair).await?;
        throttle::forgive(app, &self.account).await?;
        throttle::forgive(app, &self.address).await?;
        Ok(KNOWN.set(&app.kv, &self.known, &(), Some(KNOWN_FOR)).await?)
    }
}
