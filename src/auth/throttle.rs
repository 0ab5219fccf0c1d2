//! Counts tries in windows of time (`auth.throttle`), by account, by address, or by both together.
//!
//! Who fails on purpose under another's name soon stands still himself: account and address together bear few failures,
//! the account alone many more, and an address from which somebody signed in to it before is not held back by what others
//! did (`tries`). Each kind of counter has a prefix of its own, so that nothing that is typed as an email counts as another
//! kind. An address is its network: see [`network`].

use crate::{
    app::App,
    error::{Code, Error, More, Problem, Result},
    infra::kv::Counters,
};
use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;

pub use crate::infra::network::network;

const TRIES: Counters = Counters::new("tries");

fn window(app: &App) -> Duration {
    Duration::from_secs(app.config.auth.throttle.window_minutes * 60)
}

/// What keys of the store are called that would name a person: whoever reads the store learns no email or address.
pub fn veiled(app: &App, what: &str) -> String {
    BASE64URL_NOPAD.encode(hmac::sign(&app.tokens.codes, format!("veiled/1\n{what}").as_bytes()).as_ref())
}

/// Counts one try; refuses it once there were `most` since the first. What was right is taken back by [`forgive`]: only
/// failures count, and still no crowd of tries at the same moment gets past.
pub async fn count(app: &App, what: &str, most: u32, path: &[&str]) -> Result<()> {
    let tally = TRIES.count(&app.kv, &veiled(app, what), most, window(app)).await?;
    if tally.is_counted { Ok(()) } else { Err(refused(app.clock.now(), tally.left, path)) }
}

/// Says when to come back, in whole minutes for people, to the second for programs.
fn refused(now: DateTime<Utc>, left: Duration, path: &[&str]) -> Error {
    let left = TimeDelta::from_std(left).unwrap_or_default();
    let minutes = (left + TimeDelta::seconds(59)).num_minutes().max(1);
    let ko = format!("시도 횟수가 너무 많습니다. {minutes}분 뒤에 다시 시도해 주세요.");
    let en = format!("Too many attempts. Try again in {minutes} minute{}.", if minutes == 1 { "" } else { "s" });
    Problem::new(Code::TooManyAttempts, path, ko, en).with(More::RetryAt(now + left)).into()
}

/// Takes one try back: it was right.
pub async fn forgive(app: &App, what: &str) -> Result<()> {
    Ok(TRIES.uncount(&app.kv, &veiled(app, what)).await?)
}

/// What came of a counted try. Who was sent away because too many others waited has tried nothing.
pub async fn settle<T>(app: &App, what: &str, outcome: Result<T>) -> Result<T> {
    if matches!(outcome, Err(Error::Busy(_))) {
        forgive(app, what).await?;
    }
    outcome
}

/// Forgets the tries, after one that was right.
pub async fn forget(app: &App, what: &str) -> Result<()> {
    Ok(TRIES.forget(&app.kv, &veiled(app, what)).await?)
}
