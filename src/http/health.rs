//! Liveness and readiness are different questions.

use crate::app::App;
use axum::{extract::State, http::StatusCode};
use std::{sync::Arc, time::Duration};

/// Whoever asks whether this node is ready does not wait as long as a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// This process runs.
pub async fn live() -> &'static str {
    "ok"
}

/// It can serve: the database answers, and nobody asked it to stop.
pub async fn ready(State(app): State<App>) -> StatusCode {
    let is_ready = !app.shutdown.is_cancelled() && answers(&app).await;
    if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// In a task of its own: a question that is given up halfway would leave its answer to the connection's next user. One after
/// the other: while nobody answers, those who ask again leave no more of them behind.
async fn answers(app: &App) -> bool {
    let asked = async {
        let turn = Arc::clone(&app.readiness).lock_owned().await;
        let db = app.db.clone();
        let asking = async move {
            let answers = db.answers().await;
            drop(turn);
            answers
        };
        app.tasks.spawn(asking).await
    };
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(true)))
}
