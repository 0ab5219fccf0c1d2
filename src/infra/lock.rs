//! Locks with an owner and a lease, held only around a write. They live in the key-value store, so they hold for all nodes
//! that share it. A lock is let go by its owner alone, and lapses with its lease if the owner is gone: who took long may not have
//! it any more, so nothing that must never happen twice rests on a lock alone.

use super::{
    ids::Ids,
    kv::{Kv, KvError, Shelf},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio_util::task::TaskTracker;

const LOCKS: Shelf<Holder> = Shelf::new("lock");

/// Who has it, and what is said to those who come too late.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Holder {
    owner: String,
    note: String,
}

/// Where locks are taken.
#[derive(Clone, Debug)]
pub struct Locks {
    kv: Kv,
    ids: Ids,
    tasks: TaskTracker,
}

/// What became of an attempt.
#[derive(Debug)]
pub enum Attempt {
    Held(Box<Held>),
    /// Somebody else has it, and left this note.
    Taken(String),
}

/// The proof of holding a lock.
#[derive(Debug)]
pub struct Held {
    locks: Locks,
    key: String,
    holder: Option<Holder>,
}

impl Locks {
    pub fn new(kv: Kv, ids: Ids, tasks: TaskTracker) -> Self {
        Self { kv, ids, tasks }
    }

    /// Answers at once, whoever has it.
    pub async fn try_acquire(&self, key: &str, lease: Duration, note: &str) -> Result<Attempt, KvError> {
        let holder = Holder { owner: self.ids.secret(), note: note.to_owned() };
        // Let go between the two statements, it is tried once more.
        for _ in 0..2 {
            let mut held = Held { locks: self.clone(), key: key.to_owned(), holder: Some(holder.clone()) };
            // If nobody knows whether it was taken, dropping it lets it go: the next one must not find it held by nobody.
            if LOCKS.set_if_absent(&self.kv, key, &holder, Some(lease)).await? {
                return Ok(Attempt::Held(Box::new(held)));
            }
            held.holder = None;
            if let Some(other) = LOCKS.get(&self.kv, key).await? {
                return Ok(Attempt::Taken(other.value.note));
            }
        }
        Ok(Attempt::Taken(String::new()))
    }
}

impl Held {
    /// Lets it go. If the store is away, the lease ends it.
    pub async fn release(mut self) {
        let Some(holder) = self.holder.take() else { return };
        release(&self.locks.kv, &self.key, &holder).await;
    }
}

impl Drop for Held {
    /// What was cut short lets go as well, a moment later.
    fn drop(&mut self) {
        let Some(holder) = self.holder.take() else { return };
        let (kv, key) = (self.locks.kv.clone(), std::mem::take(&mut self.key));
        self.locks.tasks.spawn(async move { release(&kv, &key, &holder).await });
    }
}

async fn release(kv: &Kv, key: &str, holder: &Holder) {
    if let Err(error) = LOCKS.delete_if(kv, key, holder).await {
        tracing::warn!(%error, "a lock is left to its lease");
    }
}
