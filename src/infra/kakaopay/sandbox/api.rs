//! `ready` and `approve`, with the real one's rules and error codes. Read `after` for what comes after the money.

use super::{
    super::wire,
    Sandbox,
    fault::{Fault, Operation},
    store::{Payment, Status},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use secrecy::ExposeSecret;

/// A refusal of the API.
#[derive(Debug)]
pub struct Refusal(pub i64, pub &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = wire::ErrorAnswer { error_code: self.0.into(), error_message: self.1.to_owned() };
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

pub(super) const NO_SUCH: Refusal = Refusal(-721, "no such tid");

pub(super) fn admit(sandbox: &Sandbox, headers: &HeaderMap, cid: &str) -> Result<(), Box<Response>> {
    let due = format!("SECRET_KEY {}", sandbox.0.secret_key.expose_secret());
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if shown != Some(due.as_str()) {
        return Err(Box::new(StatusCode::UNAUTHORIZED.into_response()));
    }
    if cid != sandbox.0.cid {
        return Err(Box::new(Refusal(-731, "invalid cid").into_response()));
    }
    Ok(())
}

/// Korean time, without a zone, as the real one writes it.
fn stamp(sandbox: &Sandbox) -> String {
    (sandbox.0.clock.now() + TimeDelta::hours(9)).format("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(super) fn broken(error: impl std::fmt::Display) -> Response {
    tracing::error!(%error, "the sandbox cannot keep its state");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

pub async fn ready(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Json(body): Json<wire::ReadyBody>,
) -> Result<Response, Response> {
    admit(&sandbox, &headers, &body.cid).map_err(|refusal| *refusal)?;
    if body.total_amount <= 0 || body.quantity <= 0 {
        return Err(Refusal(-722, "wrong amount").into_response());
    }
    let fault = sandbox.fault(Operation::Ready).await.map_err(broken)?;
    fault.before().await?;
    let tid = format!(
        "T{}",
        data_encoding::HEXUPPER.encode(&sandbox.0.ids.bytes::<10>()).chars().take(19).collect::<String>()
    );
    let payment = Payment {
        tid: tid.clone(),
        order: body.into(),
        status: Status::Ready,
        pg_token: None,
        created_at: sandbox.0.clock.now(),
        taken: 0,
        canceled: 0,
    };
    sandbox.put(&payment).await.map_err(broken)?;
    fault.after().await?;
    let page = format!("{}/pay/{tid}", sandbox.0.base_url);
    let answer = wire::ReadyAnswer {
        tid,
        next_redirect_pc_url: page.clone(),
        next_redirect_mobile_url: page.clone(),
        next_redirect_app_url: page,
        created_at: stamp(&sandbox),
    };
    Ok(Json(answer).into_response())
}

pub async fn approve(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Json(body): Json<wire::ApproveBody>,
) -> Result<Response, Response> {
    admit(&sandbox, &headers, &body.cid).map_err(|refusal| *refusal)?;
    let fault = sandbox.fault(Operation::Approve).await.map_err(broken)?;
    fault.before().await?;
    let extra = if fault == Fault::WrongAmount { 1_000 } else { 0 };
    let outcome = sandbox.change(&body.tid, |payment| {
        check_approve(&sandbox, payment, &body)?;
        payment.status = Status::SuccessPayment;
        payment.taken = payment.order.total_amount + extra;
        Ok(payment.clone())
    });
    let payment = outcome.await.map_err(broken)?.unwrap_or(Err(NO_SUCH)).map_err(IntoResponse::into_response)?;
    fault.after().await?;
    let answer = wire::ApproveAnswer {
        aid: format!("A{}", payment.tid.trim_start_matches('T')),
        tid: payment.tid,
        cid: body.cid,
        partner_order_id: payment.order.partner_order_id,
        partner_user_id: payment.order.partner_user_id,
        payment_method_type: "MONEY".into(),
        amount: wire::Amount { total: payment.taken },
        approved_at: stamp(&sandbox),
    };
    Ok(Json(answer).into_response())
}

fn check_approve(sandbox: &Sandbox, payment: &Payment, body: &wire::ApproveBody) -> Result<(), Refusal> {
    if sandbox.is_expired(payment) {
        return Err(Refusal(-723, "payment expired"));
    }
    match payment.status {
        Status::Ready | Status::FailAuthPassword => return Err(Refusal(-701, "not authenticated yet")),
        Status::AuthPassword => {}
        Status::SuccessPayment => return Err(Refusal(-702, "already approved")),
        Status::CancelPayment | Status::PartCancelPayment | Status::QuitPayment | Status::FailPayment => {
            return Err(Refusal(-783, "approve not allowed in this state"));
        }
    }
    if payment.order.partner_order_id != body.partner_order_id {
        return Err(Refusal(-706, "partner_order_id differs"));
    }
    if payment.order.partner_user_id != body.partner_user_id {
        return Err(Refusal(-707, "partner_user_id differs"));
    }
    if payment.pg_token.as_deref() != Some(body.pg_token.as_str()) {
        return Err(Refusal(-708, "wrong pg_token"));
    }
    Ok(())
}
