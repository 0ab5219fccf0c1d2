//! Counters with a bound and a time to live, under a prefix of their own. Counting is one step in the store: a crowd that
//! counts at the same moment waits its turn, and nobody tries again.

use super::{Kv, KvError};
use std::time::Duration;

/// What counting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// False if the counter was at its bound already.
    pub is_counted: bool,
    /// Until the counter is forgotten.
    pub left: Duration,
}

/// All counters of one kind, `PREFIX:KEY`.
#[derive(Debug)]
pub struct Counters(&'static str);

impl Counters {
    pub const fn new(prefix: &'static str) -> Self {
        Self(prefix)
    }

    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.0)
    }

    pub async fn count(&self, kv: &Kv, key: &str, most: u32, ttl: Duration) -> Result<Tally, KvError> {
        kv.count(&self.key(key), most, ttl).await
    }

    pub async fn uncount(&self, kv: &Kv, key: &str) -> Result<(), KvError> {
        kv.uncount(&self.key(key)).await
    }

    pub async fn forget(&self, kv: &Kv, key: &str) -> Result<(), KvError> {
        kv.delete(&self.key(key)).await.map(|_was_there| ())
    }
}
