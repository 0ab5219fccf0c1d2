//! How long a stream may live: as long as its token is good, and no longer than this node.

use super::{
    Edge,
    engine::{Caller, Refusal},
};
use chrono::{DateTime, Utc};
use std::{future, time::Duration};
use tokio::time::{sleep, timeout};

/// A visitor has no token that runs out: after a day the client comes back.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Edge {
    /// What is left of a token; nothing if it has run out.
    pub fn left(&self, expires_at: Option<DateTime<Utc>>) -> Duration {
        expires_at.map_or(LONGEST, |at| (at - self.clock.now()).to_std().unwrap_or_default().min(LONGEST))
    }

    /// Whether the token that was shown is still good.
    pub async fn readmit(&self, caller: &Caller) -> Result<(), Refusal> {
        if caller.account.is_none() {
            return Ok(());
        }
        // Boxed: of thousands that are idle, few ask at a time.
        let asking = Box::pin(timeout(self.settings.operation_time, self.engine.readmit(caller)));
        asking.await.unwrap_or(Err(Refusal::Unavailable))
    }

    /// Whether it was revoked. What cannot be asked now is asked at the next heartbeat: by itself a stream does nothing.
    pub async fn is_revoked(&self, caller: &Caller) -> bool {
        self.readmit(caller).await == Err(Refusal::Unauthenticated)
    }

    /// Ends with the token, by its time or by a revocation, or with the server.
    pub fn over(&self, caller: &Caller) -> impl Future<Output = ()> + Send + 'static {
        let (edge, caller, left) = (self.clone(), caller.clone(), self.left(caller.expires_at));
        async move {
            tokio::select! {
                () = edge.shutdown.cancelled() => {}
                () = sleep(left) => {}
                () = edge.revoked(&caller) => {}
            }
        }
    }

    /// Looks at each heartbeat.
    async fn revoked(&self, caller: &Caller) {
        if caller.account.is_none() {
            return future::pending().await;
        }
        loop {
            sleep(self.settings.heartbeat).await;
            if self.is_revoked(caller).await {
                return;
            }
        }
    }
}
