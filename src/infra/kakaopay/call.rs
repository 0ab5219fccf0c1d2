//! One call: sent, and sent again if that is certainly safe; every failure put into one of four kinds.
//!
//! Safe is a request that never left, and `ready`, which charges nothing: with backoff and jitter, within the time of one
//! call.

use super::{CallError, KakaoPayClient, wire};
use crate::infra::kill_point::{self, Moment};
use backon::{ExponentialBuilder, Retryable};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use std::time::{Duration, Instant};

/// As long as a connection may take. With less time than that left, no further one is tried.
pub(super) const CONNECT: Duration = Duration::from_secs(3);
/// The pauses between attempts: 100, 200, 400 ms, each with up to as much again at random.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const MOST_REPEATS: usize = 3;

/// What may be done again when there was no answer that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Safe {
    /// Only what certainly never left.
    Unsent,
    /// Whatever is in doubt: done twice, it does no harm.
    InDoubt,
}

impl Safe {
    const fn to_repeat(self, error: &CallError) -> bool {
        match error {
            CallError::Unreachable(_) => true,
            CallError::InDoubt(_) | CallError::Unreadable(_) => matches!(self, Self::InDoubt),
            CallError::Refused { .. } => false,
        }
    }
}

impl KakaoPayClient {
    pub(super) async fn call<A: DeserializeOwned>(
        &self,
        what: &str,
        body: &(impl Serialize + Sync),
        safe: Safe,
    ) -> Result<A, CallError> {
        let (began, timeout) = (Instant::now(), self.settings.timeout);
        let pauses =
            ExponentialBuilder::new().with_min_delay(SHORTEST_PAUSE).with_max_times(MOST_REPEATS).with_jitter();
        let attempt = || self.attempt(what, body, timeout.saturating_sub(began.elapsed()));
        let is_worth_another = |error: &CallError| safe.to_repeat(error) && began.elapsed() + CONNECT < timeout;
        attempt.retry(pauses).when(is_worth_another).await
    }

    async fn attempt<A: DeserializeOwned>(
        &self,
        what: &str,
        body: &(impl Serialize + Sync),
        timeout: Duration,
    ) -> Result<A, CallError> {
        let url = format!("{}/online/v1/payment/{what}", self.settings.base_url.trim_end_matches('/'));
        let key = format!("SECRET_KEY {}", self.settings.secret_key.expose_secret());
        let place = format!("kakaopay {what}");
        kill_point::pass(Moment::BeforeCall, &place);
        let sent = self.http.post(url).header("Authorization", key).json(body).timeout(timeout).send().await;
        let answer = sent.map_err(|error| {
            let (is_unsent, said) = (error.is_connect() || error.is_builder(), error.without_url().to_string());
            if is_unsent { CallError::Unreachable(said) } else { CallError::InDoubt(said) }
        })?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| CallError::InDoubt(error.without_url().to_string()))?;
        kill_point::pass(Moment::AfterCall, &place);
        read(status, &text)
    }
}

/// What an answer means.
pub(super) fn read<A: DeserializeOwned>(status: u16, text: &str) -> Result<A, CallError> {
    if status == 200 {
        return serde_json::from_str(text).map_err(|error| CallError::Unreadable(error.to_string()));
    }
    let told: Option<wire::ErrorAnswer> = serde_json::from_str(text).ok();
    match (status, told) {
        (400..=499, Some(told)) => match told.code() {
            // Already approved; not in this state, whatever that is; the same call is in flight: it may have happened.
            Some(code @ (-702 | -783 | -785)) => Err(CallError::InDoubt(format!("{code} {}", told.error_message))),
            Some(code) => Err(CallError::Refused { code, message: told.error_message }),
            None => Err(CallError::Unreadable(format!("HTTP {status}, a code that cannot be read"))),
        },
        (401 | 403, None) => Err(CallError::Refused { code: i64::from(status), message: "the key is refused".into() }),
        (status, _) => Err(CallError::InDoubt(format!("HTTP {status}"))),
    }
}
