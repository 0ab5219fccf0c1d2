//! Switches for what goes wrong out there: for the next call of an operation, or for several.

use super::Sandbox;
use crate::infra::kv::KvError;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    Ready,
    Approve,
    Order,
    Cancel,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[default]
    None,
    /// No answer, and nothing was done.
    TimeoutBefore,
    /// No answer, though it was done.
    TimeoutAfter,
    /// 500, and nothing was done.
    ErrorBefore,
    /// 500, though it was done.
    ErrorAfter,
    /// 200 with something unreadable, though it was done.
    Garbage,
    /// `approve` takes 1,000 won too much; `order` and `cancel` say 1,000 won more than there were.
    WrongAmount,
    /// Says that all but 1,000 won went back, and that nothing more can: only `order` can.
    UnevenAmount,
    /// A word that nobody has heard of, with the right amounts: only `order` can.
    NewWord,
    /// Such a word, and no amounts behind it: only `order` can.
    UnknownStatus,
    /// Denies that there is such a payment (-721), with nothing done: only `order` and `cancel` can.
    NoSuchPayment,
    /// Answers about another payment, with nothing done: only `order` and `cancel` can.
    AnotherPayment,
    /// Answers after half a second.
    Slow,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Wanted {
    pub operation: Operation,
    pub fault: Fault,
    /// For so many calls.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

/// Longer than any client waits.
const NEVER: Duration = Duration::from_secs(60);

fn key(operation: Operation) -> String {
    format!("sandbox-kakaopay-fault:{operation:?}")
}

pub async fn set(State(sandbox): State<Sandbox>, Json(wanted): Json<Wanted>) -> Response {
    match sandbox.wish(&wanted).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Sandbox {
    pub(super) async fn wish(&self, wanted: &Wanted) -> Result<(), KvError> {
        self.0.kv.set(&key(wanted.operation), &json(wanted)?, None).await
    }

    /// What goes wrong with this call.
    pub(super) async fn fault(&self, operation: Operation) -> Result<Fault, KvError> {
        let key = key(operation);
        loop {
            let Some(stored) = self.0.kv.get(&key).await? else { return Ok(Fault::None) };
            let Some(wanted) = serde_json::from_str::<Wanted>(&stored).ok().filter(|wanted| wanted.times > 0) else {
                return Ok(Fault::None);
            };
            let rest = Wanted { times: wanted.times - 1, ..wanted };
            // Of two calls at once each takes one.
            if self.0.kv.compare_and_set(&key, &stored, &json(&rest)?, None).await? {
                return Ok(wanted.fault);
            }
        }
    }
}

fn json(wanted: &Wanted) -> Result<String, KvError> {
    serde_json::to_string(wanted).map_err(|error| KvError(error.to_string()))
}

impl Fault {
    pub(super) async fn before(self) -> Result<(), Response> {
        match self {
            Self::TimeoutBefore => {
                tokio::time::sleep(NEVER).await;
                Err(StatusCode::GATEWAY_TIMEOUT.into_response())
            }
            Self::ErrorBefore => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            Self::Slow => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok(())
            }
            Self::None
            | Self::TimeoutAfter
            | Self::ErrorAfter
            | Self::Garbage
            | Self::WrongAmount
            | Self::UnevenAmount
            | Self::NewWord
            | Self::UnknownStatus
            | Self::NoSuchPayment
            | Self::AnotherPayment => Ok(()),
        }
    }

    pub(super) async fn after(self) -> Result<(), Response> {
        match self {
            Self::TimeoutAfter => {
                tokio::time::sleep(NEVER).await;
                Err(StatusCode::GATEWAY_TIMEOUT.into_response())
            }
            Self::ErrorAfter => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            Self::Garbage => Err((StatusCode::OK, "<html>점검 중</html>").into_response()),
            Self::None
            | Self::TimeoutBefore
            | Self::ErrorBefore
            | Self::WrongAmount
            | Self::UnevenAmount
            | Self::NewWord
            | Self::UnknownStatus
            | Self::NoSuchPayment
            | Self::AnotherPayment
            | Self::Slow => Ok(()),
        }
    }
}
