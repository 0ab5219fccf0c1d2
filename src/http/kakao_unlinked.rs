//! Kakao's unlink webhook. It must be answered within 3 seconds, with 200 for people that we do not know, too.

use super::{KAKAO_UNLINKED, small_body};
use crate::{app::App, auth::social::unlinked};
use axum::{
    Form, Router,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
    middleware,
    routing::get,
};
use serde::Deserialize;

pub fn routes(app: &App) -> Router {
    Router::new()
        .route(KAKAO_UNLINKED, get(by_query).post(by_form))
        .layer(middleware::from_fn_with_state(app.config.edge.body_time, small_body::read))
        .with_state(app.clone())
}

/// `app_id` and `referrer_type` come along, and change nothing here.
#[derive(Deserialize)]
struct Told {
    user_id: String,
}

async fn by_query(app: State<App>, headers: HeaderMap, told: Result<Query<Told>, QueryRejection>) -> StatusCode {
    hear(&app, &headers, told.ok().map(|Query(told)| told)).await
}

async fn by_form(app: State<App>, headers: HeaderMap, told: Result<Form<Told>, FormRejection>) -> StatusCode {
    hear(&app, &headers, told.ok().map(|Form(told)| told)).await
}

async fn hear(app: &App, headers: &HeaderMap, told: Option<Told>) -> StatusCode {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    if !unlinked::is_from_kakao(app, authorization) {
        return StatusCode::UNAUTHORIZED;
    }
    let is_id = |id: &str| (1..=19).contains(&id.len()) && id.bytes().all(|digit| digit.is_ascii_digit());
    let Some(told) = told.filter(|told| is_id(&told.user_id)) else { return StatusCode::BAD_REQUEST };
    match unlinked::take_note(app, &told.user_id).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, "an unlink at Kakao could not be noted");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
