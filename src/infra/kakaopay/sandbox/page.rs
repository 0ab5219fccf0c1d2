//! The page on which a person pays, gives up or fails.

use super::{
    Sandbox,
    fault::{Fault, Operation, Wanted},
    store::{Payment, Status},
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use url::Url;

/// What can be pressed, and in which words.
const PRESSES: [(&str, &str, &str); 4] = [
    ("approve", "결제하기", "Pay"),
    ("quit", "취소하기", "Give up"),
    ("mistype", "비밀번호 틀리기", "Mistype the password"),
    ("fail", "실패하기", "Fail"),
];

const STYLE: &str = "body{font-family:system-ui,sans-serif;background:#f4f1ea;margin:0;display:grid;place-items:center;min-height:100vh}\
main{background:#fff;border-radius:16px;padding:28px;width:min(360px,calc(100vw - 64px));box-shadow:0 8px 30px #0002}\
.note{background:#fee500;border-radius:8px;padding:8px 12px;font-size:13px}h1{font-size:18px;margin:18px 0 4px}\
.amount{font-size:30px;font-weight:700;margin:8px 0 20px}small{color:#777}form{margin:8px 0}\
button{width:100%;padding:14px;border:0;border-radius:10px;font-size:16px;background:#eee}\
form[name=approve] button{background:#fee500;font-weight:700}select{margin:4px 0 8px;padding:6px;width:100%}";

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="ko" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
                style { (STYLE) }
            }
            body { main { (body) } }
        }
    }
}

pub async fn show(State(sandbox): State<Sandbox>, Path(tid): Path<String>) -> Response {
    match sandbox.find(&tid).await {
        Ok(Some(payment)) => render(&sandbox, &payment).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, page("없음", &html! { p { "결제를 찾을 수 없습니다. No such payment." } }))
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot read its state");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn render(sandbox: &Sandbox, payment: &Payment) -> Markup {
    let is_open = payment.status.is_open() && !sandbox.is_expired(payment);
    page(
        "카카오페이 샌드박스",
        &html! {
            div.note { "샌드박스입니다. 실제로 결제되지 않습니다. " small { "Sandbox: no real money." } }
            h1 { (payment.order.item_name) }
            small { "수량 " (payment.order.quantity) " · 주문 " (payment.order.partner_order_id) }
            div.amount { (won(payment.order.total_amount)) "원" }
            @if is_open {
                @for (name, ko, en) in PRESSES {
                    form name=(name) method="post" action={ (sandbox.0.base_url) "/pay/" (payment.tid) "/" (name) } {
                        @if name == "approve" { (faults()) }
                        button type="submit" { (ko) " " small { (en) } }
                    }
                }
            } @else {
                p { "이미 끝난 결제입니다. " small { "This payment is over: " (payment.status.word()) } }
            }
        },
    )
}

/// What is to go wrong with the approve call that follows.
fn faults() -> Markup {
    let choices = [
        ("none", "정상 · none"),
        ("timeout_before", "승인 전 시간 초과 · time-out, not taken"),
        ("timeout_after", "승인 후 시간 초과 · time-out, taken"),
        ("error_before", "승인 전 500 · error, not taken"),
        ("error_after", "승인 후 500 · error, taken"),
        ("garbage", "알 수 없는 응답 · garbage, taken"),
        ("wrong_amount", "다른 금액 · 1,000 won too much"),
        ("slow", "느림 · slow"),
    ];
    html! {
        details {
            summary { small { "장애 실험 · faults" } }
            select name="fault" { @for (value, label) in choices { option value=(value) { (label) } } }
        }
    }
}

fn won(amount: i64) -> String {
    let digits = amount.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[derive(Debug, Deserialize)]
pub struct Pressed {
    #[serde(default)]
    fault: Fault,
}

pub async fn press(
    State(sandbox): State<Sandbox>,
    Path((tid, press)): Path<(String, String)>,
    Form(form): Form<Pressed>,
) -> Response {
    let token = sandbox.0.ids.secret().chars().take(20).collect::<String>();
    let changed = sandbox.change(&tid, |payment| {
        let is_open = payment.status.is_open() && !sandbox.is_expired(payment);
        if !is_open {
            return Err(());
        }
        let address = match press.as_str() {
            "approve" => {
                payment.status = Status::AuthPassword;
                payment.pg_token = Some(token.clone());
                with_token(&payment.order.approval_url, &token)
            }
            // Comes back as failed, and may go on.
            "mistype" => {
                payment.status = Status::FailAuthPassword;
                Some(payment.order.fail_url.clone())
            }
            "quit" => {
                payment.status = Status::QuitPayment;
                Some(payment.order.cancel_url.clone())
            }
            "fail" => {
                payment.status = Status::FailPayment;
                Some(payment.order.fail_url.clone())
            }
            _ => None,
        };
        address.ok_or(())
    });
    let address = match changed.await {
        Ok(Some(Ok(address))) => address,
        Ok(_) => return Redirect::to(&format!("{}/pay/{tid}", sandbox.0.base_url)).into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let wanted = Wanted { operation: Operation::Approve, fault: form.fault, times: 1 };
    if wanted.fault != Fault::None && sandbox.wish(&wanted).await.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    Redirect::to(&address).into_response()
}

/// Keeps the address's own parameters.
fn with_token(address: &str, token: &str) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    url.query_pairs_mut().append_pair("pg_token", token);
    Some(url.into())
}
