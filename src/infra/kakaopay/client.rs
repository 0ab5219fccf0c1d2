//! The client: redirects off, time-outs set, every failure put into one of three kinds.

use super::{
    ApproveRequest, Approved, CallError, CancelRequest, Canceled, Order, OrderStatus, PaymentProvider, Ready,
    ReadyRequest, wire,
};
use crate::infra::kill_point::{self, Moment};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
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
    http: reqwest::Client,
    settings: ClientSettings,
}

impl KakaoPayClient {
    pub fn new(settings: ClientSettings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(settings.timeout)
            .no_proxy()
            .build()?;
        Ok(Self { http, settings })
    }

    async fn call<A: DeserializeOwned>(&self, what: &str, body: &impl Serialize) -> Result<A, CallError> {
        let url = format!("{}/online/v1/payment/{what}", self.settings.base_url.trim_end_matches('/'));
        let key = format!("SECRET_KEY {}", self.settings.secret_key.expose_secret());
        let place = format!("kakaopay {what}");
        kill_point::pass(Moment::BeforeCall, &place);
        let sent = self.http.post(url).header("Authorization", key).json(body).send().await;
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
fn read<A: DeserializeOwned>(status: u16, text: &str) -> Result<A, CallError> {
    if status == 200 {
        return serde_json::from_str(text).map_err(|error| CallError::InDoubt(format!("unreadable answer: {error}")));
    }
    let told: Option<wire::ErrorAnswer> = serde_json::from_str(text).ok();
    match (status, told) {
        (400..=499, Some(told)) => match told.code() {
            // Already approved; not in this state, whatever that is; the same call is in flight: it may have happened.
            Some(code @ (-702 | -783 | -785)) => Err(CallError::InDoubt(format!("{code} {}", told.error_message))),
            Some(code) => Err(CallError::Refused { code, message: told.error_message }),
            None => Err(CallError::InDoubt(format!("HTTP {status}, a code that cannot be read"))),
        },
        (401 | 403, None) => Err(CallError::Refused { code: i64::from(status), message: "the key is refused".into() }),
        (status, _) => Err(CallError::InDoubt(format!("HTTP {status}"))),
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
        let answer: wire::ReadyAnswer = self.call("ready", &body).await?;
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
        let answer: wire::ApproveAnswer = self.call("approve", &body).await?;
        Ok(Approved {
            aid: answer.aid,
            tid: answer.tid,
            total_amount: answer.amount.total,
            partner_order_id: answer.partner_order_id,
        })
    }

    async fn order(&self, tid: &str) -> Result<Order, CallError> {
        let body = wire::OrderBody { cid: self.settings.cid.clone(), tid: tid.to_owned() };
        let answer: wire::OrderAnswer = self.call("order", &body).await?;
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
        let answer: wire::CancelAnswer = self.call("cancel", &body).await?;
        Ok(Canceled {
            aid: answer.aid,
            tid: answer.tid,
            canceled_total: answer.canceled_amount.total,
            available: answer.cancel_available_amount.total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        type Read = Result<wire::OrderBody, CallError>;
        let doubt = |read: Read| matches!(read, Err(CallError::InDoubt(_)));
        assert!(doubt(read(500, "{}")));
        assert!(doubt(read(502, "<html>")));
        assert!(doubt(read(200, "garbage")));
        assert!(doubt(read(302, "")));
        assert!(doubt(read(400, r#"{"error_code":-702,"error_message":"already"}"#)));
        assert!(doubt(read(400, r#"{"error_code":"-785","error_message":"in flight"}"#)));
        let refused: Read = read(400, r#"{"error_code":"-780","error_message":"no","extras":{"x":1}}"#);
        assert_eq!(refused.err(), Some(CallError::Refused { code: -780, message: "no".into() }));
        let key: Read = read(401, "");
        assert!(matches!(key, Err(CallError::Refused { code: 401, .. })));
    }
}
