//! One payment, as the sandbox remembers it.

use super::{super::wire::ReadyBody, Sandbox};
use crate::infra::kv::KvError;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Ready,
    AuthPassword,
    FailAuthPassword,
    SuccessPayment,
    CancelPayment,
    PartCancelPayment,
    QuitPayment,
    FailPayment,
}

impl Status {
    /// Whether it can still be agreed to.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::AuthPassword | Self::FailAuthPassword)
    }

    /// The API's own word.
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    pub tid: String,
    pub order: Asked,
    pub status: Status,
    pub pg_token: Option<String>,
    pub created_at: DateTime<Utc>,
    /// What was taken: another amount than was asked for, under a fault.
    pub taken: i64,
    pub canceled: i64,
}

/// What `ready` was told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    pub partner_order_id: String,
    pub partner_user_id: String,
    pub item_name: String,
    pub quantity: i64,
    pub total_amount: i64,
    pub approval_url: String,
    pub cancel_url: String,
    pub fail_url: String,
}

impl From<ReadyBody> for Asked {
    fn from(body: ReadyBody) -> Self {
        Self {
            partner_order_id: body.partner_order_id,
            partner_user_id: body.partner_user_id,
            item_name: body.item_name,
            quantity: body.quantity,
            total_amount: body.total_amount,
            approval_url: body.approval_url,
            cancel_url: body.cancel_url,
            fail_url: body.fail_url,
        }
    }
}

/// The real one keeps records for years; a month is enough for play.
const KEEP: Duration = Duration::from_secs(31 * 24 * 3600);

fn key(tid: &str) -> String {
    format!("sandbox-kakaopay:{tid}")
}

fn json(payment: &Payment) -> Result<String, KvError> {
    serde_json::to_string(payment).map_err(|error| KvError(error.to_string()))
}

impl Sandbox {
    pub(super) async fn put(&self, payment: &Payment) -> Result<(), KvError> {
        self.0.kv.set(&key(&payment.tid), &json(payment)?, Some(KEEP)).await
    }

    pub(super) async fn find(&self, tid: &str) -> Result<Option<Payment>, KvError> {
        let stored = self.0.kv.get(&key(tid)).await?;
        stored.map(|text| serde_json::from_str(&text).map_err(|error| KvError(error.to_string()))).transpose()
    }

    /// Changes a payment under compare-and-set: of two at once, the second decides on what the first left.
    pub(super) async fn change<T, E>(
        &self,
        tid: &str,
        change: impl Fn(&mut Payment) -> Result<T, E>,
    ) -> Result<Option<Result<T, E>>, KvError> {
        loop {
            let Some(stored) = self.0.kv.get(&key(tid)).await? else { return Ok(None) };
            let mut payment: Payment = serde_json::from_str(&stored).map_err(|error| KvError(error.to_string()))?;
            let outcome = change(&mut payment);
            if outcome.is_err() {
                return Ok(Some(outcome));
            }
            if self.0.kv.compare_and_set(&key(tid), &stored, &json(&payment)?, Some(KEEP)).await? {
                return Ok(Some(outcome));
            }
        }
    }

    /// Past its time without having been approved.
    pub(super) fn is_expired(&self, payment: &Payment) -> bool {
        let is_open = payment.status.is_open();
        is_open && self.0.clock.now() >= payment.created_at + self.0.expiry
    }
}

/// The key and the value of a payment that was taken before this sandbox began: for the demo world, whose bookings can
/// then be refunded like any other.
pub fn taken(payment: &entity::payment::Model, item_name: &str) -> Option<(String, String)> {
    let tid = payment.tid.clone()?;
    let order = Asked {
        partner_order_id: payment.id.to_string(),
        partner_user_id: payment.user_id.to_string(),
        item_name: item_name.to_owned(),
        quantity: 1,
        total_amount: payment.amount,
        approval_url: String::new(),
        cancel_url: String::new(),
        fail_url: String::new(),
    };
    let remembered = Payment {
        tid: tid.clone(),
        order,
        status: Status::SuccessPayment,
        pg_token: None,
        created_at: payment.created_at,
        taken: payment.amount,
        canceled: 0,
    };
    Some((key(&tid), json(&remembered).ok()?))
}
