//! The loops that do what is due until the process is told to stop: one for each lane, with slots that are filled again
//! as soon as they are free.
//!
//! What is done is removed in the same commit that claims what comes next: under load one commit serves many jobs. No more
//! rows are claimed than there are slots, so a kill repeats no more than those.

use super::{
    Lane,
    run::{next, perform},
};
use crate::app::App;
use entity::ids::JobId;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use std::{pin::pin, time::Duration};
use tokio::{sync::watch, time::sleep};

/// A lane that found nothing does not look more often than this, however many commits there are.
const BREATH: Duration = Duration::from_millis(20);

/// Runs until shutdown. What is running when shutdown comes is finished first.
pub async fn work(app: App) {
    futures_util::future::join_all(Lane::ALL.map(|each| lane(&app, each))).await;
    app.mail.hang_up().await;
}

async fn lane(app: &App, lane: Lane) {
    let slots = lane.slots(&app.config);
    let mut running = FuturesUnordered::new();
    let mut done = Vec::new();
    let mut bell = app.db.committed();
    while !app.shutdown.is_cancelled() {
        let free = slots.saturating_sub(running.len());
        let removing = std::mem::take(&mut done);
        let claimed = {
            let mut claiming = pin!(next(app, lane, &removing, free));
            // A job that stood still meanwhile could hold the very connection that is waited for.
            loop {
                tokio::select! {
                    claimed = &mut claiming => break claimed,
                    Some(outcome) = running.next() => done.extend(told(outcome)),
                }
            }
        };
        // Another look at once, unless there was nothing, or nobody to ask.
        let mut is_worth_it = match claimed {
            Ok(claimed) => {
                let has_found = !claimed.is_empty();
                running.extend(claimed.into_iter().map(|job| perform(app, job)));
                (has_found && running.len() < slots) || !done.is_empty()
            }
            Err(error) => {
                tracing::error!(%error, "looking for due jobs failed");
                done.extend(removing);
                false
            }
        };
        while let Some(Some(outcome)) = running.next().now_or_never() {
            done.extend(told(outcome));
            is_worth_it = true;
        }
        if is_worth_it {
            continue;
        }
        tokio::select! {
            Some(outcome) = running.next() => done.extend(told(outcome)),
            () = rest(app, &mut bell), if running.len() < slots => {}
        }
    }
    while let Some(outcome) = running.next().await {
        done.extend(told(outcome));
    }
    if let Err(error) = next(app, lane, &done, 0).await {
        tracing::error!(%error, "what was done could not be removed: it is done again");
    }
}

/// The id of one that is done. If what became of it could not be written, it is done again when its lease has run out.
fn told(outcome: crate::Result<Option<JobId>>) -> Option<JobId> {
    outcome.unwrap_or_else(|error| {
        tracing::error!(%error, "what became of a job could not be written");
        None
    })
}

async fn rest(app: &App, bell: &mut watch::Receiver<()>) {
    let rung = async {
        // It rings as long as the database is there.
        let _still_there = bell.changed().await;
        sleep(BREATH).await;
    };
    tokio::select! {
        () = sleep(Duration::from_millis(app.config.worker.poll_millis)) => {}
        () = rung => {}
        () = app.shutdown.cancelled() => {}
    }
}
