//! The loop that does what is due until the process is told to stop.

use super::run_due;
use crate::app::App;
use std::time::Duration;

/// Runs until shutdown. What is running when shutdown comes is finished first.
pub async fn work(app: App) {
    let pause = Duration::from_millis(app.config.worker.poll_millis);
    while !app.shutdown.is_cancelled() {
        match run_due(&app).await {
            Ok(0) => rest(&app, pause).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "looking for due jobs failed");
                rest(&app, pause).await;
            }
        }
    }
}

async fn rest(app: &App, pause: Duration) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = app.db.committed().notified() => {}
        () = app.shutdown.cancelled() => {}
    }
}
