//! Who listens in this process. A ring says "look again", nothing more: what there is to see is in the table.

use entity::ids::UserId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

#[derive(Debug, Default)]
pub struct Hub {
    bells: Mutex<HashMap<UserId, watch::Sender<u64>>>,
}

impl Hub {
    /// Changes whenever the person is rung.
    pub fn listen(&self, user: UserId) -> watch::Receiver<u64> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.entry(user).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Rings these people, and forgets those who have gone.
    pub fn ring(&self, users: &[UserId]) {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for user in users {
            let is_gone = bells.get(user).is_some_and(|bell| {
                bell.send_modify(|rings| *rings += 1);
                bell.receiver_count() == 0
            });
            if is_gone {
                bells.remove(user);
            }
        }
    }
}
