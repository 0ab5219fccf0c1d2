//! What people were answered, and how long that took.

use crate::Result;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Of a machine that is busy with two servers that start.
const MARGIN: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct Heard {
    /// An operation's own time.
    within: Duration,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Default)]
struct SoFar {
    yes: usize,
    answers: usize,
    errors: BTreeMap<String, usize>,
    slowest: Duration,
}

impl Heard {
    pub fn within(within: Duration) -> Self {
        Self { within, so_far: Mutex::default() }
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has what they wanted.
    pub fn note_yes(&self) {
        self.so_far().yes += 1;
    }

    pub fn yes(&self) -> usize {
        self.so_far().yes
    }

    /// An answer of any kind came in time.
    pub fn in_time(&self, took: Duration, what: &str) -> Result<()> {
        let mut so_far = self.so_far();
        so_far.answers += 1;
        so_far.slowest = so_far.slowest.max(took);
        if took <= self.within + MARGIN { Ok(()) } else { Err(format!("{what}: answered after {took:?}").into()) }
    }

    /// The data, if there are no errors. An error must say that it is for the moment, or that time was up.
    pub fn data(&self, answer: &Value, what: &str) -> Result<Option<Value>> {
        let Some(errors) = answer.get("errors") else { return Ok(answer.get("data").cloned()) };
        let of_first = |name: &str| errors.pointer(&format!("/0/{name}")).cloned().unwrap_or_default();
        let (code, message) = (of_first("extensions/code"), of_first("message"));
        let is_clear = of_first("extensions/retryAfter").is_u64() || code == "TIMEOUT";
        if !is_clear {
            return Err(format!("{what} was told nothing that helps: {errors}").into());
        }
        *self.so_far().errors.entry(message.as_str().unwrap_or_default().to_owned()).or_default() += 1;
        Ok(None)
    }

    pub fn told(&self) -> String {
        let so_far = self.so_far();
        let errors =
            so_far.errors.iter().map(|(message, count)| format!("{count} x \"{message}\"")).collect::<Vec<_>>();
        let slowest = so_far.slowest.as_secs_f64();
        format!("{} answers, the slowest after {slowest:.1} s, of them {}", so_far.answers, errors.join(", "))
    }
}
