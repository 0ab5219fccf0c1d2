//! What is over of one member or admin before its time: one entry, so that a request with a token looks at one. Pure.

use crate::user::viewer::Token;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Moments are microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// Sessions that began before, and tokens that were issued before.
    pub signed_out: i64,
    /// Tokens that were issued before: their sessions go on by a refresh.
    refused: i64,
    /// Tokens and families, by their ids: until when that matters.
    ended: BTreeMap<String, i64>,
}

/// So many ids are kept. Whoever signs out more often than that within a token's life has all their access tokens refused;
/// sessions that are not over refresh theirs.
const MOST_ENDED: usize = 100;

impl Over {
    /// Tokens that were issued before are over.
    pub fn until(&self) -> i64 {
        self.signed_out.max(self.refused)
    }

    pub fn has_ended(&self, token: &Token) -> bool {
        self.ended.contains_key(&token.id) || self.ended.contains_key(&token.family)
    }

    pub fn is_over(&self, token: &Token) -> bool {
        self.has_ended(token) || token.issued_at < self.until()
    }

    /// Ends these tokens and families, of which no token lives for longer than `life`. False if they are over already.
    pub fn end<'a>(&mut self, ids: impl Iterator<Item = &'a str>, now: DateTime<Utc>, life: Duration) -> bool {
        let until = (now + TimeDelta::from_std(life).unwrap_or_default()).timestamp_micros();
        let new: Vec<&str> = ids.filter(|id| !self.ended.contains_key(*id)).collect();
        if new.is_empty() {
            return false;
        }
        let now = now.timestamp_micros();
        self.ended.retain(|_, until| *until > now);
        self.ended.extend(new.into_iter().map(|id| (id.to_owned(), until)));
        if self.ended.len() > MOST_ENDED {
            self.refuse(now);
        }
        true
    }

    /// The newer half stays: by the clock of another node a token may be from after now.
    fn refuse(&mut self, now: i64) {
        self.refused = self.refused.max(now);
        let mut moments: Vec<i64> = self.ended.values().copied().collect();
        moments.sort_unstable();
        let middle = moments.get(moments.len() / 2).copied().unwrap_or_default();
        self.ended.retain(|_, until| *until >= middle);
    }

    /// Ends all that was given before. False if that was said already, or more.
    pub fn sign_out(&mut self, until: i64) -> bool {
        let is_later = until > self.signed_out;
        self.signed_out = self.signed_out.max(until);
        is_later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(900);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap_or_default()
    }

    fn token(id: &str, family: &str, issued: i64) -> Token {
        let issued_at = at(issued).timestamp_micros();
        Token { id: id.to_owned(), family: family.to_owned(), issued_at, expires_at: at(issued + 900) }
    }

    fn end(over: &mut Over, ids: &[&str], now: i64) -> bool {
        over.end(ids.iter().copied(), at(now), LIFE)
    }

    #[test]
    fn a_token_is_over_by_itself_by_its_family_and_by_its_age() {
        let mut over = Over::default();
        assert!(end(&mut over, &["t1", "f2"], 10));
        assert!(over.sign_out(at(5).timestamp_micros()));
        for (token, expected) in [
            (token("t1", "f1", 9), true),
            (token("t2", "f1", 9), false),
            (token("t3", "f2", 9), true),
            (token("t4", "f4", 4), true),
            (token("t5", "f4", 5), false),
        ] {
            assert_eq!(over.is_over(&token), expected, "{token:?}");
        }
    }

    #[test]
    fn nothing_is_written_twice() {
        let mut over = Over::default();
        assert!(end(&mut over, &["t1", "f1"], 10));
        assert!(!end(&mut over, &["f1"], 11));
        assert!(over.sign_out(5));
        assert!(!over.sign_out(5));
        assert!(!over.sign_out(4));
        assert_eq!(over.signed_out, 5);
    }

    #[test]
    fn what_has_run_out_is_forgotten() {
        let mut over = Over::default();
        end(&mut over, &["t1"], 0);
        end(&mut over, &["t2"], 900);
        assert_eq!(over.ended.keys().collect::<Vec<_>>(), ["t2"]);
    }

    #[test]
    fn whoever_signs_out_again_and_again_keeps_their_sessions_and_fills_no_store() {
        let mut over = Over::default();
        for second in 0..500_i32 {
            let (id, family) = (format!("t{second}"), format!("f{second}"));
            end(&mut over, &[&id, &family], second.into());
            assert!(over.ended.len() <= MOST_ENDED);
            for ended in 0..=second {
                let name = |kind: &str| format!("{kind}{ended}");
                // Even one whose node is a little ahead of the one that ended it.
                let token = token(&name("t"), &name("f"), i64::from(ended) + i64::from(ended == second));
                assert!(over.is_over(&token), "{token:?} after {second}");
            }
        }
        assert_eq!(over.signed_out, 0);
        assert!(!over.is_over(&token("new", "new", 500)));
    }
}
