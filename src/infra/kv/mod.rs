//! Key-value pairs that live for a while: codes, sessions, revocations. One typed facade, closed over its twins.
//!
//! Times to live follow the injected clock. Never called inside a transaction: the real twin is another machine.

pub mod counters;
mod embedded;
mod gather;
mod redis;
pub mod shelf;
pub mod sweep;

pub use self::redis::{KvSettings, RedisKv, is_address};
use super::{clock::Clock, db::Db, ids::Ids};
pub use counters::{Counters, Tally};
pub use embedded::EmbeddedKv;
use secrecy::ExposeSecret;
pub use shelf::{Kept, Shelf};
use std::{sync::Arc, time::Duration};

/// The store could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("key-value store: {0}")]
pub struct KvError(pub String);

/// Strings under keys, with a time to live. No NUL in them: PostgreSQL keeps none (JSON escapes it).
#[derive(Clone, Debug)]
pub enum Kv {
    /// Durable, in the database: a restart forgets nothing.
    Embedded(EmbeddedKv),
    /// For all nodes, on machines of its own.
    Redis(RedisKv),
}

impl Kv {
    /// What the address names.
    pub async fn open(settings: &KvSettings, db: &Db, ids: &Ids, clock: &Arc<dyn Clock>) -> Result<Self, KvError> {
        if settings.url.expose_secret() == "embedded:" {
            return Ok(Self::Embedded(EmbeddedKv::new(db.clone(), ids.clone(), Arc::clone(clock))));
        }
        RedisKv::open(settings).await.map(Self::Redis)
    }

    pub async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        match self {
            Self::Embedded(kv) => kv.get(key).await,
            Self::Redis(kv) => kv.get(key).await,
        }
    }

    pub async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<(), KvError> {
        match self {
            Self::Embedded(kv) => kv.set(key, value, ttl).await,
            Self::Redis(kv) => kv.set(key, value, ttl).await,
        }
    }

    /// True if this call wrote it.
    pub async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool, KvError> {
        match self {
            Self::Embedded(kv) => kv.set_if_absent(key, value, ttl).await,
            Self::Redis(kv) => kv.set_if_absent(key, value, ttl).await,
        }
    }

    /// Reads and removes in one step: of two callers at once, one gets it.
    pub async fn take(&self, key: &str) -> Result<Option<String>, KvError> {
        match self {
            Self::Embedded(kv) => kv.take(key).await,
            Self::Redis(kv) => kv.take(key).await,
        }
    }

    /// True if there was something to remove.
    pub async fn delete(&self, key: &str) -> Result<bool, KvError> {
        match self {
            Self::Embedded(kv) => kv.delete(key).await,
            Self::Redis(kv) => kv.delete(key).await,
        }
    }

    /// Removes what is past its time, where the store does not do so by itself.
    pub async fn sweep(&self) -> Result<u64, KvError> {
        match self {
            Self::Embedded(kv) => kv.sweep().await,
            Self::Redis(_) => Ok(0),
        }
    }

    /// Writes `new` only over `expected`; the time to live starts anew.
    pub async fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        new: &str,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        match self {
            Self::Embedded(kv) => kv.compare_and_set(key, expected, new, ttl).await,
            Self::Redis(kv) => kv.compare_and_set(key, expected, new, ttl).await,
        }
    }

    /// Adds one to a counter, unless it is at `most`. The first one begins its time to live, and no other changes it.
    pub async fn count(&self, key: &str, most: u32, ttl: Duration) -> Result<Tally, KvError> {
        match self {
            Self::Embedded(kv) => kv.count(key, most, ttl).await,
            Self::Redis(kv) => kv.count(key, most, ttl).await,
        }
    }

    /// Takes one back from a counter, if it is still there and not at nothing.
    pub async fn uncount(&self, key: &str) -> Result<(), KvError> {
        match self {
            Self::Embedded(kv) => kv.uncount(key).await,
            Self::Redis(kv) => kv.uncount(key).await,
        }
    }

    /// Removes only what is `expected`.
    pub async fn compare_and_delete(&self, key: &str, expected: &str) -> Result<bool, KvError> {
        match self {
            Self::Embedded(kv) => kv.compare_and_delete(key, expected).await,
            Self::Redis(kv) => kv.compare_and_delete(key, expected).await,
        }
    }
}
