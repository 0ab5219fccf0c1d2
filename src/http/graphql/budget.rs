//! What callers may spend: a bucket of points for each account, or address of visitors, kept for the whole cluster by the
//! engine. A node takes points out of it in leases and spends those by itself, so that the store is asked once in many
//! operations; what a node does not spend in half a minute is lost, which the bucket's filling makes up for.

use super::{
    Edge,
    engine::{Bucket, Caller, Charge, ClientMeta},
    problem::Problem,
    settings::BudgetSettings,
};
use crate::infra::network::network;
use moka::sync::Cache;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Visitors of one address share this many times the points of an account: many can be behind one address.
const VISITORS: u64 = 10;
const IDLE: Duration = Duration::from_secs(30);
const MOST_HOLDERS: u64 = 100_000;

/// The leases of one node.
#[derive(Clone, Debug)]
pub struct Budgets(Cache<String, Arc<Mutex<Purse>>>);

#[derive(Debug, Default)]
struct Purse {
    points: u64,
    /// In the bucket, when it was last asked.
    elsewhere: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_HOLDERS).time_to_idle(IDLE).build())
    }
}

impl Budgets {
    fn of(&self, holder: &str) -> SharedPurse {
        SharedPurse(self.0.get_with_by_ref(holder, Arc::default))
    }
}

/// A holder's purse, for as long as one of their operations runs.
#[derive(Clone, Debug)]
pub struct SharedPurse(Arc<Mutex<Purse>>);

impl SharedPurse {
    fn lock(&self) -> MutexGuard<'_, Purse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what an operation did not need; what is left then.
    pub fn refund(&self, points: u64) -> u64 {
        let mut purse = self.lock();
        purse.points = purse.points.saturating_add(points);
        purse.points.saturating_add(purse.elsewhere)
    }
}

impl Purse {
    /// What is left after it, if there was enough.
    fn spend(&mut self, cost: u64) -> Option<u64> {
        self.points = self.points.checked_sub(cost)?;
        Some(self.points.saturating_add(self.elsewhere))
    }
}

fn holder(caller: &Caller, meta: &ClientMeta) -> String {
    match (&caller.account, meta.address) {
        (Some(account), _) => account.clone(),
        (None, address) => network(address),
    }
}

fn bucket(settings: &BudgetSettings, caller: &Caller) -> Bucket {
    let times = if caller.account.is_some() { 1 } else { VISITORS };
    Bucket {
        capacity: settings.capacity.saturating_mul(times),
        per_second: settings.per_second.saturating_mul(times).max(1),
    }
}

impl Edge {
    /// Charges the caller before the operation runs.
    pub async fn charge(
        &self,
        caller: &Caller,
        meta: &ClientMeta,
        cost: u64,
    ) -> Result<(Charge, SharedPurse), Problem> {
        let (holder, bucket) = (holder(caller, meta), bucket(&self.settings.budget, caller));
        let purse = self.0.budgets.of(&holder);
        let spent = purse.lock().spend(cost);
        if let Some(remaining) = spent {
            return Ok((Charge { cost, remaining, bucket }, purse));
        }
        let want = cost.max(self.settings.budget.lease);
        let leased = self.bounded(self.engine.lease(&holder, bucket, want)).await?;
        let spent = {
            let mut purse = purse.lock();
            purse.points = purse.points.saturating_add(leased.granted);
            purse.elsewhere = leased.left;
            purse.spend(cost).ok_or(purse.points)
        };
        match spent {
            Ok(remaining) => Ok((Charge { cost, remaining, bucket }, purse)),
            Err(points) => {
                let missing = cost.saturating_sub(points);
                let message = format!("The operation costs {cost} points and {points} are left; see `rateLimit`.");
                Err(Problem::rate_limited(message, missing.div_ceil(bucket.per_second)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn visitors_of_one_network_share_a_bucket() {
        let visitor = Caller { account: None, may_introspect: false, expires_at: None, viewer: Arc::new(()) };
        let of = |address: &str| {
            let meta = ClientMeta {
                request_id: "r".into(),
                address: address.parse().ok(),
                language: Language::Ko,
                last_event_id: None,
            };
            holder(&visitor, &meta)
        };
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("203.0.113.1"), of("203.0.113.2"));
    }
}
