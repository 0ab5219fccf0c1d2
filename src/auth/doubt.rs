//! Refreshes whose outcome this node does not know: the store did not answer, and may have written the next secret.
//!
//! That secret was given to nobody. So whoever comes back with the one before it is who asked then, and no reuse; a secret
//! that was given to somebody is never in here, and reuse of what came before it still ends the family.

use moka::sync::Cache;
use std::time::Duration;

/// So many families; those of one node, in one outage.
const MOST: u64 = 100_000;
/// A client that was told to try again does so.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// By the family: the hash that was shown, and the hash of the secret that may have been written.
#[derive(Debug)]
pub struct Doubts(Cache<String, (String, String)>);

impl Default for Doubts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(LIFE).build())
    }
}

impl Doubts {
    pub(super) fn remember(&self, family: &str, shown: &str, written: &str) {
        self.0.insert(family.to_owned(), (shown.to_owned(), written.to_owned()));
    }

    /// Whether `present` is what was in doubt when `shown` was shown.
    pub(super) fn has(&self, family: &str, shown: &str, present: &str) -> bool {
        self.0.get(family).is_some_and(|(asked, written)| asked == shown && written == present)
    }
}
