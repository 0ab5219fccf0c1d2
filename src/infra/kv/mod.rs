//! Key-value store (skeleton: in memory; the durable twin replaces the inside, the methods stay).
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The store could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("key-value store: {0}")]
pub struct KvError(pub String);

/// Strings under keys, with a time to live.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    map: Arc<Mutex<HashMap<String, String>>>,
}

impl Kv {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<String, String>) -> T) -> Result<T, KvError> {
        self.map.lock().map(|mut map| f(&mut map)).map_err(|e| KvError(e.to_string()))
    }
    pub async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        self.with(|m| m.get(key).cloned())
    }
    pub async fn set(&self, key: &str, value: &str, _ttl: Option<Duration>) -> Result<(), KvError> {
        self.with(|m| {
            m.insert(key.into(), value.into());
        })
    }
    /// True if this call wrote it.
    pub async fn set_if_absent(&self, key: &str, value: &str, _ttl: Option<Duration>) -> Result<bool, KvError> {
        self.with(|m| {
            if m.contains_key(key) {
                false
            } else {
                m.insert(key.into(), value.into());
                true
            }
        })
    }
    /// Reads and removes in one step.
    pub async fn take(&self, key: &str) -> Result<Option<String>, KvError> {
        self.with(|m| m.remove(key))
    }
    pub async fn delete(&self, key: &str) -> Result<bool, KvError> {
        self.with(|m| m.remove(key).is_some())
    }
    /// Writes `new` only if the present value is `expected`; keeps the time to live that is given.
    pub async fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        new: &str,
        _ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        self.with(|m| {
            if m.get(key).map(String::as_str) == Some(expected) {
                m.insert(key.into(), new.into());
                true
            } else {
                false
            }
        })
    }
}
