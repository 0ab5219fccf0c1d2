//! Locks with an owner and a lease, held only around a write. A lock is let go by its owner alone, and lapses with
//! its lease if the owner is gone.

use super::{clock::Clock, ids::Ids};
use chrono::{DateTime, Utc};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

type Holders = Arc<Mutex<HashMap<String, Holder>>>;

#[derive(Debug)]
struct Holder {
    owner: u64,
    until: DateTime<Utc>,
    note: String,
}

/// Who holds what, inside this process.
#[derive(Clone, Debug)]
pub struct Locks {
    clock: Arc<dyn Clock>,
    ids: Ids,
    holders: Holders,
}

/// The proof of holding a lock; letting it go out of scope lets the lock go.
#[derive(Debug)]
pub struct Held {
    key: String,
    owner: u64,
    holders: Holders,
}

impl Locks {
    pub fn new(clock: Arc<dyn Clock>, ids: Ids) -> Self {
        Self { clock, ids, holders: Holders::default() }
    }

    /// `Err`, at once, with the holder's note, if somebody else holds it.
    pub fn try_acquire(&self, key: &str, lease: Duration, note: &str) -> Result<Held, String> {
        let now = self.clock.now();
        let owner = u64::from_le_bytes(self.ids.bytes());
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(holder) = holders.get(key).filter(|holder| holder.until > now) {
            return Err(holder.note.clone());
        }
        holders.insert(key.to_owned(), Holder { owner, until: now + lease, note: note.to_owned() });
        Ok(Held { key: key.to_owned(), owner, holders: Arc::clone(&self.holders) })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.get(&self.key).is_some_and(|holder| holder.owner == self.owner) {
            holders.remove(&self.key);
        }
    }
}
