//! Counts tries in windows of 15 minutes, by account or by address.

use crate::{
    app::App,
    error::{Code, Problem, Result},
    infra::kv::Shelf,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const TRIES: Shelf<Tries> = Shelf::new("tries");
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Counts one try; refuses it once there were `most` since the first. What was right is taken back by [`forgive`]: only
/// failures count, and still no crowd of tries at the same moment gets past.
pub async fn count(app: &App, what: &str, most: u32, path: &[&str]) -> Result<()> {
    loop {
        let now = app.clock.now();
        let Some(kept) = TRIES.get(&app.kv, what).await? else {
            let first = Tries { count: 1, until: (now + WINDOW).timestamp_micros() };
            if TRIES.set_if_absent(&app.kv, what, &first, Some(WINDOW)).await? {
                return Ok(());
            }
            continue;
        };
        let known = kept.value;
        if known.count >= most {
            let ko = "시도 횟수가 너무 많습니다. 15분 뒤에 다시 시도해 주세요.";
            return Err(
                Problem::new(Code::TooManyAttempts, path, ko, "Too many attempts. Try again in 15 minutes.").into()
            );
        }
        let next = Tries { count: known.count + 1, ..known };
        if TRIES.replace(&app.kv, what, &kept, &next, Some(known.left(now))).await? {
            return Ok(());
        }
    }
}

/// Takes one try back: it was right.
pub async fn forgive(app: &App, what: &str) -> Result<()> {
    loop {
        let Some(kept) = TRIES.get(&app.kv, what).await? else { return Ok(()) };
        let known = kept.value;
        let next = Tries { count: known.count.saturating_sub(1), ..known };
        if TRIES.replace(&app.kv, what, &kept, &next, Some(known.left(app.clock.now()))).await? {
            return Ok(());
        }
    }
}

/// How many, and until when they count, in microseconds since 1970.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Tries {
    count: u32,
    until: i64,
}

impl Tries {
    fn left(self, now: DateTime<Utc>) -> Duration {
        let left = self.until.saturating_sub(now.timestamp_micros());
        Duration::from_micros(u64::try_from(left).unwrap_or(0))
    }
}

/// Forgets the tries, after one that was right.
pub async fn forget(app: &App, what: &str) -> Result<()> {
    TRIES.delete(&app.kv, what).await?;
    Ok(())
}
