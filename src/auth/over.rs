//! What is over of one member or admin before its time: one entry, so that a request with a token looks at one. Pure.

use super::tokens;
use crate::user::viewer::Token;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Moments are microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Over {
    /// Sessions that began before, and tokens that were issued before.
    pub signed_out: i64,
    /// Tokens that were issued before: their sessions go on by a refresh.
    refused: i64,
    /// Families of tokens, by their ids: until when that matters.
    ended: BTreeMap<String, i64>,
}

/// So many sessions are kept by their ids. Whoever ends more of them than that within a token's life has the older access
/// tokens of all refused; sessions that are not over refresh theirs.
const MOST_ENDED: usize = 100;

/// How much the clocks of two nodes may differ.
const SKEW: TimeDelta = TimeDelta::seconds(tokens::SKEW);

impl Over {
    /// Tokens that were issued before are over.
    pub fn until(&self) -> i64 {
        self.signed_out.max(self.refused)
    }

    pub fn has_ended(&self, token: &Token) -> bool {
        self.ended.contains_key(&token.family)
    }

    pub fn is_over(&self, token: &Token) -> bool {
        self.has_ended(token) || token.issued_at < self.until()
    }

    /// The last moment at which an end by an id matters.
    pub fn last(&self) -> i64 {
        self.ended.values().copied().max().unwrap_or_default()
    }

    /// Ends every token of a family. They live for `life`; the one that is shown, which an older setting may have given
    /// longer, until `expires_at`. False if it was ended before.
    pub fn end(&mut self, family: &str, now: DateTime<Utc>, life: Duration, expires_at: Option<DateTime<Utc>>) -> bool {
        if self.ended.contains_key(family) {
            return false;
        }
        self.prune(now);
        let life = TimeDelta::from_std(life).unwrap_or_default();
        // Whose node is ahead has issued them later, and whose node is ahead forgets this sooner.
        let until = (now + life + SKEW + SKEW).max(expires_at.unwrap_or_default() + SKEW);
        self.ended.insert(family.to_owned(), until.timestamp_micros());
        if self.ended.len() > MOST_ENDED {
            self.refuse(now, life);
        }
        true
    }

    /// Forgets the older half, and refuses whatever was issued until the last one of it was ended, by whichever node's clock:
    /// nothing that is issued later than that, however long the tokens of an older setting live.
    fn refuse(&mut self, now: DateTime<Utc>, life: TimeDelta) {
        let mut moments: Vec<i64> = self.ended.values().copied().collect();
        moments.sort_unstable();
        let middle = moments.get(moments.len() / 2).copied().unwrap_or_default();
        let issued = middle.saturating_sub((life + SKEW).num_microseconds().unwrap_or_default());
        let latest = (now + SKEW + SKEW).timestamp_micros();
        self.refused = self.refused.max(issued.min(latest) + 1);
        self.ended.retain(|_, until| *until > middle);
    }

    /// Ends all that was given before. False if that was said already, or more.
    pub fn sign_out(&mut self, until: i64, now: DateTime<Utc>) -> bool {
        let is_later = until > self.signed_out;
        self.signed_out = self.signed_out.max(until);
        self.prune(now);
        is_later
    }

    fn prune(&mut self, now: DateTime<Utc>) {
        let now = now.timestamp_micros();
        self.ended.retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(900);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap_or_default()
    }

    fn token(family: &str, issued: i64) -> Token {
        Token { family: family.to_owned(), issued_at: at(issued).timestamp_micros(), expires_at: at(issued + 900) }
    }

    #[test]
    fn a_token_is_over_by_its_family_and_by_its_age() {
        let mut over = Over::default();
        assert!(over.end("f1", at(10), LIFE, None));
        assert!(over.sign_out(at(5).timestamp_micros(), at(10)));
        for (token, expected) in [
            (token("f1", 9), true),
            (token("f1", 70), true),
            (token("f2", 4), true),
            (token("f2", 5), false),
            (token("f2", 9), false),
        ] {
            assert_eq!(over.is_over(&token), expected, "{token:?}");
        }
    }

    #[test]
    fn nothing_is_written_twice() {
        let mut over = Over::default();
        assert!(over.end("f1", at(10), LIFE, None));
        assert!(!over.end("f1", at(11), LIFE, None));
        assert!(over.sign_out(5, at(11)));
        assert!(!over.sign_out(5, at(11)));
        assert!(!over.sign_out(4, at(11)));
        assert_eq!(over.signed_out, 5);
    }

    #[test]
    fn an_end_is_forgotten_when_the_last_token_has_run_out_by_the_last_clock() {
        // Issued where it is a minute later, and looked at where it is a minute earlier than where it is forgotten.
        for (expires_at, until) in [(None, 900 + 120), (Some(at(5_000)), 5_060), (Some(at(60)), 1_020)] {
            let mut over = Over::default();
            over.end("f1", at(0), LIFE, expires_at);
            assert_eq!(over.last(), at(until).timestamp_micros());
            over.sign_out(1, at(until - 1));
            assert!(over.has_ended(&token("f1", 0)), "{until}");
            over.sign_out(2, at(until));
            assert!(!over.has_ended(&token("f1", 0)), "{until}");
        }
    }

    #[test]
    fn whoever_signs_out_again_and_again_keeps_their_sessions_and_fills_no_store() {
        // How far the clock of the node that issues the tokens is ahead of that of the node that ends them, and how often.
        for (ahead, every) in [(60, 1), (60, 0), (0, 1), (0, 0), (-60, 1), (-60, 7)] {
            let mut over = Over::default();
            for session in 0..400_i64 {
                let now = session * every;
                over.end(&format!("f{session}"), at(now), LIFE, None);
                assert!(over.ended.len() <= MOST_ENDED);
                for ended in 0..=session {
                    let token = token(&format!("f{ended}"), ended * every + ahead);
                    let is_alive = token.expires_at > at(now);
                    assert!(!is_alive || over.is_over(&token), "{token:?} after {session}, {ahead} s, every {every} s");
                }
            }
            assert_eq!(over.signed_out, 0);
            assert!(!over.is_over(&token("new", 400 * every + 121)));
        }
    }

    #[test]
    fn tokens_of_an_older_setting_do_not_lock_anybody_out() {
        let mut over = Over::default();
        for session in 0..400 {
            over.end(&format!("f{session}"), at(0), LIFE, Some(at(86_400)));
        }
        assert!(over.is_over(&token("f0", 0)));
        assert!(!over.is_over(&token("new", 121)));
    }

    #[test]
    fn an_entry_of_another_version_can_be_read() {
        let over: Result<Over, _> = serde_json::from_str(r#"{"signed_out":5,"more":1}"#);
        assert_eq!(over.ok().map(|over| over.until()), Some(5));
    }
}
