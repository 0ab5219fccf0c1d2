//! Token buckets in the key-value store: full at first, emptied by leases, filled as time goes by. Any number of nodes
//! take from the same one.

use super::{
    clock::Clock,
    kv::{Kv, KvError},
};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    tokens: u64,
    at: i64,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        let (tokens, at) = text.split_once('@')?;
        Some(Self { tokens: tokens.parse().ok()?, at: at.parse().ok()? })
    }

    fn text(self) -> String {
        format!("{}@{}", self.tokens, self.at)
    }

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

/// Takes up to `want` tokens: all that there are, if there are fewer.
pub async fn take(kv: &Kv, clock: &dyn Clock, key: &str, size: Size, want: u64) -> Result<Taken, KvError> {
    let key = format!("bucket:{key}");
    // What was not asked for so long is full, and need not be kept.
    let life = Duration::from_secs(size.capacity.div_ceil(size.per_second.max(1)).saturating_add(60));
    loop {
        let now = clock.now().timestamp_micros();
        let stored = kv.get(&key).await?;
        let known = stored.as_deref().and_then(Level::parse);
        let level = known.unwrap_or(Level { tokens: size.capacity, at: now }).filled(size, now);
        let granted = want.min(level.tokens);
        let left = level.tokens.saturating_sub(granted);
        let next = Level { tokens: left, ..level }.text();
        let is_written = match &stored {
            None => kv.set_if_absent(&key, &next, Some(life)).await?,
            Some(stored) => kv.compare_and_set(&key, stored, &next, Some(life)).await?,
        };
        // Another node was first: look again.
        if is_written {
            return Ok(Taken { granted, left });
        }
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
