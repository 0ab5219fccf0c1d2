//! A key that fixes what its value is: what one use case stores, no other can read as something else.
//!
//! ```ignore
//! const FAMILIES: Shelf<Family> = Shelf::new("session");
//! FAMILIES.set(&app.kv, id, &family, Some(life)).await?;
//! ```

use super::{Kv, KvError};
use serde::{Serialize, de::DeserializeOwned};
use std::{marker::PhantomData, time::Duration};

/// All keys of one kind, `PREFIX:KEY`.
#[derive(Debug)]
pub struct Shelf<T> {
    prefix: &'static str,
    value: PhantomData<fn() -> T>,
}

/// A value as it was read: to be replaced only if it still is what it was.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    text: String,
    pub value: T,
}

impl<T: Serialize + DeserializeOwned> Shelf<T> {
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, value: PhantomData }
    }

    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    pub async fn get(&self, kv: &Kv, key: &str) -> Result<Option<Kept<T>>, KvError> {
        kv.get(&self.key(key)).await?.map(read).transpose()
    }

    pub async fn set(&self, kv: &Kv, key: &str, value: &T, ttl: Option<Duration>) -> Result<(), KvError> {
        kv.set(&self.key(key), &text(value)?, ttl).await
    }

    /// True if this call wrote it.
    pub async fn set_if_absent(&self, kv: &Kv, key: &str, value: &T, ttl: Option<Duration>) -> Result<bool, KvError> {
        kv.set_if_absent(&self.key(key), &text(value)?, ttl).await
    }

    /// Reads and removes in one step: of two callers at once, one gets it.
    pub async fn take(&self, kv: &Kv, key: &str) -> Result<Option<T>, KvError> {
        Ok(kv.take(&self.key(key)).await?.map(read).transpose()?.map(|kept: Kept<T>| kept.value))
    }

    /// True if there was something to remove.
    pub async fn delete(&self, kv: &Kv, key: &str) -> Result<bool, KvError> {
        kv.delete(&self.key(key)).await
    }

    /// False if it is not what it was any more; the time to live starts anew.
    pub async fn replace(
        &self,
        kv: &Kv,
        key: &str,
        old: &Kept<T>,
        new: &T,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        kv.compare_and_set(&self.key(key), &old.text, &text(new)?, ttl).await
    }

    /// Removes it, if it still is what was read: of two callers at once, one does.
    pub async fn remove(&self, kv: &Kv, key: &str, old: &Kept<T>) -> Result<bool, KvError> {
        kv.compare_and_delete(&self.key(key), &old.text).await
    }

    /// Removes it if it still is this value.
    pub async fn delete_if(&self, kv: &Kv, key: &str, value: &T) -> Result<bool, KvError> {
        kv.compare_and_delete(&self.key(key), &text(value)?).await
    }
}

fn text<T: Serialize>(value: &T) -> Result<String, KvError> {
    serde_json::to_string(value).map_err(|error| KvError(error.to_string()))
}

/// The value itself is not repeated: it may be a secret.
fn read<T: DeserializeOwned>(text: String) -> Result<Kept<T>, KvError> {
    match serde_json::from_str(&text) {
        Ok(value) => Ok(Kept { text, value }),
        Err(error) => Err(KvError(format!("a value that cannot be read, at column {}", error.column()))),
    }
}
