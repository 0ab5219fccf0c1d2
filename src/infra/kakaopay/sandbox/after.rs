//! `order` and `cancel`, with the real one's rules and error codes.

use super::{
    super::wire,
    Sandbox,
    api::{NO_SUCH, Refusal, admit, broken},
    fault::{Fault, Operation},
    store::{Payment, Status},
};
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

pub async fn order(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Json(body): Json<wire::OrderBody>,
) -> Result<Response, Response> {
    admit(&sandbox, &headers, &body.cid).map_err(|refusal| *refusal)?;
    let fault = sandbox.fault(Operation::Order).await.map_err(broken)?;
    fault.before().await?;
    let payment = sandbox.find(&body.tid).await.map_err(broken)?.filter(|_| fault != Fault::NoSuchPayment);
    let payment = payment.ok_or_else(|| NO_SUCH.into_response())?;
    fault.after().await?;
    Ok(Json(standing(&sandbox, body.cid, payment, fault)).into_response())
}

fn standing(sandbox: &Sandbox, cid: String, payment: Payment, fault: Fault) -> wire::OrderAnswer {
    let status = if sandbox.is_expired(&payment) { Status::FailPayment } else { payment.status };
    let is_new_word = matches!(fault, Fault::UnknownStatus | Fault::NewWord);
    let is_another = fault == Fault::AnotherPayment;
    let (taken, canceled) = match fault {
        Fault::UnknownStatus => (0, 0),
        Fault::WrongAmount => (payment.taken + 1_000, payment.canceled),
        _ => (payment.taken, payment.canceled),
    };
    let (canceled, left) = if fault == Fault::UnevenAmount { (taken - 1_000, 0) } else { (canceled, taken - canceled) };
    let aid = format!("A{}", payment.tid.trim_start_matches('T'));
    let paid = wire::Action { aid, amount: taken, payment_action_type: "PAYMENT".into() };
    wire::OrderAnswer {
        tid: payment.tid,
        cid,
        status: if is_new_word { "IN_REVIEW".into() } else { status.word() },
        partner_order_id: if is_another { "another".into() } else { payment.order.partner_order_id },
        amount: wire::Amount { total: if taken > 0 { taken } else { payment.order.total_amount } },
        canceled_amount: wire::Amount { total: canceled },
        cancel_available_amount: wire::Amount { total: left },
        payment_action_details: (taken > 0).then(|| vec![paid]),
    }
}

pub async fn cancel(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Json(body): Json<wire::CancelBody>,
) -> Result<Response, Response> {
    admit(&sandbox, &headers, &body.cid).map_err(|refusal| *refusal)?;
    let fault = sandbox.fault(Operation::Cancel).await.map_err(broken)?;
    fault.before().await?;
    if fault == Fault::NoSuchPayment {
        return Err(NO_SUCH.into_response());
    }
    if fault == Fault::AnotherPayment {
        return Ok(Json(another_canceled(body)).into_response());
    }
    let outcome = sandbox.change(&body.tid, |payment| {
        match payment.status {
            Status::SuccessPayment | Status::PartCancelPayment | Status::CancelPayment => {}
            Status::Ready
            | Status::AuthPassword
            | Status::FailAuthPassword
            | Status::QuitPayment
            | Status::FailPayment => {
                return Err(Refusal(-784, "cancel not allowed in this state"));
            }
        }
        if body.cancel_amount <= 0 || body.cancel_amount > payment.taken - payment.canceled {
            return Err(Refusal(-710, "more than can be canceled"));
        }
        payment.canceled += body.cancel_amount;
        let is_all = payment.canceled == payment.taken;
        payment.status = if is_all { Status::CancelPayment } else { Status::PartCancelPayment };
        Ok(payment.clone())
    });
    let payment = outcome.await.map_err(broken)?.unwrap_or(Err(NO_SUCH)).map_err(IntoResponse::into_response)?;
    fault.after().await?;
    let more = if fault == Fault::WrongAmount { 1_000 } else { 0 };
    let answer = wire::CancelAnswer {
        aid: format!("C{}", payment.tid.trim_start_matches('T')),
        cid: body.cid,
        status: payment.status.word(),
        canceled_amount: wire::Amount { total: payment.canceled + more },
        cancel_available_amount: wire::Amount { total: payment.taken - payment.canceled },
        tid: payment.tid,
    };
    Ok(Json(answer).into_response())
}

fn another_canceled(body: wire::CancelBody) -> wire::CancelAnswer {
    wire::CancelAnswer {
        aid: "C0".into(),
        cid: body.cid,
        status: Status::CancelPayment.word(),
        canceled_amount: wire::Amount { total: body.cancel_amount },
        cancel_available_amount: wire::Amount { total: 0 },
        tid: "T0000000000000000000".into(),
    }
}
