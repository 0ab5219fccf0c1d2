//! Token buckets in the key-value store: full at first, emptied by leases, filled as time goes by. Any number of nodes
//! take from the same one.

use super::{
    clock::Clock,
    kv::{Kv, KvError, Shelf},
};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How large, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub capacity: u64,
    /// At least 1.
    pub per_second: u64,
}

/// What came out of it, and what is still in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub granted: u64,
    pub left: u64,
}

/// What was in it at a moment, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Level {
    tokens: u64,
    at: i64,
}

impl Level {
    /// Whole tokens only; the rest of the time counts the next time.
    fn filled(self, size: Size, now: i64) -> Self {
        let passed = u64::try_from(now.saturating_sub(self.at)).unwrap_or(0);
        let more = passed.saturating_mul(size.per_second) / 1_000_000;
        let tokens = self.tokens.saturating_add(more);
        if tokens >= size.capacity {
            return Self { tokens: size.capacity, at: now };
        }
        // Rounded up: who asks often gains nothing by it.
        let used = more.saturating_mul(1_000_000).div_ceil(size.per_second.max(1));
        let used = i64::try_from(used).unwrap_or(i64::MAX);
        Self { tokens, at: self.at.saturating_add(used) }
    }
}

const BUCKETS: Shelf<Level> = Shelf::new("bucket");

/// Takes up to `want` tokens: all that there are, if there are fewer.
pub async fn take(kv: &Kv, clock: &dyn Clock, key: &str, size: Size, want: u64) -> Result<Taken, KvError> {
    loop {
        let kept = BUCKETS.get(kv, key).await?;
        let (next, taken) = pour(kept.as_ref().map(|kept| kept.value), size, clock.now().timestamp_micros(), want);
        let is_written = match &kept {
            None => BUCKETS.set_if_absent(kv, key, &next, Some(life(size))).await?,
            Some(kept) => BUCKETS.replace(kv, key, kept, &next, Some(life(size))).await?,
        };
        // Another node was first: look again.
        if is_written {
            return Ok(taken);
        }
    }
}

/// What was not asked for so long is full, and need not be kept.
fn life(size: Size) -> Duration {
    Duration::from_secs(size.capacity.div_ceil(size.per_second.max(1)).saturating_add(60))
}

fn pour(known: Option<Level>, size: Size, now: i64, want: u64) -> (Level, Taken) {
    let level = known.unwrap_or(Level { tokens: size.capacity, at: now }).filled(size, now);
    let granted = want.min(level.tokens);
    let left = level.tokens.saturating_sub(granted);
    (Level { tokens: left, ..level }, Taken { granted, left })
}

/// This node's own buckets, for while the store is away.
#[derive(Debug)]
pub struct Spare(Cache<String, Level>);

impl Default for Spare {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(100_000).time_to_idle(Duration::from_secs(600)).build())
    }
}

impl Spare {
    pub fn take(&self, clock: &dyn Clock, key: &str, size: Size, want: u64) -> Taken {
        let now = clock.now().timestamp_micros();
        let mut taken = Taken { granted: 0, left: 0 };
        self.0.entry_by_ref(key).and_upsert_with(|known| {
            let (next, poured) = pour(known.map(moka::Entry::into_value), size, now, want);
            taken = poured;
            next
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_fills_as_time_goes_by_and_not_beyond() {
        let size = Size { capacity: 100, per_second: 10 };
        for (tokens, passed, expected) in
            [(0, 0, 0), (0, 99, 0), (0, 100, 1), (0, 1_050, 10), (95, 10_000, 100), (5, -9, 5)]
        {
            assert_eq!(Level { tokens, at: 0 }.filled(size, passed * 1_000).tokens, expected, "{tokens} {passed}");
        }
    }

    proptest! {
        #[test]
        fn looking_often_gains_nothing(steps in prop::collection::vec(0_i64..2_000, 1..50), per_second in 1_u64..2_000_000) {
            let size = Size { capacity: u64::MAX, per_second };
            let (mut level, mut now, looks) = (Level { tokens: 0, at: 0 }, 0, u64::try_from(steps.len()).unwrap());
            for step in steps {
                now += step;
                level = level.filled(size, now);
            }
            let at_once = Level { tokens: 0, at: 0 }.filled(size, now).tokens;
            prop_assert!(level.tokens <= at_once);
            // A look rounds away less than what a microsecond brings, and a token.
            prop_assert!(at_once - level.tokens <= looks * (per_second / 1_000_000 + 2));
        }
    }
}
