//! Liveness and readiness are different questions.

use crate::app::App;
use axum::{extract::State, http::StatusCode};

/// This process runs.
pub async fn live() -> &'static str {
    "ok"
}

/// It can serve: the database answers, and nobody asked it to stop.
pub async fn ready(State(app): State<App>) -> StatusCode {
    let is_ready = !app.shutdown.is_cancelled() && app.db.answers().await;
    if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
