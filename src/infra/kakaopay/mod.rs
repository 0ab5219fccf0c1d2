//! KakaoPay single payment: what we ask of the provider, and the two that answer.
//!
//! [`client`] talks to the real one; [`sandbox`] is a server that speaks the same HTTP API, with a page on which one
//! presses pay, give up or fail. The client is the same for both: only the address differs.

mod call;
pub mod client;
mod order;
pub mod sandbox;
mod status;
mod wire;

use async_trait::async_trait;
pub use client::{ClientSettings, KakaoPayClient};
pub use order::{Money, Order};
pub use status::OrderStatus;
use std::fmt::Debug;

/// The four calls. Tests put a script in its place.
#[async_trait]
pub trait PaymentProvider: Debug + Send + Sync + 'static {
    /// Opens a payment and gives the pages to pay on; charges nothing.
    async fn ready(&self, request: &ReadyRequest) -> Result<Ready, CallError>;
    /// Takes the money that somebody agreed to.
    async fn approve(&self, request: &ApproveRequest) -> Result<Approved, CallError>;
    /// What has become of a payment.
    async fn order(&self, tid: &str) -> Result<Order, CallError>;
    /// Gives money back.
    async fn cancel(&self, request: &CancelRequest) -> Result<Canceled, CallError>;
}

#[derive(Clone, Debug)]
pub struct ReadyRequest {
    pub partner_order_id: String,
    pub partner_user_id: String,
    pub item_name: String,
    pub quantity: i64,
    pub total_amount: i64,
    pub approval_url: String,
    pub cancel_url: String,
    pub fail_url: String,
}

#[derive(Clone, Debug)]
pub struct Ready {
    pub tid: String,
    pub pc_url: String,
    pub mobile_url: String,
    pub app_url: String,
}

#[derive(Clone)]
pub struct ApproveRequest {
    pub tid: String,
    pub partner_order_id: String,
    pub partner_user_id: String,
    pub pg_token: String,
}

/// The token is a secret: it takes money.
impl Debug for ApproveRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApproveRequest").field("tid", &self.tid).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
pub struct Approved {
    pub aid: String,
    pub tid: String,
    pub total_amount: i64,
    pub partner_order_id: String,
}

/// Tax-free parts are not sold here.
#[derive(Clone, Debug)]
pub struct CancelRequest {
    pub tid: String,
    pub amount: i64,
}

#[derive(Clone, Debug)]
pub struct Canceled {
    pub aid: String,
    /// Whose money went back: to be compared, as with every answer.
    pub tid: String,
    pub canceled_total: i64,
    pub available: i64,
}

/// Why a call gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The provider said no: nothing happened.
    #[error("refused: {code} {message}")]
    Refused { code: i64, message: String },
    /// Nobody knows whether it happened: ask `order`.
    #[error("in doubt: {0}")]
    InDoubt(String),
    /// It answered, and nobody can read what: as much in doubt, but it is there.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// The request certainly never left.
    #[error("unreachable: {0}")]
    Unreachable(String),
}
