//! What a caller may spend.

use super::ctx::Ctx;
use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};

/// The points that the caller may spend on operations: an account has its own, visitors share those of their address.
/// What an operation costs stands in `extensions.cost` of its answer.
#[derive(SimpleObject)]
pub struct RateLimit {
    /// What this operation was charged.
    pub cost: i64,
    /// The most points that one can have.
    pub capacity: i64,
    /// What is left after this operation.
    pub remaining: i64,
    /// How many come back each second.
    pub refill_per_second: i64,
    /// When all of them are back, if nothing is spent until then.
    pub full_at: DateTime<Utc>,
}

#[derive(Default)]
pub struct RateLimitQuery;

#[Object]
impl RateLimitQuery {
    /// What the caller may spend.
    async fn rate_limit(&self, ctx: &Context<'_>) -> RateLimit {
        let charge = ctx.request().charge;
        let missing = charge.capacity.saturating_sub(charge.remaining);
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let seconds = number(missing.div_ceil(charge.per_second.max(1)));
        let wait = TimeDelta::try_seconds(seconds).unwrap_or_default();
        RateLimit {
            cost: number(charge.cost),
            capacity: number(charge.capacity),
            remaining: number(charge.remaining),
            refill_per_second: number(charge.per_second),
            full_at: ctx.app().clock.now() + wait,
        }
    }
}
