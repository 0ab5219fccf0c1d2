//! Refreshes whose outcome this node does not know: the store did not answer, and may have written the next secret.
//!
//! That secret was given to nobody. So whoever comes back with the one before it is who asked then, and no reuse; a secret
//! that was given to somebody is never in here, and reuse of what came before it still ends the family.

use moka::{Entry, sync::Cache};
use std::time::Duration;

/// So many families; those of one node, in one outage.
const MOST: u64 = 100_000;
/// A client that was told to try again does so.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// Tries with one token whose outcome may be unknown, one after the other.
const MOST_TRIES: usize = 16;

/// By the family: the hash that was shown, and the hashes of the secrets of which any may have been written.
#[derive(Debug)]
pub struct Doubts(Cache<String, (String, Vec<String>)>);

impl Default for Doubts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(LIFE).build())
    }
}

impl Doubts {
    pub(super) fn remember(&self, family: &str, shown: &str, written: &str) {
        self.0.entry_by_ref(family).and_upsert_with(|known| {
            let known = known.map(Entry::into_value).filter(|(asked, _)| asked == shown);
            let mut tries = known.map_or_else(Vec::new, |(_, tries)| tries);
            if tries.len() < MOST_TRIES {
                tries.push(written.to_owned());
            }
            (shown.to_owned(), tries)
        });
    }

    /// Whether `present` is what was in doubt when `shown` was shown.
    pub(super) fn has(&self, family: &str, shown: &str, present: &str) -> bool {
        self.0
            .get(family)
            .is_some_and(|(asked, tries)| asked == shown && tries.iter().any(|written| written == present))
    }
}

#[cfg(test)]
mod tests {
    use super::Doubts;

    #[test]
    fn every_try_with_the_same_token_counts_and_none_with_another() {
        let doubts = Doubts::default();
        doubts.remember("family", "first", "second");
        doubts.remember("family", "first", "third");
        assert!(doubts.has("family", "first", "second") && doubts.has("family", "first", "third"));
        assert!(!doubts.has("family", "zeroth", "second") && !doubts.has("other", "first", "second"));
        doubts.remember("family", "third", "fourth");
        assert!(doubts.has("family", "third", "fourth") && !doubts.has("family", "first", "second"));
    }
}
