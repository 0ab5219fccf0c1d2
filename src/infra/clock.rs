//! Time is injected: production reads the system clock, tests move their own.
//!
//! Every `now` is cut to microseconds, the finest unit that all three databases keep, so that a value read back
//! equals the value written.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::fmt::Debug;

/// Where the present moment comes from.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present moment, in UTC, cut to microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the system clock")]
    fn now(&self) -> DateTime<Utc> {
        to_micros(Utc::now())
    }
}

/// The machine's clock, so much ahead: for a rehearsal that does not wait for a hold to run out.
#[derive(Debug)]
pub struct ClockAhead(pub TimeDelta);

impl Clock for ClockAhead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

/// Cuts a moment to whole microseconds.
#[must_use]
pub fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}
