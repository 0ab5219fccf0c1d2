//! The client: redirects off, time-outs set, the API's answers in our own words. Read `call` for how each call is made.

use super::{
    ApproveRequest, Approved, CallError, CancelRequest, Canceled, Order, OrderStatus, PaymentProvider, Ready,
    ReadyRequest,
    call::{CONNECT, Safe},
    wire,
};
use async_trait::async_trait;
use secrecy::SecretString;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct ClientSettings {
    pub base_url: String,
    pub secret_key: SecretString,
    pub cid: String,
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct KakaoPayClient {
    pub(super) http: reqwest::Client,
    pub(super) settings: ClientSettings,
}

impl KakaoPayClient {
    pub fn new(settings: ClientSettings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(settings.timeout)
            .no_proxy()
            .build()?;
        Ok(Self { http, settings })
    }
}

#[async_trait]
impl PaymentProvider for KakaoPayClient {
    async fn ready(&self, request: &ReadyRequest) -> Result<Ready, CallError> {
        let body = wire::ReadyBody {
            cid: self.settings.cid.clone(),
            partner_order_id: request.partner_order_id.clone(),
            partner_user_id: request.partner_user_id.clone(),
            item_name: request.item_name.clone(),
            quantity: request.quantity,
            total_amount: request.total_amount,
            tax_free_amount: 0,
            approval_url: request.approval_url.clone(),
            cancel_url: request.cancel_url.clone(),
            fail_url: request.fail_url.clone(),
        };
        let answer: wire::ReadyAnswer = self.call("ready", &body, Safe::InDoubt).await?;
        Ok(Ready {
            tid: answer.tid,
            pc_url: answer.next_redirect_pc_url,
            mobile_url: answer.next_redirect_mobile_url,
            app_url: answer.next_redirect_app_url,
        })
    }

    async fn approve(&self, request: &ApproveRequest) -> Result<Approved, CallError> {
        let body = wire::ApproveBody {
            cid: self.settings.cid.clone(),
            tid: request.tid.clone(),
            partner_order_id: request.partner_order_id.clone(),
            partner_user_id: request.partner_user_id.clone(),
            pg_token: request.pg_token.clone(),
        };
        let answer: wire::ApproveAnswer = self.call("approve", &body, Safe::Unsent).await?;
        Ok(Approved {
            aid: answer.aid,
            tid: answer.tid,
            total_amount: answer.amount.total,
            partner_order_id: answer.partner_order_id,
        })
    }

    async fn order(&self, tid: &str) -> Result<Order, CallError> {
        let body = wire::OrderBody { cid: self.settings.cid.clone(), tid: tid.to_owned() };
        let answer: wire::OrderAnswer = self.call("order", &body, Safe::Unsent).await?;
        Ok(Order {
            status: OrderStatus::parse(&answer.status),
            tid: answer.tid,
            partner_order_id: answer.partner_order_id,
            total_amount: answer.amount.total,
            canceled_amount: answer.canceled_amount.total,
            available: answer.cancel_available_amount.total,
            has_payment: answer.payment_action_details.iter().flatten().any(wire::Action::is_payment),
        })
    }

    async fn cancel(&self, request: &CancelRequest) -> Result<Canceled, CallError> {
        let body = wire::CancelBody {
            cid: self.settings.cid.clone(),
            tid: request.tid.clone(),
            cancel_amount: request.amount,
            cancel_tax_free_amount: 0,
        };
        let answer: wire::CancelAnswer = self.call("cancel", &body, Safe::Unsent).await?;
        Ok(Canceled {
            aid: answer.aid,
            tid: answer.tid,
            canceled_total: answer.canceled_amount.total,
            available: answer.cancel_available_amount.total,
        })
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
