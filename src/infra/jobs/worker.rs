//! The loops that do what is due until the process is told to stop: one for each lane, with slots that are filled again
//! as soon as they are free.

use super::{
    Lane,
    run::{claim_due, perform},
};
use crate::app::App;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use std::{pin::pin, time::Duration};

/// Runs until shutdown. What is running when shutdown comes is finished first.
pub async fn work(app: App) {
    futures_util::future::join_all(Lane::ALL.map(|each| lane(&app, each))).await;
    app.mail.hang_up().await;
}

async fn lane(app: &App, lane: Lane) {
    let slots = lane.slots(&app.config);
    let mut running = FuturesUnordered::new();
    while !app.shutdown.is_cancelled() {
        let free = slots.saturating_sub(running.len());
        let claimed = {
            let mut claiming = pin!(claim_due(app, lane, free));
            // A job that stood still meanwhile could hold the very connection that is waited for.
            loop {
                tokio::select! {
                    claimed = &mut claiming => break claimed,
                    Some(done) = running.next() => told(done),
                }
            }
        };
        let claimed = claimed.unwrap_or_else(|error| {
            tracing::error!(%error, "looking for due jobs failed");
            Vec::new()
        });
        let has_found = !claimed.is_empty();
        for job in claimed {
            running.push(perform(app, job));
        }
        while let Some(Some(done)) = running.next().now_or_never() {
            told(done);
        }
        if has_found && running.len() < slots {
            continue;
        }
        tokio::select! {
            Some(done) = running.next() => told(done),
            () = rest(app), if running.len() < slots => {}
        }
    }
    while let Some(done) = running.next().await {
        told(done);
    }
}

/// The job is still there, and is done again when its lease has run out.
fn told(done: crate::Result<()>) {
    if let Err(error) = done {
        tracing::error!(%error, "what became of a job could not be written");
    }
}

async fn rest(app: &App) {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(app.config.worker.poll_millis)) => {}
        () = app.db.committed().notified() => {}
        () = app.shutdown.cancelled() => {}
    }
}
