//! The browser comes back from the provider. `approved` takes the money, once, however often the page is reloaded;
//! `canceled` and `failed` are not believed: the provider is asked.

use crate::{
    app::App,
    error::{Error, Result},
    payment::{self, approve, give_up, return_url},
};
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use maud::{DOCTYPE, html};
use serde::Deserialize;
use tokio::time::timeout;

#[derive(Debug, Deserialize)]
pub struct Parameters {
    pg_token: Option<String>,
}

pub async fn back(
    State(app): State<App>,
    Path((id, outcome)): Path<(String, String)>,
    Query(parameters): Query<Parameters>,
) -> Response {
    let Ok(id) = id.parse::<PaymentId>() else { return StatusCode::NOT_FOUND.into_response() };
    // What was begun goes on: a browser waits no longer for it than for an operation.
    let time = app.config.edge.operation_time;
    let settled = match (outcome.as_str(), parameters.pg_token) {
        ("approved", Some(token)) => timeout(time, settle(&app, id, token)).await,
        ("canceled" | "failed", _) => {
            let giving = app.clone();
            timeout(time, app.outlive(async move { give_up::give_up(&giving, id).await })).await
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let settled = settled.unwrap_or_else(|_| Err(Error::Unavailable("the database takes too long".to_owned())));
    match settled {
        Ok(payment) => match return_url::after(&payment) {
            Some(address) => Redirect::to(&address).into_response(),
            None => result_page(&payment).into_response(),
        },
        Err(Error::Refused(_)) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(payment = %id, %error, "the way back from a payment failed");
            (StatusCode::SERVICE_UNAVAILABLE, "잠시 뒤에 새로고침해 주세요. Reload in a moment.").into_response()
        }
    }
}

/// Whatever the approve call says, the browser is told what the payment is now.
async fn settle(app: &App, id: PaymentId, token: String) -> Result<Model> {
    let approving = app.clone();
    let approved = app.outlive(async move { approve::approve(&approving, id, token).await }).await;
    match approved {
        Err(error) if matches!(error, Error::Refused(_)) || error.is_away() => {
            let found = payment::query::by_id(app.db.reads(), id).await?;
            found.ok_or_else(|| Error::not_found(&["paymentId"]))
        }
        other => other,
    }
}

fn result_page(payment: &Model) -> maud::Markup {
    let (ko, en) = match payment.status {
        PaymentStatus::Approved => ("결제가 완료되었습니다.", "The payment is done."),
        PaymentStatus::Approving | PaymentStatus::Canceling | PaymentStatus::Pending => {
            ("결제 결과를 확인하고 있습니다.", "The payment is being checked.")
        }
        PaymentStatus::Ready => ("아직 결제되지 않았습니다.", "Not paid yet."),
        PaymentStatus::Canceled => ("결제가 취소되었습니다.", "The money was returned."),
        PaymentStatus::Failed | PaymentStatus::Expired => {
            ("결제가 완료되지 않았습니다.", "The payment was not completed.")
        }
    };
    html! {
        (DOCTYPE)
        html lang="ko" {
            head { meta charset="utf-8"; title { (ko) } style { "body{font-family:system-ui;display:grid;place-items:center;min-height:90vh}" } }
            body { main { h1 { (ko) } p { (en) } small { (payment.id) } } }
        }
    }
}
