//! How many streams somebody holds open: each takes a place, and gives it back when it is dropped.

use super::engine::{Caller, ClientMeta};
use crate::infra::network::network;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

/// Visitors of one address share this many times the places of an account: many can be behind one address.
const VISITORS: usize = 10;

/// The places of one node.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<HashMap<Holder, usize>>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Account(String),
    /// Its network: a home has 2^64 addresses of IPv6.
    Network(String),
}

/// Held by a stream as long as it is open.
#[derive(Debug)]
pub struct Place {
    places: Places,
    holder: Holder,
}

impl Places {
    /// `None` if all are taken.
    pub fn take(&self, caller: &Caller, meta: &ClientMeta, per_account: usize) -> Option<Place> {
        let (holder, most) = match &caller.account {
            Some(account) => (Holder::Account(account.clone()), per_account),
            None => (Holder::Network(network(meta.address)), per_account.saturating_mul(VISITORS)),
        };
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(holder.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { places: self.clone(), holder })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = taken.entry(self.holder.clone()) {
            *count.get_mut() = count.get().saturating_sub(1);
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn visitors_of_one_network_share_their_places() {
        let visitor = Caller { account: None, may_introspect: false, expires_at: None, viewer: Arc::new(()) };
        let places = Places::default();
        let take = |number: u16| {
            let address = format!("2001:db8:1:2::{number:x}").parse().ok();
            let meta = ClientMeta { request_id: "r".into(), address, language: Language::Ko, last_event_id: None };
            places.take(&visitor, &meta, 1)
        };
        let held: Vec<_> = (0..10).map(take).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(take(10).is_none());
        drop(held);
        assert!(take(11).is_some());
    }
}
